"""Makes the tiny checkpoints and their golden logits.

    python make_golden.py [NAME...]

writes <name>.gguf, <name>.json and <name>.logits next to this script. Weights and prompts come from
seeds. Logits are those of Hugging Face in float64 (stored as float32); a float64 implementation of
our own (reference_mla.py) must agree, and for every known mistake (`Variant`) it must not.
README.md describes the files.
"""

import json
import math
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import DeepseekV2Config, DeepseekV3Config

import deepseek_gguf
import families
import reference_mla
from corpus import SENTENCES
from pretokenizers import pre_tokenizer
from reference_mla import Variant

HERE = Path(__file__).parent
VOCAB = 288
BOS, EOS = "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"
PROMPT, CONTINUATION, LONG = 64, 64, 4300
LONG_POSITIONS = sorted(
    {*np.linspace(0, LONG - 17, 32, dtype=int).tolist(), *range(LONG - 16, LONG)}
)
PROMPT_SEEDS = 40


def yarn(mscale: float) -> dict:
    return dict(
        rope_type="yarn", rope_theta=10000.0, factor=40.0, original_max_position_embeddings=4096,
        beta_fast=32, beta_slow=1,
        mscale=mscale, mscale_all_dim=mscale,
    )  # fmt: skip


COMMON = dict(
    vocab_size=VOCAB,
    num_attention_heads=4,
    num_key_value_heads=4,
    max_position_embeddings=163840,
    bos_token_id=0,
    eos_token_id=1,
)


@dataclass(frozen=True)
class Spec:
    """One set of weights. `files`: file name -> arguments of the exporter; the first one's weights
    are those of the logits.
    """

    config: object
    seed: int
    pre: str
    files: dict = field(default_factory=dict)
    prompt: int = PROMPT
    full: bool = True  # with the long run and the greedy continuation
    long: int = LONG  # tokens of the long run; 0: none
    long_positions: tuple = tuple(LONG_POSITIONS)
    mistakes: tuple = ()
    long_mistakes: tuple | None = None  # of the long run, where they are others
    tied_scale: float = 0.2  # embeddings of unit size would make too large logits
    first_good: bool = False  # take the first prompt that is good enough, not the best of all


MLA_MISTAKES = (Variant(mscale=False), Variant(yarn=False), Variant(interleaved=False))


def _two_generations(name: str) -> dict:
    return {name: dict(), f"{name}-legacy": dict(generation="legacy")}


def v2_lite() -> Spec:
    config = DeepseekV2Config(
        **COMMON, hidden_size=48, intermediate_size=80, moe_intermediate_size=16,
        num_hidden_layers=3, first_k_dense_replace=1, n_routed_experts=8,
        num_experts_per_tok=3, n_shared_experts=2, n_group=1, topk_group=1, topk_method="greedy",
        kv_lora_rank=32, q_lora_rank=None,
        qk_nope_head_dim=32, qk_rope_head_dim=16, v_head_dim=16, rope_parameters=yarn(0.707),
    )  # fmt: skip
    return Spec(config, 101, "deepseek-llm", _two_generations("v2-lite"), mistakes=MLA_MISTAKES)


def v2_236b() -> Spec:
    config = DeepseekV2Config(
        **COMMON, hidden_size=48, intermediate_size=80, moe_intermediate_size=16,
        num_hidden_layers=3, first_k_dense_replace=1, n_routed_experts=16,
        num_experts_per_tok=4, n_shared_experts=2, n_group=4, topk_group=2,
        topk_method="group_limited_greedy", routed_scaling_factor=16.0,
        kv_lora_rank=32, q_lora_rank=32, qk_nope_head_dim=16, qk_rope_head_dim=16, v_head_dim=16,
        rope_parameters=yarn(1.0),
    )  # fmt: skip
    return Spec(
        config,
        102,
        "deepseek-llm",
        {"v2-236b": {}},
        mistakes=(*MLA_MISTAKES, Variant(group_score="swapped")),
    )


def v3() -> Spec:
    config = DeepseekV3Config(
        **COMMON, hidden_size=48, intermediate_size=80, moe_intermediate_size=16,
        num_hidden_layers=3, first_k_dense_replace=1, n_routed_experts=16,
        num_experts_per_tok=4, n_shared_experts=1, n_group=4, topk_group=2, norm_topk_prob=True,
        routed_scaling_factor=2.5, kv_lora_rank=32,
        q_lora_rank=32, qk_nope_head_dim=16, qk_rope_head_dim=32, v_head_dim=16,
        rope_parameters=yarn(1.0), num_mtp_layers=0,
    )  # fmt: skip
    return Spec(
        config,
        103,
        "deepseek-v3",
        _two_generations("v3"),
        mistakes=(*MLA_MISTAKES, Variant(group_score="swapped"), Variant(bias=False)),
    )


def _narrow(kind: str, seed: int) -> Spec:
    """All rows are whole 32-wide blocks and none a 256-wide one."""
    config = DeepseekV2Config(
        **COMMON, hidden_size=32, intermediate_size=96, moe_intermediate_size=32,
        num_hidden_layers=2, first_k_dense_replace=1, n_routed_experts=6,
        num_experts_per_tok=2, n_shared_experts=2, n_group=1, topk_group=1, topk_method="greedy",
        kv_lora_rank=64, q_lora_rank=None,
        qk_nope_head_dim=32, qk_rope_head_dim=16, v_head_dim=32, rope_parameters=yarn(0.707),
    )  # fmt: skip
    name = f"narrow-{kind.lower()}"
    return Spec(config, seed, "deepseek-llm", {name: dict(weight_type=kind)}, prompt=32, full=False)


def _wide(
    name: str, seed: int, expert_width: int, experts: int, shared: int, arguments: dict
) -> Spec:
    """Rows of 256 where a K-quant needs them; nope columns (attn_k_b) and, with narrower experts,
    their down rows take the fallback types. Tied.
    """
    config = DeepseekV2Config(
        **COMMON, hidden_size=256, intermediate_size=256, moe_intermediate_size=expert_width,
        num_hidden_layers=1, first_k_dense_replace=0,
        n_routed_experts=experts, num_experts_per_tok=2, n_shared_experts=shared, n_group=1,
        topk_group=1, topk_method="greedy", kv_lora_rank=256,
        q_lora_rank=None, qk_nope_head_dim=32, qk_rope_head_dim=16, v_head_dim=64,
        rope_parameters=yarn(0.707), tie_word_embeddings=True,
    )  # fmt: skip
    return Spec(config, seed, "deepseek-llm", {name: arguments}, prompt=32, full=False)


# Every type that the files above lack, mixed as no file would be.
MIXED = {
    "token_embd.weight": "Q6_K",
    "blk.0.attn_q.weight": "Q4_1", "blk.0.attn_kv_a_mqa.weight": "Q5_1",
    "blk.0.attn_k_b.weight": "MXFP4", "blk.0.attn_v_b.weight": "IQ4_XS",
    "blk.0.attn_output.weight": "IQ3_S", "blk.0.ffn_gate.weight": "Q2_K",
    "blk.0.ffn_up.weight": "Q3_K", "blk.0.ffn_down.weight": "IQ2_S",
    "blk.1.attn_q.weight": "IQ2_XXS", "blk.1.attn_kv_a_mqa.weight": "IQ4_NL",
    "blk.1.attn_k_b.weight": "Q8_0", "blk.1.attn_v_b.weight": "NVFP4",
    "blk.1.attn_output.weight": "IQ3_XXS", "blk.1.ffn_gate_exps.weight": "IQ2_XS",
    "blk.1.ffn_up_exps.weight": "IQ1_S", "blk.1.ffn_down_exps.weight": "IQ1_M",
    "blk.1.ffn_gate_shexp.weight": "MXFP4", "blk.1.ffn_up_shexp.weight": "Q5_K",
    "blk.1.ffn_down_shexp.weight": "Q4_K",
}  # fmt: skip


def _mixed() -> Spec:
    config = DeepseekV2Config(
        **COMMON | dict(num_attention_heads=2, num_key_value_heads=2), hidden_size=256,
        intermediate_size=256, moe_intermediate_size=256, num_hidden_layers=2,
        first_k_dense_replace=1, n_routed_experts=2, num_experts_per_tok=1, n_shared_experts=1,
        n_group=1, topk_group=1, topk_method="greedy", kv_lora_rank=256, q_lora_rank=None,
        qk_nope_head_dim=32, qk_rope_head_dim=16, v_head_dim=128, rope_parameters=yarn(0.707),
        tie_word_embeddings=True,
    )  # fmt: skip
    files = {"mixed": dict(weight_type="Q4_K", overrides=MIXED)}
    return Spec(config, 107, "deepseek-llm", files, prompt=32, full=False)


def all_specs() -> dict[str, Spec]:
    specs = {"v2-lite": v2_lite(), "v2-236b": v2_236b(), "v3": v3()}
    for kind in ("F16", "BF16", "Q8_0", "Q4_0", "Q5_0"):
        specs[f"narrow-{kind.lower()}"] = _narrow(kind, 104)
    # The mix of a Q4_K_M file: down projections wider, tied embedding Q6_K, fallbacks Q5_0 and
    # Q8_0.
    mix = dict(weight_type="Q4_K", overrides={"*ffn_down*": "Q6_K", "token_embd.weight": "Q6_K"})
    specs["wide-q4_k"] = _wide("wide-q4_k", 105, 128, 4, 2, mix)
    # Legacy, because attn_k_b's short rows would fall back to Q5_1.
    specs["wide-q5_k"] = _wide(
        "wide-q5_k", 106, 256, 3, 1, dict(weight_type="Q5_K", generation="legacy")
    )
    for name, family in families.all_families(VOCAB).items():
        specs[name] = Spec(prompt=family.prompt, long=family.long,
                           long_positions=tuple(range(family.long - 16, family.long)),
                           config=family.config, seed=family.seed, pre=family.pre,
                           files=family.files, mistakes=family.mistakes,
                           long_mistakes=family.long_mistakes, first_good=True,
                           tied_scale=family.tied_scale)  # fmt: skip
    specs["mixed"] = _mixed()
    specs["wide-q6_k"] = _wide("wide-q6_k", 106, 256, 3, 1, dict(weight_type="Q6_K"))
    return specs


# ---- weights and text ------------------------------------------------------------

# Standard deviation of a weight times sqrt(columns), by the end of its name; chosen so that
# attention looks far back, routing is spread and logits differ.
GAINS = {
    "embed_tokens.weight": None, "q_proj.weight": 1.6, "q_b_proj.weight": 1.6,
    "kv_b_proj.weight": 1.3, "o_proj.weight": 1.0, "mlp.gate.weight": 1.5,
    "lm_head.weight": 2.5,
}  # fmt: skip


def seeded_state(model, seed: int, tied_scale: float) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, value in sorted(model.state_dict().items()):
        noise = torch.randn(value.shape, generator=generator)
        if name.endswith("norm.weight"):
            state[name] = torch.exp(0.3 * noise)
        elif name.endswith("e_score_correction_bias"):
            state[name] = 0.2 * noise
        else:
            gain = next((g for end, g in GAINS.items() if name.endswith(end)), 1.0)
            state[name] = noise if gain is None else noise * gain / math.sqrt(value.shape[-1])
        if name.endswith("experts.down_proj") and model.config.routed_scaling_factor > 4:
            state[name] *= 4 / model.config.routed_scaling_factor
    if model.config.tie_word_embeddings:
        state["model.embed_tokens.weight"] *= tied_scale  # one matrix in two roles
        state["lm_head.weight"] = state["model.embed_tokens.weight"]
    return state


def make_model(config, state: dict, dtype):
    model = families.new_model(config).eval()
    if hasattr(model, "set_experts_implementation"):
        model.set_experts_implementation("eager")  # the grouped product knows no float64
    missing, unexpected = model.load_state_dict(
        {k: torch.as_tensor(v) for k, v in state.items()}, strict=False
    )
    if unexpected or set(missing) - {"lm_head.weight"}:
        raise ValueError(f"weights do not fit: missing {missing}, unexpected {unexpected}")
    return model.to(dtype)


def tiny_tokenizer(pre: str) -> Tokenizer:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizer(pre)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB,
        special_tokens=[BOS, EOS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(SENTENCES, trainer)
    return made


def random_ids(seed: int, count: int) -> list[int]:
    """One BOS, then ordinary tokens, some of them repeated from before so that attention has
    something to find.
    """
    rng = np.random.default_rng(seed)
    ids = [0]
    while len(ids) < count:
        ids.append(
            int(rng.choice(ids))
            if len(ids) > 8 and rng.random() < 0.3
            else int(rng.integers(2, VOCAB))
        )
    return [ids[0]] + [i if i > 1 else 2 for i in ids[1:]]


# ---- golden values ------------------------------------------------------------


def nmse(a, b) -> float:
    """Sum of squared differences over the sum of squared deviations of `b` from each position's
    mean.
    """
    a, b = torch.as_tensor(a).double(), torch.as_tensor(b).double()
    return float((a - b).square().sum() / (b - b.mean(-1, keepdim=True)).square().sum())


@torch.no_grad()
def hf_logits(model, ids: list[int], positions: list[int]) -> torch.Tensor:
    logits = model(torch.tensor([ids]), use_cache=False, logits_to_keep=torch.tensor(positions))
    return logits.logits[0]


@torch.no_grad()
def greedy(model, ids: list[int], steps: int) -> tuple[list[int], float]:
    """The continuation, and the smallest distance of first from second choice in standard
    deviations of that step's logits.
    """
    out, gap = [], math.inf
    step = model(torch.tensor([ids]), use_cache=True)
    for _ in range(steps):
        row = step.logits[0, -1]
        best = row.topk(2)
        gap = min(gap, float((best.values[0] - best.values[1]) / row.std()))
        out.append(int(best.indices[0]))
        step = model(
            torch.tensor([[out[-1]]]), past_key_values=step.past_key_values, use_cache=True
        )
    return out, gap


def good_enough(candidate: dict) -> bool:
    """Far from every tie (rounding in float32 moves scores by about 1e-6 of their spread), and not
    one token for ever.
    """
    return (
        candidate["routing_gap"] > 5e-5
        and candidate["greedy_gap"] > 5e-3
        and len(set(candidate["greedy"])) >= 8
    )


def choose_prompt(spec: Spec, state, model) -> dict:
    """The seed whose routing (and, with a continuation, whose choices of token) stay furthest from
    a tie.
    """
    best = None
    for seed in range(PROMPT_SEEDS):
        ids = random_ids(1000 * spec.seed + seed, spec.prompt)
        candidate = dict(
            ids=ids, routing_gap=reference_mla.logits(spec.config, state, ids).routing_gap
        )
        score = candidate["routing_gap"]
        if spec.full:
            candidate["greedy"], candidate["greedy_gap"] = greedy(model, ids, CONTINUATION)
            if min(candidate["greedy"]) < 2:  # BOS or EOS would end an answer
                continue
            if spec.first_good:
                if good_enough(candidate):
                    return candidate
                print({k: v for k, v in candidate.items() if k.endswith("gap")}, file=sys.stderr)
                continue
            score = min(10 * score, candidate["greedy_gap"])
        if best is None or score > best[0]:
            best = (score, candidate)
    if best is None:
        raise AssertionError(f"no prompt of {PROMPT_SEEDS} is far from a tie; take another seed")
    return best[1]


def run_record(spec: Spec, state, double, single, ids, positions) -> tuple[dict, torch.Tensor]:
    """Logits of Hugging Face in float64, checked against its float32 and against our own float64;
    positions of one run.
    """
    golden = hf_logits(double, ids, positions)
    own = reference_mla.logits(spec.config, state, ids, positions)
    record = dict(
        ids=ids, positions=positions,
        nmse_hf_float32=nmse(hf_logits(single, ids, positions), golden),
        nmse_reference=nmse(own.logits, golden),
        routing_gap=own.routing_gap if math.isfinite(own.routing_gap) else None,  # no experts
        logit_std=float(golden.std()),
    )  # fmt: skip
    if record["nmse_reference"] > 1e-9 or record["nmse_hf_float32"] > 1e-8:
        raise AssertionError(
            f"Hugging Face and the reference disagree: {record['nmse_reference']:.1e}, "
            f"float32 {record['nmse_hf_float32']:.1e}"
        )
    return record, golden


def mistakes_record(spec: Spec, state, ids, positions, golden, mistakes) -> dict:
    """NMSE of each known mistake on this run: how loudly a test on these values would fail."""
    record = {}
    for variant in mistakes:
        name = ", ".join(f"{k}={v}" for k, v in vars(variant).items() if v != getattr(Variant(), k))
        record[name] = nmse(
            reference_mla.logits(spec.config, state, ids, positions, variant).logits, golden
        )
        if record[name] < 1e-3:
            raise AssertionError(f"the data would hardly notice {name}: NMSE {record[name]:.1e}")
    return record


def make(name: str, spec: Spec) -> None:
    original = seeded_state(families.new_model(spec.config), spec.seed, spec.tied_scale)
    tokenizer = tiny_tokenizer(spec.pre)
    types = {}
    for file, arguments in spec.files.items():
        given = deepseek_gguf.export(
            HERE / f"{file}.gguf",
            spec.config,
            original,
            name=file,
            tokenizer=tokenizer,
            pre=spec.pre,
            bos=BOS,
            eos=EOS,
            **arguments,
        )
        types[file] = {
            kind.name: sum(t == kind for t in given.values())
            for kind in sorted(set(given.values()))
        }
    # What the file holds is what Hugging Face computes with: the dequantised weights.
    state = deepseek_gguf.read_state_dict(HERE / f"{next(iter(spec.files))}.gguf")
    double, single = make_model(spec.config, state, torch.float64), make_model(
        spec.config, state, torch.float32
    )
    prompt = choose_prompt(spec, state, double)
    positions = list(range(spec.prompt))
    record, golden = run_record(spec, state, double, single, prompt["ids"], positions)
    runs, values = [dict(name="prompt", first_row=0, **record)], [golden]
    document = dict(
        name=name,
        files=[f"{f}.gguf" for f in spec.files],
        tensor_types=types,
        logits=f"{name}.logits",
        vocab=VOCAB,
        runs=runs,
    )
    if spec.full:
        runs[0]["mistakes"] = mistakes_record(
            spec, state, prompt["ids"], positions, golden, spec.mistakes
        )
        document["greedy"] = dict(ids=prompt["greedy"], gap=prompt["greedy_gap"])
    if spec.full and spec.long:
        ids, places = random_ids(1000 * spec.seed + 999, spec.long), list(spec.long_positions)
        record, golden = run_record(spec, state, double, single, ids, places)
        mistakes = spec.mistakes if spec.long_mistakes is None else spec.long_mistakes
        record["mistakes"] = mistakes_record(spec, state, ids, places, golden, mistakes)
        runs.append(dict(name="long", first_row=spec.prompt, **record))
        values.append(golden)
    torch.cat(values).numpy().astype("<f4").tofile(HERE / f"{name}.logits")
    text = json.dumps(document, ensure_ascii=False, indent=1)
    (HERE / f"{name}.json").write_text(_short_arrays(text), encoding="utf-8")
    _print_summary(document)


def _short_arrays(text: str) -> str:
    """Puts arrays of numbers on one line."""
    import re

    return (
        re.sub(
            r"\[\s*((?:-?\d+,\s*)*-?\d+)\s*\]", lambda m: "[" + re.sub(r"\s+", "", m[1]) + "]", text
        )
        + "\n"
    )


def _print_summary(document: dict) -> None:
    print(document["name"], document["tensor_types"])
    for run in document["runs"]:
        print("  ", {k: v for k, v in run.items() if k not in ("ids", "positions")})
    if "greedy" in document:
        print(
            "   greedy gap",
            document["greedy"]["gap"],
            "distinct tokens",
            len(set(document["greedy"]["ids"])),
        )


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 2)))
    wanted = sys.argv[1:] or list(all_specs())
    for golden_name in wanted:
        make(golden_name, all_specs()[golden_name])
