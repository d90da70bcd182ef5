"""Forward pass of models with latent attention in float64: the second opinion on the golden logits.

Written from the papers' formulas, apart from Hugging Face. `logits(config, state, ids)` takes a
Hugging Face config and state dict. `Variant` switches single terms to known mistakes, so that
make_golden.py can show that the golden data would catch them.
"""

import math
from dataclasses import dataclass

import torch

QUERY_BLOCK = 512


@dataclass(frozen=True)
class Variant:
    """Deliberate mistakes; the default is the right model."""

    mscale: bool = True  # softmax scale carries mscale squared
    yarn: bool = True  # rope frequencies follow the yarn ramp
    interleaved: bool = True  # rope rotates pairs (2i, 2i+1), not (i, i + d/2)
    group_score: str = "own"  # "swapped": the other family's score of an expert group
    bias: bool = True  # selection uses e_score_correction_bias
    temperature: bool = True  # of queries, by position
    long_rope: bool = True  # beyond the original length the long factors
    scales: bool = True  # of embedding, residual branches and logits
    indexer: str = "own"  # "dense": every token is attended to; "interleaved": its rope's pairs


@dataclass
class Result:
    logits: torch.Tensor  # [positions, vocab]
    # Smallest distance of a chosen from a rejected expert or group, in standard deviations of the
    # selection scores.
    routing_gap: float


def _rms_norm(x, weight, eps):
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps) * weight


def _swiglu(x, gate, up, down):
    return (torch.nn.functional.silu(x @ gate.T) * (x @ up.T)) @ down.T


def inverse_frequencies(c, variant: Variant, tokens: int = 0) -> torch.Tensor:
    """[rope / 2], YaRN paper section 3.2 with the correction range rounded outwards; LongRoPE's
    factors by the length of the sequence.
    """
    d, rope = c.qk_rope_head_dim, c.rope_parameters
    theta = float(rope["rope_theta"])
    freq = theta ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)
    if rope.get("rope_type") == "longrope":
        is_long = tokens > rope["original_max_position_embeddings"] and variant.long_rope
        factors = rope["long_factor" if is_long else "short_factor"]
        return freq / torch.tensor(factors, dtype=torch.float64)
    if rope.get("rope_type") != "yarn" or not variant.yarn:
        return freq

    def correction(rotations):
        positions = rope["original_max_position_embeddings"] / (2 * math.pi * rotations)
        return d * math.log(positions) / (2 * math.log(theta))

    low = max(math.floor(correction(rope["beta_fast"])), 0)
    high = min(math.ceil(correction(rope["beta_slow"])), d - 1)
    ramp = ((torch.arange(d // 2, dtype=torch.float64) - low) / max(high - low, 1e-3)).clamp(0, 1)
    return freq * (1 - ramp) + freq / rope["factor"] * ramp


def softmax_scale(c, variant: Variant) -> float:
    scale = (c.qk_nope_head_dim + c.qk_rope_head_dim) ** -0.5
    rope = c.rope_parameters
    if rope.get("rope_type") == "yarn" and variant.mscale:
        scale *= (0.1 * rope["mscale_all_dim"] * math.log(rope["factor"]) + 1) ** 2
    return scale


def _rope(x, angles, interleaved):
    """x [..., tokens, rope], angles [tokens, rope / 2]."""
    cos, sin = angles.cos(), angles.sin()
    half = x.shape[-1] // 2
    a, b = (x[..., 0::2], x[..., 1::2]) if interleaved else (x[..., :half], x[..., half:])
    # Pairs come out half-split: the order cancels in q . k.
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)


def _layer_norm(x, weight, bias, eps=1e-6):
    centred = x - x.mean(-1, keepdim=True)
    return centred * torch.rsqrt(centred.square().mean(-1, keepdim=True) + eps) * weight + bias


def _selected(c, w, x, q_a, angles, variant):
    """Lightning indexer (DeepSeek-V3.2-Exp, section 2.1): [tokens, tokens], True where a query may
    look; and the smallest gap between the last token chosen and the first that is not.
    """
    tokens, heads, rope = x.shape[0], c.index_n_heads, c.qk_rope_head_dim
    interleaved = variant.indexer == "interleaved"
    q = (q_a @ w["indexer.wq_b.weight"].T).view(tokens, heads, c.index_head_dim).transpose(0, 1)
    k = _layer_norm(
        x @ w["indexer.wk.weight"].T, w["indexer.k_norm.weight"], w["indexer.k_norm.bias"]
    )
    q = torch.cat([_rope(q[..., :rope], angles, interleaved), q[..., rope:]], dim=-1)
    k = torch.cat([_rope(k[..., :rope], angles, interleaved), k[..., rope:]], dim=-1)
    weights = x @ w["indexer.weights_proj.weight"].T  # [tokens, heads]
    score = torch.einsum("th,hts->ts", weights, (q @ k.T).relu())
    score = score * (heads * c.index_head_dim) ** -0.5
    future = torch.arange(tokens)[None, :] > torch.arange(tokens)[:, None]
    score = score.masked_fill(future, -math.inf)
    count = min(c.index_topk, tokens)
    chosen = torch.zeros(tokens, tokens, dtype=torch.bool)
    chosen.scatter_(1, score.topk(count, -1).indices, True)
    gap = math.inf if tokens <= count else _gap(score[count:], count)
    return (chosen | (variant.indexer == "dense")) & ~future, gap


def _temperature(c, tokens, variant):
    """[tokens, 1], Llama 4's factor of the queries as Mistral uses it."""
    beta = c.rope_parameters.get("llama_4_scaling_beta")
    if beta is None or not variant.temperature:
        return torch.ones(tokens, 1, dtype=torch.float64)
    turns = torch.arange(tokens) // c.rope_parameters["original_max_position_embeddings"]
    return (1 + beta * torch.log1p(turns.double()))[:, None]


def _attention(c, w, x, angles, variant):
    """Expanded MLA (DeepSeek-V2, section 2.1). x [tokens, hidden], normed -> [tokens, hidden], and
    the smallest gap of the indexer.
    """
    interleaved = variant.interleaved == (c.model_type != "minicpm3")
    tokens, heads, latent = x.shape[0], c.num_attention_heads, c.kv_lora_rank
    nope, rope = c.qk_nope_head_dim, c.qk_rope_head_dim
    q_a = None
    if c.q_lora_rank is None:
        q = x @ w["q_proj.weight"].T
    else:
        q_a = _rms_norm(x @ w["q_a_proj.weight"].T, w["q_a_layernorm.weight"], c.rms_norm_eps)
        q = q_a @ w["q_b_proj.weight"].T
    q = q.view(tokens, heads, nope + rope).transpose(0, 1)
    kv_a = x @ w["kv_a_proj_with_mqa.weight"].T
    latents = _rms_norm(kv_a[:, :latent], w["kv_a_layernorm.weight"], c.rms_norm_eps)
    kv = latents @ w["kv_b_proj.weight"].T
    kv = kv.view(tokens, heads, nope + c.v_head_dim).transpose(0, 1)
    k_rope = _rope(kv_a[:, latent:], angles, interleaved).expand(heads, -1, -1)
    k = torch.cat([kv[..., :nope], k_rope], dim=-1)
    q = torch.cat([q[..., :nope], _rope(q[..., nope:], angles, interleaved)], dim=-1)
    q = q * _temperature(c, tokens, variant)
    visible, gap = torch.ones(tokens, tokens, dtype=torch.bool).tril(), math.inf
    if c.model_type == "deepseek_v32":
        visible, gap = _selected(c, w, x, q_a, angles, variant)
    out = torch.empty(heads, tokens, c.v_head_dim, dtype=torch.float64)
    for first in range(0, tokens, QUERY_BLOCK):
        last = min(first + QUERY_BLOCK, tokens)
        score = softmax_scale(c, variant) * q[:, first:last] @ k[:, :last].transpose(1, 2)
        score = score.masked_fill(~visible[first:last, :last], -math.inf)
        out[:, first:last] = score.softmax(-1) @ kv[:, :last, nope:]
    return out.transpose(0, 1).reshape(tokens, -1) @ w["o_proj.weight"].T, gap


def _gap(scores, chosen: int) -> float:
    """Smallest distance of last chosen and first rejected in a row, over the spread of scores."""
    ordered = scores.sort(-1, descending=True).values
    if chosen >= scores.shape[-1]:
        return math.inf
    finite = scores[torch.isfinite(scores)]
    return float((ordered[:, chosen - 1] - ordered[:, chosen]).min() / finite.std())


def _route(c, w, x, variant):
    """-> experts [tokens, top_k], weights [tokens, top_k], smallest gap. V2: softmax, groups by
    maximum; V3 and what follows it: sigmoid plus bias, groups by their best two.
    """
    is_v3 = "gate.e_score_correction_bias" in w
    router = x @ w["gate.weight"].T
    score = router.sigmoid() if is_v3 else router.softmax(-1)
    choice = score + w["gate.e_score_correction_bias"] if is_v3 and variant.bias else score
    limited = (
        c.n_group is not None
        and c.n_group > 1
        and (is_v3 or getattr(c, "topk_method", "") == "group_limited_greedy")
    )
    gap = math.inf
    if limited:
        groups = choice.view(choice.shape[0], c.n_group, -1)
        best_two = is_v3 == (variant.group_score == "own")
        group_score = groups.topk(2, -1).values.sum(-1) if best_two else groups.max(-1).values
        gap = _gap(group_score, c.topk_group)
        kept = torch.zeros_like(group_score, dtype=torch.bool).scatter_(
            1, group_score.topk(c.topk_group, -1).indices, True
        )
        choice = groups.masked_fill(~kept[..., None], -math.inf).view(choice.shape)
    experts = choice.topk(c.num_experts_per_tok, -1).indices
    gap = min(gap, _gap(choice, c.num_experts_per_tok))
    weights = score.gather(1, experts)
    if c.model_type != "deepseek_v2" and c.norm_topk_prob:
        weights = weights / weights.sum(-1, keepdim=True)
    return experts, weights * c.routed_scaling_factor, gap


def _moe(c, w, x, variant):
    experts, weights, gap = _route(c, w, x, variant)
    out = _swiglu(x, *(w[f"shared_experts.{part}_proj.weight"] for part in ("gate", "up", "down")))
    for e in range(c.n_routed_experts):
        token, slot = torch.where(experts == e)
        if len(token):
            gate, up = w["experts.gate_up_proj"][e].chunk(2)
            expert = _swiglu(x[token], gate, up, w["experts.down_proj"][e])
            out.index_add_(0, token, weights[token, slot, None] * expert)
    return out, gap


def logits(c, state: dict, ids: list[int], positions=None, variant: Variant = Variant()) -> Result:
    """Logits after each of `positions` (default: all) of the sequence `ids`, which starts at
    position 0.
    """
    state = {name: torch.as_tensor(value).double() for name, value in state.items()}
    layer = [
        {
            name.split(f"model.layers.{i}.", 1)[1]: value
            for name, value in state.items()
            if name.startswith(f"model.layers.{i}.")
        }
        for i in range(c.num_hidden_layers)
    ]
    frequencies = inverse_frequencies(c, variant, len(ids))
    angles = torch.arange(len(ids), dtype=torch.float64)[:, None] * frequencies
    x, gap = state["model.embed_tokens.weight"][torch.tensor(ids)], math.inf
    branch, logit = 1.0, 1.0
    if c.model_type == "minicpm3" and variant.scales:
        x = x * c.scale_emb
        branch = c.scale_depth / math.sqrt(c.num_hidden_layers)
        logit = c.dim_model_base / c.hidden_size
    for i, weights in enumerate(layer):
        attention = {
            name.removeprefix("self_attn."): value
            for name, value in weights.items()
            if name.startswith("self_attn.")
        }
        ffn = {
            name.removeprefix("mlp."): value
            for name, value in weights.items()
            if name.startswith("mlp.")
        }
        normed = _rms_norm(x, weights["input_layernorm.weight"], c.rms_norm_eps)
        out, layer_gap = _attention(c, attention, normed, angles, variant)
        x, gap = x + branch * out, min(gap, layer_gap)
        normed = _rms_norm(x, weights["post_attention_layernorm.weight"], c.rms_norm_eps)
        if c.model_type == "plm":
            inner = (normed @ ffn["up_proj.weight"].T).relu().square()
            x = x + inner @ ffn["down_proj.weight"].T
        elif "gate.weight" not in ffn:
            x = x + branch * _swiglu(
                normed, *(ffn[f"{part}_proj.weight"] for part in ("gate", "up", "down"))
            )
        else:
            out, layer_gap = _moe(c, ffn, normed, variant)
            x, gap = x + out, min(gap, layer_gap)
    x = _rms_norm(x, state["model.norm.weight"], c.rms_norm_eps)
    head = state["model.embed_tokens.weight" if c.tie_word_embeddings else "lm_head.weight"]
    return Result(logit * x[positions if positions is not None else slice(None)] @ head.T, gap)
