"""Writes a GGUF of random weights in the shape and type mix of a published model, to measure speed.

    python make_bench_model.py OUT.gguf [--shape v2-lite|small] [--mix Q4_K_M|Q8_0]
                               [--generation legacy|current] [--layers N]

v2-lite with Q4_K_M has the 377 tensors of a real file (F32 108, Q5_0 14, Q8_0 13, Q4_K 229,
Q6_K 13; 10.36 GB); `--layers` cuts it short. Every block is valid and decodes to Gaussian weights
of standard deviation 1/sqrt(row), so that activations stay finite; blocks repeat from a pool.
Needs numpy and gguf (tests/data/requirements.txt).
"""

import argparse
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType as Type, GGUFWriter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "data"))
import deepseek_gguf  # noqa: E402
import kquants  # noqa: E402

POOL_WEIGHTS = 1 << 21  # a pool of 2 Mi weights per type and row length
WRITE_BYTES = 64 << 20
BOS, EOS = 100000, 100001
YARN = dict(
    rope_type="yarn", rope_theta=10000.0, factor=40.0, original_max_position_embeddings=4096,
    beta_fast=32, beta_slow=1, mscale=0.707, mscale_all_dim=0.707,
)  # fmt: skip

V2_LITE = dict(
    num_hidden_layers=27, hidden_size=2048, intermediate_size=10944, moe_intermediate_size=1408,
    n_routed_experts=64, num_experts_per_tok=6,
    n_shared_experts=2, vocab_size=102400,
)  # fmt: skip
SMALL = dict(
    num_hidden_layers=8, hidden_size=512, intermediate_size=2048, moe_intermediate_size=512,
    n_routed_experts=16, num_experts_per_tok=4,
    n_shared_experts=2, vocab_size=102400,
)  # fmt: skip
COMMON = dict(
    model_type="deepseek_v2", num_attention_heads=16, q_lora_rank=None, kv_lora_rank=512,
    qk_nope_head_dim=128, qk_rope_head_dim=64, v_head_dim=128,
    first_k_dense_replace=1, n_group=1, topk_group=1, norm_topk_prob=False,
    routed_scaling_factor=1.0, rms_norm_eps=1e-6,
    max_position_embeddings=163840, rope_parameters=YARN,
)  # fmt: skip


def more_bits(layer: int, layers: int) -> bool:
    """The layers whose down projections llama-quantize's Q4_K_M widens."""
    return layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2


def tensor_shapes(c, generation: str) -> dict[str, tuple]:
    """GGUF name -> shape, slowest axis first."""
    d, heads, latent = c.hidden_size, c.num_attention_heads, c.kv_lora_rank
    nope, rope, v, expert = (
        c.qk_nope_head_dim,
        c.qk_rope_head_dim,
        c.v_head_dim,
        c.moe_intermediate_size,
    )
    shapes = {"token_embd.weight": (c.vocab_size, d)}
    for i in range(c.num_hidden_layers):
        layer = {
            "attn_norm": (d,), "attn_q": (heads * (nope + rope), d),
            "attn_kv_a_mqa": (latent + rope, d), "attn_kv_a_norm": (latent,),
            "attn_output": (d, heads * v), "ffn_norm": (d,),
        }  # fmt: skip
        if generation == "legacy":
            layer["attn_kv_b"] = (heads * (nope + v), latent)
        else:
            layer |= {"attn_k_b": (heads, latent, nope), "attn_v_b": (heads, v, latent)}
        if i < c.first_k_dense_replace:
            layer |= _swiglu_shapes("", d, c.intermediate_size)
        else:
            layer |= {"ffn_gate_inp": (c.n_routed_experts, d)}
            layer |= {
                name: (c.n_routed_experts, *shape)
                for name, shape in _swiglu_shapes("_exps", d, expert).items()
            }
            layer |= _swiglu_shapes("_shexp", d, expert * c.n_shared_experts)
        shapes |= {f"blk.{i}.{name}.weight": shape for name, shape in layer.items()}
    return shapes | {"output_norm.weight": (d,), "output.weight": (c.vocab_size, d)}


def _swiglu_shapes(suffix: str, hidden: int, width: int) -> dict[str, tuple]:
    return {
        f"ffn_gate{suffix}": (width, hidden),
        f"ffn_up{suffix}": (width, hidden),
        f"ffn_down{suffix}": (hidden, width),
    }


def type_overrides(mix: str, layers: int) -> dict[str, str]:
    if mix != "Q4_K_M":
        return {}
    return {"output.weight": "Q6_K"} | {
        f"blk.{i}.ffn_down*": "Q6_K" for i in range(layers) if more_bits(i, layers)
    }


class RandomBytes:
    """Bytes of random tensors, cut from one pool per type and row length at a place of their own."""

    def __init__(self, seed: int):
        self._rng = np.random.default_rng(seed)
        self._pools: dict[tuple, bytes] = {}

    def _pool(self, kind: Type, row: int) -> bytes:
        if (kind, row) not in self._pools:
            weights = self._rng.standard_normal(
                (max(POOL_WEIGHTS // row, 1), row), dtype=np.float32
            ) / np.sqrt(np.float32(row))
            self._pools[kind, row] = kquants.quantize(weights, kind).tobytes()
        return self._pools[kind, row]

    def write(self, out, kind: Type, shape: tuple, size: int) -> None:
        if len(shape) == 1:  # a norm
            out.write(np.exp(0.1 * self._rng.standard_normal(shape)).astype(np.float32).tobytes())
            return
        pool, block = self._pool(kind, shape[-1]), GGML_QUANT_SIZES[kind][1]
        first = block * int(self._rng.integers(len(pool) // block))
        tile = (pool[first:] + pool[:first]) * max(1, WRITE_BYTES // len(pool))
        for _ in range(size // len(tile)):
            out.write(tile)
        out.write(tile[: size % len(tile)])


def write_vocabulary(w: GGUFWriter, size: int) -> None:
    """All bytes, all pairs of small letters, BOS and EOS; the rest unused. Enough to tokenise any
    text.
    """
    byte_map = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters = [chr(c) for c in byte_map] + [chr(0x100 + i) for i in range(256 - len(byte_map))]
    small = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    merges = [f"{a} {b}" for a in small for b in small]
    known = letters + [m.replace(" ", "") for m in merges]
    tokens = known + [f"[unused{i}]" for i in range(len(known), size)]
    types = [deepseek_gguf.TOKEN_NORMAL] * len(known) + [deepseek_gguf.TOKEN_UNUSED] * (
        size - len(known)
    )
    for token_id, text in ((BOS, "<｜begin▁of▁sentence｜>"), (EOS, "<｜end▁of▁sentence｜>")):
        tokens[token_id], types[token_id] = text, deepseek_gguf.TOKEN_CONTROL
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("deepseek-llm")
    w.add_token_list(tokens)
    w.add_token_types(types)
    w.add_token_merges(merges)
    w.add_bos_token_id(BOS)
    w.add_eos_token_id(EOS)
    w.add_add_bos_token(True)


def write_model(path: Path, c, mix: str, generation: str, seed: int) -> None:
    w = GGUFWriter(str(path), "deepseek2")
    w.add_name(f"random weights, {mix}")
    w.add_file_type({"Q4_K_M": 15, "Q8_0": 7}[mix])
    w.add_quantization_version(2)
    deepseek_gguf.write_metadata(w, c, generation)
    write_vocabulary(w, c.vocab_size)
    base, overrides = Type["Q4_K" if mix == "Q4_K_M" else mix], type_overrides(
        mix, c.num_hidden_layers
    )
    tensors = []
    for name, shape in tensor_shapes(c, generation).items():
        kind = deepseek_gguf.tensor_type(name, shape, base, overrides)
        per_block, block_bytes = GGML_QUANT_SIZES[kind]
        size = int(np.prod(shape, dtype=np.int64)) // per_block * block_bytes
        row_bytes = shape[-1] // per_block * block_bytes
        is_f32 = kind == Type.F32
        w.add_tensor_info(
            name,
            shape if is_f32 else (*shape[:-1], row_bytes),
            np.dtype(np.float32 if is_f32 else np.uint8),
            size,
            raw_dtype=None if is_f32 else kind,
        )
        tensors.append((kind, shape, size))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_ti_data_to_file()
    out, source = w.fout[0], RandomBytes(seed)
    w.write_padding(out, out.tell())
    for kind, shape, size in tensors:
        source.write(out, kind, shape, size)
        w.write_padding(out, size)
    w.close()
    print(
        {
            kind.name: count
            for kind, count in sorted(Counter(kind for kind, _, _ in tensors).items())
        },
        f"{len(tensors)} tensors",
    )
    print(f"{path}: {path.stat().st_size / 1e9:.2f} GB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--shape", choices=["v2-lite", "small"], default="v2-lite")
    parser.add_argument(
        "--small", dest="shape", action="store_const", const="small", help="same as --shape small"
    )
    parser.add_argument("--mix", choices=["Q4_K_M", "Q8_0"], default="Q4_K_M")
    parser.add_argument("--generation", choices=["legacy", "current"], default="legacy")
    parser.add_argument("--layers", type=int, help="keep only the first layers")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    config = SimpleNamespace(**COMMON, **(V2_LITE if args.shape == "v2-lite" else SMALL))
    config.num_hidden_layers = args.layers or config.num_hidden_layers
    write_model(args.out, config, args.mix, args.generation, args.seed)


if __name__ == "__main__":
    main()
