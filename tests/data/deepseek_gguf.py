"""Writes a Hugging Face model with latent attention as GGUF; reads one back.

    python deepseek_gguf.py HF_DIRECTORY OUT.gguf [--type Q8_0] [--generation current|legacy]

Generations: `current` stores W_UK and W_UV apart (attn_k_b transposed per head, attn_v_b) with one
key head of the latent's width and *_mla keys; `legacy` (files made before April 2025) stores
attn_kv_b whole with head_count_kv = heads. Rope columns keep their order: both sides use
interleaved pairs (MiniCPM3: half-split ones). The architecture of the file follows from the model
(`ARCHITECTURE`), its keys and tensors are those of llama.cpp's converter. From Python: `export(path, config, state_dict, ...)` and `read_state_dict(path)`,
which gives the (dequantised) weights under their Hugging Face names.
"""

import argparse
import fnmatch
import json
import re
import zlib
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import GGUFReader, GGUFWriter

import drawn_blocks
import kquants

# model_type -> architecture of the file; anything else is deepseek2.
ARCHITECTURE = {
    "deepseek_v32": "deepseek32",
    "minicpm3": "minicpm3",
    "mistral4": "mistral4",
    "plm": "plm",
}
TOKEN_NORMAL, TOKEN_CONTROL, TOKEN_USER_DEFINED, TOKEN_UNUSED = 1, 3, 4, 5
GATING_SOFTMAX, GATING_SIGMOID = 1, 2
# The type a tensor gets when its rows are not a whole number of 256-wide blocks; 32-wide types fall
# back to F16.
ROW_FALLBACK = {Type.Q4_K: Type.Q5_0, Type.Q5_K: Type.Q5_1, Type.Q6_K: Type.Q8_0}
FILE_TYPE = {
    "F32": 0,
    "F16": 1,
    "Q4_0": 2,
    "Q8_0": 7,
    "Q5_0": 8,
    "Q4_K": 14,
    "Q5_K": 16,
    "Q6_K": 18,
    "BF16": 32,
}
ALWAYS_F32 = ("*_norm.weight", "*.indexer.proj.weight", "*.ffn_gate_inp.weight", "*.exp_probs_b.bias")

# Hugging Face name -> GGUF name, for tensors that are only renamed.
PLAIN = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
    "input_layernorm.weight": "attn_norm.weight",
    "self_attn.q_proj.weight": "attn_q.weight",
    "self_attn.q_a_proj.weight": "attn_q_a.weight",
    "self_attn.q_a_layernorm.weight": "attn_q_a_norm.weight",
    "self_attn.q_b_proj.weight": "attn_q_b.weight",
    "self_attn.kv_a_proj_with_mqa.weight": "attn_kv_a_mqa.weight",
    "self_attn.kv_a_layernorm.weight": "attn_kv_a_norm.weight",
    "self_attn.kv_b_proj.weight": "attn_kv_b.weight",
    "self_attn.o_proj.weight": "attn_output.weight",
    "post_attention_layernorm.weight": "ffn_norm.weight",
    "mlp.gate_proj.weight": "ffn_gate.weight",
    "mlp.up_proj.weight": "ffn_up.weight",
    "mlp.down_proj.weight": "ffn_down.weight",
    "mlp.gate.weight": "ffn_gate_inp.weight",
    "mlp.gate.e_score_correction_bias": "exp_probs_b.bias",
    "mlp.experts.gate_proj": "ffn_gate_exps.weight",
    "mlp.experts.up_proj": "ffn_up_exps.weight",
    "mlp.experts.down_proj": "ffn_down_exps.weight",
    "mlp.shared_experts.gate_proj.weight": "ffn_gate_shexp.weight",
    "mlp.shared_experts.up_proj.weight": "ffn_up_shexp.weight",
    "mlp.shared_experts.down_proj.weight": "ffn_down_shexp.weight",
    "self_attn.indexer.wq_b.weight": "indexer.attn_q_b.weight",
    "self_attn.indexer.wk.weight": "indexer.attn_k.weight",
    "self_attn.indexer.k_norm.weight": "indexer.k_norm.weight",
    "self_attn.indexer.k_norm.bias": "indexer.k_norm.bias",
    "self_attn.indexer.weights_proj.weight": "indexer.proj.weight",
}
PLAIN_BACK = {gguf: hf for hf, gguf in PLAIN.items()}
LAYER = re.compile(r"model\.layers\.(\d+)\.(.+)")
EXPERT = re.compile(r"mlp\.experts\.(\d+)\.(gate|up|down)_proj\.weight")


# ---- tensors ------------------------------------------------------------


def _stacked_experts(state: dict) -> dict:
    """Brings the experts of a layer to three stacked tensors, from either Hugging Face form: fused
    gate_up_proj, or one tensor per expert.
    """
    out, single = {}, {}
    for name, value in state.items():
        layer = LAYER.match(name)
        expert = EXPERT.fullmatch(layer[2]) if layer else None
        if expert:
            stack = f"model.layers.{layer[1]}.mlp.experts.{expert[2]}_proj"
            single.setdefault(stack, {})[int(expert[1])] = value
        elif name.endswith("mlp.experts.gate_up_proj"):
            base = name.removesuffix("gate_up_proj")
            out[base + "gate_proj"], out[base + "up_proj"] = np.split(value, 2, axis=1)
        else:
            out[name] = value
    for name, parts in single.items():
        out[name] = np.stack([parts[e] for e in range(len(parts))])
    return out


def _split_kv_b(kv_b: np.ndarray, config) -> tuple[np.ndarray, np.ndarray]:
    """kv_b [heads * (nope + v), latent] -> k_b [heads, latent, nope] (transposed for the absorbed
    query), v_b [heads, v, latent].
    """
    per_head = kv_b.reshape(
        config.num_attention_heads, config.qk_nope_head_dim + config.v_head_dim, config.kv_lora_rank
    )
    nope = config.qk_nope_head_dim
    k_b, v_b = per_head[:, :nope].transpose(0, 2, 1), per_head[:, nope:]
    return np.ascontiguousarray(k_b), np.ascontiguousarray(v_b)


def gguf_tensors(config, state: dict, generation: str, fused: bool = False) -> dict[str, np.ndarray]:
    """Hugging Face weights -> GGUF names and shapes (numpy order, slowest axis first), all float32,
    in file order. `fused`: gate and up of the routed experts in one tensor.
    """
    tensors = {}
    rope = config.rope_parameters
    if rope.get("rope_type") == "longrope":
        for kind in ("long", "short"):
            factors = np.array(rope[f"{kind}_factor"], np.float32)
            tensors[f"rope_factors_{kind}.weight"] = factors
    for name, value in _stacked_experts({k: _to_numpy(v) for k, v in state.items()}).items():
        layer = LAYER.fullmatch(name)
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        if layer and int(layer[1]) >= config.num_hidden_layers:
            continue  # multi-token-prediction blocks
        prefix, short = (f"blk.{layer[1]}.", layer[2]) if layer else ("", name)
        if short == "self_attn.kv_b_proj.weight" and generation == "current":
            tensors[prefix + "attn_k_b.weight"], tensors[prefix + "attn_v_b.weight"] = _split_kv_b(
                value, config
            )
        elif short in PLAIN:
            tensors[prefix + PLAIN[short]] = value
        elif not short.endswith("rotary_emb.inv_freq"):
            raise ValueError(f"no GGUF name for tensor {name}")
    return _fuse_gate_up(tensors) if fused else tensors


def _fuse_gate_up(tensors: dict) -> dict:
    """ffn_gate_exps and ffn_up_exps -> ffn_gate_up_exps, gate rows first."""
    out = {}
    for name, value in tensors.items():
        if name.endswith("ffn_gate_exps.weight"):
            up = tensors[name.replace("ffn_gate_exps", "ffn_up_exps")]
            fused = name.replace("ffn_gate_exps", "ffn_gate_up_exps")
            out[fused] = np.concatenate([value, up], axis=1)
        elif not name.endswith("ffn_up_exps.weight"):
            out[name] = value
    return out


def _prediction_block(tensors: dict, layers: int) -> dict:
    """Tensors of a block for multi-token prediction behind the trunk: the norms of the last layer and
    a projection of its own (for the file's size not the whole layer). No model may notice it.
    """
    last, block = f"blk.{layers - 1}.", f"blk.{layers}."
    out = {
        name.replace(last, block): value
        for name, value in tensors.items()
        if name.startswith(last) and value.ndim == 1
    }
    hidden = tensors["output_norm.weight"].shape[0]
    out[block + "nextn.eh_proj.weight"] = np.full((hidden, 2 * hidden), 0.5, np.float32)
    for norm in ("enorm", "hnorm", "shared_head_norm"):
        out[block + f"nextn.{norm}.weight"] = np.full(hidden, 2, np.float32)
    return out


def _to_numpy(value) -> np.ndarray:
    if not isinstance(value, np.ndarray):
        value = value.detach().to("cpu").float().numpy()
    return np.ascontiguousarray(value, dtype=np.float32)


def tensor_type(name: str, shape: tuple, weight_type: Type, overrides: dict[str, str]) -> Type:
    """Norms, router and biases stay F32; the rest gets its override's type or `weight_type`, or
    that type's fallback when rows do not divide.
    """
    if len(shape) == 1 or any(fnmatch.fnmatch(name, pattern) for pattern in ALWAYS_F32):
        return Type.F32
    kind = next(
        (Type[t] for pattern, t in overrides.items() if fnmatch.fnmatch(name, pattern)), weight_type
    )
    if kind in ROW_FALLBACK and shape[-1] % kquants.BLOCK:
        kind = ROW_FALLBACK[kind]
    if kind not in (Type.F32, Type.F16, Type.BF16) and shape[-1] % 32:
        kind = Type.F16
    return kind


# ---- metadata ------------------------------------------------------------


def _write_attention(w: GGUFWriter, c, generation: str) -> None:
    w.add_head_count(c.num_attention_heads)
    if c.q_lora_rank is not None:
        w.add_q_lora_rank(c.q_lora_rank)
    w.add_kv_lora_rank(c.kv_lora_rank)
    head = c.qk_nope_head_dim + c.qk_rope_head_dim
    if generation == "legacy":
        w.add_head_count_kv(c.num_attention_heads)
        w.add_key_length(head)
        if w.arch != "minicpm3":  # whose files leave it to hidden / heads
            w.add_value_length(c.v_head_dim)
    else:
        w.add_head_count_kv(1)
        w.add_key_length(c.kv_lora_rank + c.qk_rope_head_dim)
        w.add_value_length(c.kv_lora_rank)
        w.add_key_length_mla(head)
        w.add_value_length_mla(c.v_head_dim)
    if w.arch == "deepseek32":
        w.add_indexer_head_count(c.index_n_heads)
        w.add_indexer_key_length(c.index_head_dim)
        w.add_indexer_top_k(c.index_topk)


def _write_rope(w: GGUFWriter, c, generation: str) -> None:
    rope = c.rope_parameters
    w.add_rope_dimension_count(c.qk_rope_head_dim)
    if w.arch == "minicpm3":  # neither base nor scaling
        return
    w.add_rope_freq_base(float(rope["rope_theta"]))
    if rope.get("rope_type", "default") == "default":
        return
    if rope["rope_type"] != "yarn":
        raise ValueError(f"rope type {rope['rope_type']} is not written for {w.arch}")
    w.add_string(f"{w.arch}.rope.scaling.type", "yarn")
    w.add_rope_scaling_factor(float(rope["factor"]))
    w.add_rope_scaling_orig_ctx_len(int(rope["original_max_position_embeddings"]))
    # These architectures' files carry the factor 0.1 of the formula m = 0.1 * mscale_all_dim *
    # ln(factor) + 1 inside the key.
    w.add_rope_scaling_yarn_log_mul(0.1 * float(rope.get("mscale_all_dim") or 0.0))
    if generation == "current":
        w.add_rope_scaling_yarn_beta_fast(float(rope.get("beta_fast") or 32))
        w.add_rope_scaling_yarn_beta_slow(float(rope.get("beta_slow") or 1))
    if "llama_4_scaling_beta" in rope:
        w.add_attn_temperature_scale(float(rope["llama_4_scaling_beta"]))


def dense_layers(c) -> int:
    """How many of the first layers have one network instead of experts."""
    if getattr(c, "n_routed_experts", None) is None:
        return c.num_hidden_layers
    if c.model_type == "glm4_moe_lite":
        return c.mlp_layer_types.count("dense")
    return c.first_k_dense_replace


def _write_experts(w: GGUFWriter, c, generation: str) -> None:
    w.add_leading_dense_block_count(dense_layers(c))
    if dense_layers(c) == c.num_hidden_layers:
        return
    softmax = c.model_type in ("deepseek_v2", "mistral4")
    w.add_expert_count(c.n_routed_experts)
    w.add_expert_used_count(c.num_experts_per_tok)
    w.add_expert_shared_count(c.n_shared_experts)
    w.add_expert_feed_forward_length(c.moe_intermediate_size)
    w.add_expert_weights_scale(float(c.routed_scaling_factor))
    if c.n_group is not None:
        w.add_expert_group_count(c.n_group)
        w.add_expert_group_used_count(c.topk_group)
    # Files of 2024 knew softmax without renormalisation only. The V2 class of Hugging Face never
    # renormalises, whatever norm_topk_prob says.
    if c.model_type != "deepseek_v2" or generation == "current":
        w.add_expert_weights_norm(bool(c.norm_topk_prob) if c.model_type != "deepseek_v2" else False)
        w.add_uint32(f"{w.arch}.expert_gating_func", GATING_SOFTMAX if softmax else GATING_SIGMOID)


def write_metadata(w: GGUFWriter, c, generation: str, prediction_blocks: int = 0) -> None:
    w.add_block_count(c.num_hidden_layers + prediction_blocks)
    w.add_context_length(c.max_position_embeddings)
    w.add_embedding_length(c.hidden_size)
    w.add_feed_forward_length(c.intermediate_size)
    w.add_layer_norm_rms_eps(float(c.rms_norm_eps))
    w.add_vocab_size(c.vocab_size)
    _write_attention(w, c, generation)
    _write_rope(w, c, generation)
    if w.arch not in ("minicpm3", "plm"):
        _write_experts(w, c, generation)
    if prediction_blocks:
        w.add_nextn_predict_layers(prediction_blocks)


def write_tokenizer(
    w: GGUFWriter,
    tokenizer,
    pre: str,
    bos: str,
    eos: str,
    vocab_size: int | None = None,
    chat_template: str | None = None,
    merges: bool = True,
) -> None:
    """`tokenizer`: a byte-level BPE `tokenizers.Tokenizer`. Ids from its size up to `vocab_size`
    are written as unused tokens. `merges`: write the list of merges.
    """
    described = json.loads(tokenizer.to_str())
    vocab = tokenizer.get_vocab(with_added_tokens=True)
    size = vocab_size or max(vocab.values()) + 1
    tokens = [f"[unused{i}]" for i in range(size)]
    types = [TOKEN_UNUSED] * size
    for token, token_id in vocab.items():
        tokens[token_id], types[token_id] = token, TOKEN_NORMAL
    for added in described["added_tokens"]:
        types[added["id"]] = TOKEN_CONTROL if added["special"] else TOKEN_USER_DEFINED
    pairs = [m if isinstance(m, str) else " ".join(m) for m in described["model"]["merges"]]
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre(pre)
    w.add_token_list(tokens)
    w.add_token_types(types)
    if merges:
        w.add_token_merges(pairs)
    w.add_bos_token_id(vocab[bos])
    w.add_eos_token_id(vocab[eos])
    w.add_pad_token_id(vocab[eos])
    w.add_add_bos_token(True)
    w.add_add_eos_token(False)
    if chat_template:
        w.add_chat_template(chat_template)


# ---- whole files ------------------------------------------------------------


def export(
    path,
    config,
    state: dict,
    *,
    generation: str = "current",
    weight_type: str = "F32",
    overrides: dict[str, str] | None = None,
    architecture: str | None = None,
    without: tuple[str, ...] = (),
    fused: bool = False,
    prediction_block: bool = False,
    name: str = "",
    tokenizer=None,
    pre: str = "deepseek-v3",
    bos: str = "<｜begin▁of▁sentence｜>",
    eos: str = "<｜end▁of▁sentence｜>",
    chat_template: str | None = None,
) -> dict[str, Type]:
    """Writes `path`. `config`: of a model of `ARCHITECTURE`, DeepSeek-V2 or V3; `state`: its state
    dict (torch or numpy). `overrides`: GGUF name pattern -> type, before `weight_type`. `without`:
    keys, after the architecture, that are left out as older files do. `fused`: gate and up of the
    experts in one tensor; `prediction_block`: with a block behind the trunk that must not be used.
    Returns the type each tensor got.
    """
    if generation not in ("current", "legacy"):
        raise ValueError(f"generation is current or legacy, not {generation}")
    arch = architecture or ARCHITECTURE.get(config.model_type, "deepseek2")
    if arch in ("minicpm3", "plm"):
        generation = "legacy"  # what they still are
    writer = GGUFWriter(str(path), arch)
    if name:
        writer.add_name(name)
    writer.add_file_type(FILE_TYPE[weight_type])
    writer.add_quantization_version(2)
    write_metadata(writer, config, generation, int(prediction_block))
    for key in without:
        del writer.kv_data[0][f"{arch}.{key}"]
    if tokenizer is not None:
        write_tokenizer(writer, tokenizer, pre, bos, eos, config.vocab_size, chat_template)
    types = {}
    tensors = gguf_tensors(config, state, generation, fused)
    if prediction_block:
        tensors |= _prediction_block(tensors, config.num_hidden_layers)
    for tensor, value in tensors.items():
        types[tensor] = tensor_type(tensor, value.shape, Type[weight_type], overrides or {})
        writer.add_tensor(tensor, _packed(tensor, value, types[tensor]), raw_dtype=types[tensor])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return types


def _packed(tensor: str, value: np.ndarray, kind: Type) -> np.ndarray:
    if kind in drawn_blocks.KINDS:
        return drawn_blocks.draw(value, kind, zlib.crc32(tensor.encode()))
    return kquants.quantize(value, kind)


def _join_kv_b(k_b: np.ndarray, v_b: np.ndarray) -> np.ndarray:
    """k_b [heads, latent, nope], v_b [heads, v, latent] -> [heads * (nope + v), latent]."""
    joined = np.concatenate([k_b.transpose(0, 2, 1), v_b], axis=1)
    return joined.reshape(-1, joined.shape[-1])


def read_state_dict(path) -> dict[str, np.ndarray]:
    """The weights of a file written by `export`, dequantised to float32, under the names of the
    Hugging Face model classes.
    """
    weights = {
        t.name: kquants.dequantize(t.data, t.tensor_type).reshape(tuple(reversed(t.shape)))
        for t in GGUFReader(str(path)).tensors
    }
    state = {}
    prediction = [n.split(".")[1] for n in weights if n.endswith("nextn.eh_proj.weight")]
    for name, value in weights.items():
        if name.startswith(tuple(f"blk.{i}." for i in prediction)) or name.startswith("rope_factors"):
            continue  # a block for multi-token prediction; part of the config
        prefix, short = re.fullmatch(r"(?:blk\.(\d+)\.)?(.+)", name).groups()
        base = f"model.layers.{prefix}." if prefix is not None else ""
        if short == "attn_k_b.weight":
            state[base + "self_attn.kv_b_proj.weight"] = _join_kv_b(
                value, weights[f"blk.{prefix}.attn_v_b.weight"]
            )
        elif short == "ffn_gate_up_exps.weight":
            state[base + "mlp.experts.gate_up_proj"] = value
        elif short == "ffn_gate_exps.weight":
            state[base + "mlp.experts.gate_up_proj"] = np.concatenate(
                [value, weights[f"blk.{prefix}.ffn_up_exps.weight"]], axis=1
            )
        elif short not in ("attn_v_b.weight", "ffn_up_exps.weight"):
            state[base + PLAIN_BACK[short]] = value
    return state


def main() -> None:
    from safetensors.torch import load_file
    from tokenizers import Tokenizer
    from transformers import AutoConfig

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "model",
        type=Path,
        help="directory with config.json, *.safetensors and, if it has one, tokenizer.json",
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--type", default="F32", choices=sorted(FILE_TYPE))
    parser.add_argument("--generation", default="current", choices=["current", "legacy"])
    parser.add_argument(
        "--pre", default="deepseek-v3", help="pre-tokenizer name written to the file"
    )
    parser.add_argument("--name", default="")
    args = parser.parse_args()
    state = {}
    for part in sorted(args.model.glob("*.safetensors")):
        state.update(load_file(part))
    vocabulary, template = args.model / "tokenizer.json", args.model / "chat_template.jinja"
    export(
        args.out, AutoConfig.from_pretrained(args.model), state, generation=args.generation,
        weight_type=args.type, name=args.name, pre=args.pre,
        tokenizer=Tokenizer.from_file(str(vocabulary)) if vocabulary.exists() else None,
        chat_template=template.read_text(encoding="utf-8") if template.exists() else None,
    )  # fmt: skip


if __name__ == "__main__":
    main()
