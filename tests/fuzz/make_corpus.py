"""Writes the seeds of corpus/gguf, corpus/safetensors and corpus/jinja: small right inputs, and inputs
that are wrong in one place, many as in an advisory of a neighbour.

    python make_corpus.py        # from anywhere; needs numpy and gguf (tests/data/requirements.txt)

Only files called seed-* are written and removed; what fuzzers found lies beside them.
"""

import json
import struct
from pathlib import Path

import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import quantize

CORPUS = Path(__file__).resolve().parent / "corpus"
U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
PLAIN = {U8: "B", I8: "b", U16: "H", I16: "h", U32: "I", I32: "i", F32: "f", BOOL: "?",
         U64: "Q", I64: "q", F64: "d"}  # fmt: skip


def text(value) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(raw)) + raw


def value(kind: int, data) -> bytes:
    if kind == STRING:
        return text(data)
    if kind == ARRAY:
        of, items = data
        return struct.pack("<IQ", of, len(items)) + b"".join(value(of, i) for i in items)
    return struct.pack("<" + PLAIN[kind], data)


def gguf(entries: dict, tensors: dict, *, version=3, counts=None, data=bytes(1024)) -> bytes:
    """entries: key -> (kind, data) or raw bytes; tensors: name -> (dims fastest first, type, offset)."""
    out = b"GGUF" + struct.pack("<I", version)
    out += struct.pack("<QQ", *(counts or (len(tensors), len(entries))))
    for key, entry in entries.items():
        kind, content = entry
        out += text(key) + struct.pack("<I", kind)
        out += content if isinstance(content, bytes) and kind != STRING else value(kind, content)
    for name, (dims, kind, offset) in tensors.items():
        out += text(name) + struct.pack("<I", len(dims)) + struct.pack(f"<{len(dims)}Q", *dims)
        out += struct.pack("<IQ", kind, offset)
    if tensors:
        out += bytes(-len(out) % 32) + data
    return out


MODEL = {
    "general.architecture": (STRING, "deepseek2"),
    "general.file_type": (U32, 0),
    "deepseek2.block_count": (U32, 2),
    "deepseek2.context_length": (U32, 64),
    "deepseek2.embedding_length": (U32, 4),
    "deepseek2.feed_forward_length": (U32, 8),
    "deepseek2.attention.head_count": (U32, 2),
    "deepseek2.attention.head_count_kv": (U32, 1),
    "deepseek2.attention.kv_lora_rank": (U32, 4),
    "deepseek2.attention.key_length": (U32, 6),
    "deepseek2.attention.value_length": (U32, 4),
    "deepseek2.attention.key_length_mla": (U32, 4),
    "deepseek2.attention.value_length_mla": (U32, 4),
    "deepseek2.attention.layer_norm_rms_epsilon": (F32, 1e-6),
    "deepseek2.rope.dimension_count": (U32, 2),
    "deepseek2.rope.freq_base": (F32, 10000.0),
    "deepseek2.rope.scaling.type": (STRING, "yarn"),
    "deepseek2.rope.scaling.factor": (F32, 40.0),
    "deepseek2.rope.scaling.original_context_length": (U32, 32),
    "deepseek2.rope.scaling.yarn_log_multiplier": (F32, 0.1),
    "deepseek2.leading_dense_block_count": (U32, 1),
    "deepseek2.expert_count": (U32, 4),
    "deepseek2.expert_used_count": (U32, 2),
    "deepseek2.expert_group_count": (U32, 2),
    "deepseek2.expert_group_used_count": (U32, 1),
    "deepseek2.expert_feed_forward_length": (U32, 4),
    "deepseek2.expert_gating_func": (U32, 2),
}
VOCABULARY = {
    "tokenizer.ggml.model": (STRING, "gpt2"),
    "tokenizer.ggml.pre": (STRING, "deepseek-v3"),
    "tokenizer.ggml.tokens": (ARRAY, (STRING, ["<s>", "a", "b", "ab", "Ġa"])),
    "tokenizer.ggml.token_type": (ARRAY, (I32, [3, 1, 1, 1, 1])),
    "tokenizer.ggml.merges": (ARRAY, (STRING, ["a b", "Ġ a"])),
    "tokenizer.ggml.bos_token_id": (U32, 0),
    "tokenizer.ggml.eos_token_id": (U32, 0),
    "tokenizer.ggml.add_bos_token": (BOOL, True),
    "tokenizer.chat_template": (STRING, "{{ bos_token }}{% for m in messages %}x{% endfor %}"),
}
TURNS = (
    "{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>{{ m.content | trim }}{{ eos_token }}"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def byte_letters() -> list[str]:
    """GPT-2's letters for the 256 bytes."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = iter(range(0x100, 0x200))
    return [chr(b) if b in plain else chr(next(others)) for b in range(256)]


def tokenizer(tokens: list[str], types: list[int], **more) -> dict:
    out = {
        "general.architecture": (STRING, "llama"),
        "tokenizer.ggml.tokens": (ARRAY, (STRING, tokens)),
        "tokenizer.ggml.token_type": (ARRAY, (I32, types)),
    }
    return out | {f"tokenizer.ggml.{key}": entry for key, entry in more.items()}


def byte_level(pre="deepseek-v3") -> dict:
    """A vocabulary that a tokenizer can be made of."""
    tokens = byte_letters() + ["he", "Ġt", "Ġthe", "ü"] + ["<s>", "</s>", "<|user|>", "<think>", "</think>"]
    return tokenizer(
        tokens, [1] * 259 + [4] + [3] * 3 + [4] * 2, model=(STRING, "gpt2"), pre=(STRING, pre),
        merges=(ARRAY, (STRING, ["h e", "Ġ t", "Ġt he"])), bos_token_id=(U32, 260), eos_token_id=(U32, 261),
        eot_token_id=(U32, 262), padding_token_id=(U32, 2**32 - 1), add_bos_token=(BOOL, True),
    ) | {"tokenizer.chat_template": (STRING, TURNS)}  # fmt: skip


def sentence_piece(of_0x41="<0x41>") -> dict:
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" if b != 0x41 else of_0x41 for b in range(256)] + ["▁", "t", "he", "h", "e", "▁the"]
    return tokenizer(
        tokens, [2, 3, 3] + [6] * 256 + [1] * 6, model=(STRING, "llama"),
        scores=(ARRAY, (F32, [0.0] * 259 + [-1.0, -2.0, -3.0, -4.0, -5.0, -6.0])), add_space_prefix=(BOOL, True),
    ) | {"tokenizer.chat_template": (STRING, TURNS)}  # fmt: skip


def unigram(*, with_bytes: bool) -> dict:
    tokens = ["<unk>", "<s>", "</s>", "▁the", "▁", "t", "h", "e", "aa"]
    types = [2, 3, 3] + [1] * 6
    if with_bytes:
        tokens, types = tokens + [f"<0x{b:02X}>" for b in range(256)], types + [6] * 256
    return tokenizer(
        tokens, types, model=(STRING, "t5"), scores=(ARRAY, (F32, [-float(i) for i in range(len(tokens))])),
        unknown_token_id=(U32, 0),
    ) | {"tokenizer.chat_template": (STRING, TURNS)}  # fmt: skip


def flags(tokens: int) -> dict:
    """What converted files of our own say of a vocabulary."""
    return {
        "tokenizer.paluku.added_token_flags": (ARRAY, (U8, [i * 5 % 16 for i in range(tokens)])),
        "tokenizer.paluku.nfc": (BOOL, True),
        "tokenizer.paluku.space_prefix": (U32, 3),
        "tokenizer.paluku.normalizer_marks_spaces": (BOOL, False),
        "tokenizer.paluku.words_begin_at_spaces": (BOOL, True),
        "tokenizer.paluku.end_of_turn_ids": (ARRAY, (U32, [3, 4])),
    }


def family(architecture: str, **more) -> dict:
    """MODEL under another architecture."""
    out = {key.replace("deepseek2", architecture): entry for key, entry in MODEL.items()}
    out["general.architecture"] = (STRING, architecture)
    return out | {f"{architecture}.{key.replace('__', '.')}": entry for key, entry in more.items()}


TENSORS = {
    "token_embd.weight": ((4, 5), 0, 0),
    "blk.0.attn_q.weight": ((4, 8), 1, 96),
    "blk.1.exp_probs_b.bias": ((4,), 0, 160),
    "output.weight": ((32, 5), 8, 192),
}
BEHIND = 384  # where a tensor behind those may begin
LATENT_QUERY = {("blk.0.attn_q_a.weight" if "attn_q" in name else name): t for name, t in TENSORS.items()}
DENSE = {name: t for name, t in TENSORS.items() if "exp_probs" not in name} | {"output.weight": ((32, 5), 8, 160)}
HUGE = 2**64 - 1
BORDER = b"\n\x1f\n"  # between the files of a set or a folder


def split_set(parts: int, tensors: int | None = None, **more) -> bytes:
    """The tensors of a model over several files, of which the first has the metadata."""
    last = {"output.weight": ((32, 5), 8, 0)}  # 170 bytes
    others = {"odd": ((256,), 16, 0)}  # of a foreign type
    first = {name: t for name, t in TENSORS.items() if name not in last}
    shares = ([first, last] + [others] * parts)[:parts]
    total = sum(map(len, shares)) if tensors is None else tensors
    files = []
    for number, share in enumerate(shares):
        split = {"split.no": (U16, number), "split.count": (U16, parts), "split.tensors.count": (I32, total)} | more
        entries = MODEL | (VOCABULARY if tensors is None and not more else {})
        files.append(gguf((entries if number == 0 else {}) | split, share, data=bytes(256 if number else 1024)))
    return BORDER.join(files)



def attention_of(width: int, *, legacy: bool, sparse: bool) -> dict:
    """Shapes of an attention of two heads (nope 4, rope 2, value 4, latent 4), slowest dimension first."""
    shapes = {
        "attn_norm.weight": (width,), "attn_kv_a_mqa.weight": (6, width), "attn_kv_a_norm.weight": (4,),
        "attn_output.weight": (width, 8),
    }  # fmt: skip
    shapes |= {"attn_kv_b.weight": (16, 4)} if legacy else {"attn_k_b.weight": (2, 4, 4), "attn_v_b.weight": (2, 4, 4)}
    if not sparse:
        return shapes | {"attn_q.weight": (12, width)}
    return shapes | {
        "attn_q_a.weight": (4, width), "attn_q_a_norm.weight": (4,), "attn_q_b.weight": (12, 4),
        "indexer.attn_q_b.weight": (8, 4), "indexer.attn_k.weight": (4, width), "indexer.k_norm.weight": (4,),
        "indexer.k_norm.bias": (4,), "indexer.proj.weight": (2, width),
    }  # fmt: skip


def network_of(width: int, *, experts: bool, gate: bool) -> dict:
    if experts:
        return {"ffn_gate_inp.weight": (4, width), "exp_probs_b.bias": (4,), "ffn_gate_exps.weight": (4, 4, width),
                "ffn_up_exps.weight": (4, 4, width), "ffn_down_exps.weight": (4, width, 4)}  # fmt: skip
    return {"ffn_up.weight": (8, width), "ffn_down.weight": (width, 8)} | ({"ffn_gate.weight": (8, width)} if gate else {})


def complete(width: int, rows: GGMLQuantizationType, architecture="deepseek2", *, legacy=False, tied=False, **more) -> bytes:
    """A model that computes, `width` wide, of which every token of three attends to two where it is sparse."""
    sparse, experts = architecture == "deepseek32", architecture in ("deepseek2", "deepseek32") and not legacy
    shapes = {"token_embd.weight": (5, width), "output_norm.weight": (width,)} | ({} if tied else {"output.weight": (5, width)})
    for i in range(2):
        layer = attention_of(width, legacy=legacy, sparse=sparse) | {"ffn_norm.weight": (width,)}
        layer |= network_of(width, experts=experts and i == 1, gate=architecture != "plm")
        shapes |= {f"blk.{i}.{name}": shape for name, shape in layer.items()}
    rng, tensors, data = np.random.default_rng(width), {}, b""
    for name, shape in shapes.items():
        exact = len(shape) == 1 or "gate_inp" in name or shape[-1] % GGML_QUANT_SIZES[rows][0] != 0
        kind = GGMLQuantizationType.F32 if exact else rows
        tensors[name] = (shape[::-1], int(kind), len(data))
        data += quantize(rng.standard_normal(shape, dtype=np.float32), kind).tobytes()
        data += bytes(-len(data) % 32)
    more |= dict(embedding_length=(U32, width), attention__key_length_mla=(U32, 6))
    more |= {} if experts else dict(leading_dense_block_count=(U32, 2))
    more |= dict(attention__q_lora_rank=(U32, 4), attention__indexer__key_length=(U32, 4),
                 attention__indexer__head_count=(U32, 2), attention__indexer__top_k=(U32, 2)) if sparse else {}  # fmt: skip
    return gguf(family(architecture, **more), tensors, data=data)


def gguf_seeds() -> dict[str, bytes]:
    whole = MODEL | VOCABULARY

    def entry(key, kind, data, base=whole):
        return gguf(base | {key: (kind, data)}, TENSORS)

    def tensor(dims, kind=0, offset=0):
        return gguf(MODEL, TENSORS | {"token_embd.weight": (dims, kind, offset)})

    return {
        "model": gguf(whole, TENSORS),
        "computes": complete(8, GGMLQuantizationType.F32),
        "computes-f16": complete(8, GGMLQuantizationType.F16, legacy=True),
        "computes-q8_0": complete(32, GGMLQuantizationType.Q8_0, "minicpm3", tied=True),
        "computes-q4_0": complete(32, GGMLQuantizationType.Q4_0, "plm"),
        "computes-sparse": complete(8, GGMLQuantizationType.BF16, "deepseek32"),
        "computes-temperature": complete(8, GGMLQuantizationType.F32, "mistral4", attention__temperature_scale=(F32, 0.1),
                                         attention__temperature_length=(U32, 1)),
        "version-2": gguf(whole, TENSORS, version=2),
        "vocabulary": gguf({"general.architecture": (STRING, "llama")} | VOCABULARY, {}),
        "every-kind": gguf({f"k{k}": (k, 1) for k in PLAIN} | {"t": (STRING, "x")}, {}),
        "arrays": gguf({f"k{k}": (ARRAY, (k, [0, 1])) for k in PLAIN}, {}),
        "split": gguf(MODEL | {"split.no": (U16, 0), "split.count": (U16, 2),
                               "split.tensors.count": (I32, 4)}, TENSORS),
        "set": split_set(2),
        "set-foreign": split_set(3),
        "set-tensor-twice": BORDER.join([split_set(2).split(BORDER)[0]] * 2),
        "set-same-tensors": split_set(4),
        "set-count-wrong": split_set(2, tensors=5),
        "set-number-wrong": split_set(2, **{"split.no": (U16, 1)}),
        "set-of-texts": split_set(2, **{"split.no": (STRING, "0")}),
        "set-part-missing": split_set(2) + BORDER,
        "set-first-missing": BORDER + split_set(2),
        "next-token-layer": gguf(whole, TENSORS | {"blk.1.nextn.eh_proj.weight": ((8, 4), 0, BEHIND)}),
        "foreign-type": gguf(whole, TENSORS | {"odd": ((256, 2), 16, BEHIND)}),
        "byte-level": gguf(byte_level(), {}),
        "byte-level-llama3": gguf(byte_level("llama-bpe"), {}),
        "byte-level-kimi": gguf({k: v for k, v in byte_level("kimi-k2").items() if "merges" not in k}, {}),
        "byte-level-llm": gguf(byte_level("deepseek-llm"), {}),
        "byte-level-without-template": gguf({k: v for k, v in byte_level("deepseek-llm").items() if "template" not in k}, {}),
        "ends-wrong": gguf(byte_level() | {"tokenizer.paluku.end_of_turn_ids": (ARRAY, (U32, [999]))}, {}),
        "sentence-piece": gguf(sentence_piece(), {}),
        "unigram": gguf(unigram(with_bytes=False), {}),
        "unigram-bytes": gguf(unigram(with_bytes=True), {}),
        "unigram-typed-unknown": gguf({k: v for k, v in unigram(with_bytes=False).items() if "unknown_token" not in k}, {}),
        "unigram-charsmap": gguf(unigram(with_bytes=True) | {"tokenizer.ggml.precompiled_charsmap": (ARRAY, (U8, [1]))}, {}),
        "unigram-drops-spaces": gguf(unigram(with_bytes=True) | {"tokenizer.ggml.remove_extra_whitespaces": (BOOL, True)}, {}),
        "flags-wrong": gguf(byte_level() | flags(9), {}),
        "flags": gguf(byte_level() | flags(265), {}),
        "flags-of-pieces": gguf(unigram(with_bytes=False) | flags(9), {}),
        "issue-27226-byte-name": gguf(sentence_piece("<0x-1>"), {}),
        "sparse": gguf(family("deepseek32", attention__q_lora_rank=(U32, 4), attention__indexer__key_length=(U32, 4),
                              attention__indexer__head_count=(U32, 2), attention__indexer__top_k=(U32, 8)), LATENT_QUERY),
        "sparse-narrow": gguf(family("deepseek32", attention__q_lora_rank=(U32, 4), attention__indexer__key_length=(U32, 1),
                                     attention__indexer__head_count=(U32, 2), attention__indexer__top_k=(U32, 8)),
                              LATENT_QUERY),
        "groups-of-a-known-model": gguf({key: (U32, 160) if key.endswith("expert_count") else entry
                                         for key, entry in MODEL.items() if "group" not in key}, TENSORS),
        "temperature-elsewhere": gguf(family("plm", attention__temperature_scale=(F32, 0.1)), TENSORS),
        "temperature": gguf(family("mistral4", attention__temperature_scale=(F32, 0.1),
                                   attention__temperature_length=(U32, 32)), TENSORS),
        "long-rope": gguf(family("minicpm3", rope__scaling__type=(STRING, "longrope")),
                          TENSORS | {"rope_factors_long.weight": ((1,), 0, BEHIND),
                                     "rope_factors_short.weight": ((1,), 0, BEHIND + 32)}, data=b"\0\0\x80?" * 256),
        "dense": gguf(family("plm", leading_dense_block_count=(U32, 2)), DENSE),
        "name-steers-terminal": entry("general.name", STRING, "\x1b]0;x\x07\n\u202e" + "x" * 600),
        "family-steers-terminal": entry("general.architecture", STRING, b"\xff\x1b[2J" + b"x" * 600),
        # Advisories; the numbers are those of reference lists.
        "cve-2024-21825-array-wraps": entry("a", ARRAY, struct.pack("<IQ", U64, HUGE // 8 + 2)),
        "cve-2024-23496-text-wraps": entry("a", STRING + 0, "x") + struct.pack("<Q", HUGE),
        "cve-2024-21802-rank": tensor((1,) * 5),
        "cve-2024-21836-tensors-wrap": gguf(MODEL, TENSORS, counts=(HUGE // 88 + 1, len(MODEL))),
        "cve-2024-23605-entries-wrap": gguf(MODEL, TENSORS, counts=(1, HUGE // 48 + 1)),
        "cve-2025-53630-sizes-wrap": tensor((2**31, 2**31, 2, 2)),
        "cve-2026-33298-bytes-wrap": tensor((2**31, 2**31, 8), 8),
        "ghsa-g4cc-special-id": entry("tokenizer.ggml.eos_token_id", U32, 100_000),
        "issue-26690-tokens-of-numbers": entry("tokenizer.ggml.tokens", ARRAY, (I32, [1, 2, 3])),
        "issue-25821-layers": entry("deepseek2.block_count", U32, 2_000_000),
        "issue-26318-alignment": entry("general.alignment", U32, 0),
        "issue-26318-alignment-text": entry("general.alignment", STRING, "32"),
    }  # fmt: skip


def safetensors(table, weights=0) -> bytes:
    raw = table if isinstance(table, bytes) else json.dumps(table).encode()
    return struct.pack("<Q", len(raw)) + raw + bytes(weights)


CONFIG = dict(
    architectures=["DeepseekV3ForCausalLM"], model_type="deepseek_v3", hidden_size=8,
    intermediate_size=16, moe_intermediate_size=4, num_hidden_layers=2, vocab_size=5,
    max_position_embeddings=64, num_attention_heads=2, kv_lora_rank=4, q_lora_rank=4,
    qk_nope_head_dim=2, qk_rope_head_dim=2, v_head_dim=4, n_routed_experts=4,
    num_experts_per_tok=2, n_shared_experts=1, n_group=2, topk_group=1, first_k_dense_replace=1,
    norm_topk_prob=True, routed_scaling_factor=2.5, scoring_func="sigmoid",
    topk_method="noaux_tc", rms_norm_eps=1e-6, rope_theta=10000,
)  # fmt: skip


def shard(tensors: dict) -> bytes:
    """tensors: name -> (type, shape), one behind the other."""
    table, end = {}, 0
    for name, (kind, shape) in tensors.items():
        size = {"F32": 4, "F8_E4M3": 1, "U8": 1}.get(kind, 2)
        for dim in shape:
            size *= dim
        table[name] = dict(dtype=kind, shape=shape, data_offsets=[end, end + size])
        end += size
    return safetensors(table, end)


def complete_checkpoint() -> bytes:
    """A checkpoint that computes, with experts of FP8 in its second layer."""
    tensors = {"model.embed_tokens.weight": ("BF16", [5, 8]), "model.norm.weight": ("BF16", [8]), "lm_head.weight": ("F16", [5, 8])}
    for i in range(2):
        layer = {
            "input_layernorm": [8], "post_attention_layernorm": [8], "self_attn.q_a_proj": [4, 8], "self_attn.q_a_layernorm": [4],
            "self_attn.q_b_proj": [8, 4], "self_attn.kv_a_proj_with_mqa": [6, 8], "self_attn.kv_a_layernorm": [4],
            "self_attn.kv_b_proj": [12, 4], "self_attn.o_proj": [8, 8],
        }  # fmt: skip
        network = {"gate_proj": [4, 8], "up_proj": [4, 8], "down_proj": [8, 4]}
        if i == 0:
            layer |= {"mlp.gate_proj": [16, 8], "mlp.up_proj": [16, 8], "mlp.down_proj": [8, 16]}
        else:
            layer |= {"mlp.gate": [4, 8]} | {f"mlp.shared_experts.{name}": shape for name, shape in network.items()}
            tensors["model.layers.1.mlp.gate.e_score_correction_bias"] = ("F32", [4])
            for name, shape in ((f"model.layers.1.mlp.experts.{e}.{n}.weight", s) for e in range(4) for n, s in network.items()):
                tensors |= {name: ("F8_E4M3", shape), name + "_scale_inv": ("F32", [1, 1])}
        tensors |= {f"model.layers.{i}.{name}.weight": ("F32", shape) for name, shape in layer.items()}
    return BORDER.join([json.dumps(CONFIG).encode(), shard(tensors)])


def checkpoints() -> dict[str, bytes]:
    """Whole directories: config.json, model.safetensors, the index, b.safetensors, tokenizer.json and its neighbours."""
    layer = "model.layers.{}."
    scaled = {"model.embed_tokens.weight": ("BF16", [5, 8]), "lm_head.weight": ("F16", [5, 8])}
    for i in (0, 1, 2):
        scaled[layer.format(i) + "self_attn.q_a_proj.weight"] = ("F8_E4M3", [4, 8])
        scaled[layer.format(i) + "self_attn.q_a_proj.weight_scale_inv"] = ("F32", [1, 1])
    for expert in range(4):
        scaled[layer.format(1) + f"mlp.experts.{expert}.up_proj.weight"] = ("F8_E4M3", [4, 8])
        scaled[layer.format(1) + f"mlp.experts.{expert}.up_proj.weight_scale_inv"] = ("F32", [1, 1])
    scaled[layer.format(2) + "eh_proj.weight"] = ("BF16", [8, 16])  # a layer for multi-token prediction
    stacked = {"model.norm.weight": ("F32", [8]), "vision_tower.x": ("F32", [1]),
               layer.format(1) + "mlp.experts.down_proj": ("BF16", [4, 8, 4])}  # fmt: skip
    parts = [json.dumps(CONFIG | dict(tie_word_embeddings=True)).encode(), shard(scaled)]
    index = {name: "model.safetensors" for name in scaled} | {name: "b.safetensors" for name in stacked}
    whole = [*parts, json.dumps(dict(weight_map=index)).encode(), shard(stacked)]
    outside = json.dumps(dict(weight_map={"x": "../b.safetensors"})).encode()
    other = json.dumps(dict(architectures=["LlamaForCausalLM"])).encode()
    letters = dict(zip(byte_letters(), range(256)))
    added = [{"id": 256 + i, "content": c, "special": True} for i, c in enumerate(["<s>", "</s>"])]
    bytes_json = dict(
        added_tokens=added, pre_tokenizer=dict(type="ByteLevel", add_prefix_space=False, use_regex=True),
        model=dict(type="BPE", vocab=letters | {"he": 258}, merges=["h e"]))
    pieces = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)] + ["▁", "h", "e", "he"]
    pieces_json = dict(
        added_tokens=[dict(id=1, content="<s>", special=True)],
        pre_tokenizer=dict(type="Metaspace", replacement="▁", prepend_scheme="always", split=False),
        model=dict(type="BPE", byte_fallback=True, vocab={p: i for i, p in enumerate(pieces)}, merges=[["h", "e"]]))
    extras = dict(bos_token="<s>", eos_token=dict(content="</s>"), pad_token=None, add_bos_token=True, chat_template=TURNS)

    flagged = bytes_json | dict(added_tokens=[*added, dict(id=259, content="x", lstrip=True, normalized=True)])
    ends = dict(eos_token_id=[257, 256])

    def with_tokenizer(tokenizer_json, config, generation=None):
        weights = {"model.norm.weight": ("F32", [8]), "model.embed_tokens.weight": ("BF16", [300, 8])}
        files = [json.dumps(CONFIG | dict(vocab_size=300)), shard(weights), "", ""]
        files += [json.dumps(tokenizer_json, ensure_ascii=False), json.dumps(config)]
        files += [json.dumps(generation)] if generation else []
        return BORDER.join(f if isinstance(f, bytes) else f.encode() for f in files)

    return {
        "checkpoint-computes": complete_checkpoint(),
        "checkpoint": BORDER.join(parts),
        "checkpoint-shards": BORDER.join(whole),
        "checkpoint-tokenizer": with_tokenizer(bytes_json, extras),
        "checkpoint-flags": with_tokenizer(flagged, extras, ends),
        "checkpoint-pieces": with_tokenizer(pieces_json, extras),
        "checkpoint-unigram": with_tokenizer(dict(model=dict(type="Unigram\x1b[2J")), {}),
        "checkpoint-index-leads-out": BORDER.join([*parts, outside]),
        "checkpoint-shard-twice": BORDER.join([*whole[:3], shard(scaled)]),
        "checkpoint-unknown-tensor": BORDER.join([parts[0], shard({"x": ("F32", [2])})]),
        "checkpoint-other-family": BORDER.join([other, shard({"x": ("U8", [2]), "y": ("F32", [2, 2, 2, 2, 2])})]),
        "checkpoint-expert-missing": BORDER.join([parts[0], shard(
            {layer.format(1) + "mlp.experts.1.up_proj.weight": ("BF16", [4, 8])})]),
    }


def safetensors_seeds() -> dict[str, bytes]:
    def table(**tensors):
        return {k: dict(dtype=d, shape=s, data_offsets=o) for k, (d, s, o) in tensors.items()}

    name = "model.layers.0.mlp.experts.0.up_proj.weight"
    two = table(**{name: ("F8_E4M3", [2, 4], [0, 8]),
                   name + "_scale_inv": ("F32", [1, 1], [8, 12])})  # fmt: skip
    yarn = dict(type="yarn", factor=40, mscale=1.0, mscale_all_dim=1.0, beta_fast=32, beta_slow=1,
                original_max_position_embeddings=32)  # fmt: skip
    long = dict(rope_type="longrope", long_factor=[1.0], short_factor=[1.5], rope_theta=1e4)
    return {
        "two": safetensors(two, 12),
        "metadata": safetensors({"__metadata__": {"format": "pt"}} | two, 12),
        "number": safetensors(table(one=("I64", [], [0, 8])), 8),
        "empty": safetensors({}),
        "overlap": safetensors(table(a=("F32", [2], [0, 8]), b=("F32", [2], [4, 12])), 12),
        "gap": safetensors(table(a=("F32", [2], [4, 12])), 12),
        "wraps": safetensors(table(a=("F32", [2**31, 2**31, 4], [0, 16])), 16),
        "beyond": safetensors(table(a=("F32", [4], [0, 2**60])), 16),
        "header-length": struct.pack("<Q", 2**63) + b"{}",
        "deep": safetensors(b'{"a":' + b"[" * 500),
        "name-twice": safetensors(
            b'{"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},'
            b'"a":{"dtype":"I8","shape":[1],"data_offsets":[1,2]}}', 2),
        **checkpoints(),
        "dtype-steers-terminal": safetensors(table(a=("\x1b[2J", [4], [0, 4])), 4),
        "config": json.dumps(CONFIG).encode(),
        "config-yarn": json.dumps(CONFIG | dict(rope_scaling=yarn)).encode(),
        "config-kinds": json.dumps(
            CONFIG | dict(mlp_layer_types=["dense", "sparse"], rope_parameters=yarn)).encode(),
        "config-long": json.dumps(
            CONFIG | dict(model_type="minicpm3", rope_parameters=long)).encode(),
        "config-sparse": json.dumps(
            CONFIG | dict(model_type="deepseek_v32", index_n_heads=2, index_head_dim=4, index_topk=8)).encode(),
        "config-temperature": json.dumps(
            CONFIG | dict(model_type="mistral4", rope_parameters=yarn | dict(llama_4_scaling_beta=0.1))).encode(),
        "config-text": json.dumps(
            dict(architectures=["KimiVLForConditionalGeneration"], text_config=CONFIG)).encode(),
        "config-unknown": json.dumps(dict(architectures=["LlamaForCausalLM"])).encode(),
    }  # fmt: skip


JINJA = {
    "power": "{{ 2.5 ** 3 }}{{ 2 ** 0.5 }}{{ 2 ** -1 }}",
    "repeat": "{{ [1, 'a'] * 3 }}{{ 3 * s }}{{ ('x',) * 2 }}{{ [] * 9 }}",
    "repeat-too-long": "{{ s * 99999999 }}",
    "text-too-long": "{% set ns = namespace(t=s) %}{% for i in range(99) %}{% set ns.t = ns.t + ns.t %}{% endfor %}",
    "in-dict": "{{ 'role' in messages[0] }}{{ 1 in {1: 2} }}{{ [] in messages }}",
    "equal": "{{ {'a': 1, 'b': [2]} == {'b': [2], 'a': 1} }}{{ {'a': 1} == {'b': 1} }}{% set n = namespace(x=1) %}"
             "{{ n == n }}{% macro m() %}{% endmacro %}{{ m == m }}",
    "order": "{{ [[2, 1], [1, 2], [1]] | sort }}{{ [1, 2] < [1, 3] }}",
    "list-as-key": "{{ {[1]: 2} }}",
    "dict-of": "{{ dict([('a', 1), ['b', 2]]) }}{{ dict({'x': 1}, y=2) }}{{ dict([1]) }}",
    "sort-by-several": "{{ messages | sort(attribute='role,content') }}",
    "int-of": "{{ 2.7 | int }}{{ '2.5' | int }}{{ true | int }}{{ 'x' | int(9) }}{{ '1e3' | int }}{{ 1e300 | int }}",
    "unclosed": "{{ 'a' {% if x %}",
    "ends-in-a-tag": "{% for m in messages if",
    "calls-itself": "{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}",
}  # fmt: skip


def main() -> None:
    jinja = {name: source.encode() for name, source in JINJA.items()}
    for kind, seeds in (("gguf", gguf_seeds()), ("safetensors", safetensors_seeds()), ("jinja", jinja)):
        folder = CORPUS / kind
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("seed-*"):
            old.unlink()
        for name, data in seeds.items():
            (folder / f"seed-{name}").write_bytes(data)
        print(kind, len(seeds), "seeds,", sum(map(len, seeds.values())), "bytes")


if __name__ == "__main__":
    main()
