"""Writes Hugging Face checkpoints (directories of safetensors) with golden logits.

    python make_checkpoints.py          # after make_golden.py; a minute

checkpoints/v3: the weights of v3.gguf in F32, in shards with an index.json; logits of v3.
checkpoints/v2-bf16: those of narrow-bf16.gguf in BF16, norms and router too, one file.
checkpoints/v3-fp8: weights of their own in F8_E4M3 with weight_scale_inv per 128 x 128 block, as
DeepSeek publishes V3, rows and columns that fill no block among them.
The last two have logits of their own: of Hugging Face in float64 on the weights as bfloat16, which
is what DeepSeek's own fp8_cast_bf16.py makes of F8_E4M3. All are written by save_pretrained or the safetensors package, and read back by them.
"""

import json
import shutil

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import DeepseekV3Config

import deepseek_gguf
import make_golden as golden

OUT = golden.HERE / "checkpoints"
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{% if message.role == 'user' %}"
    "{{ '<｜User｜>' + message.content }}{% else %}"
    "{{ '<｜Assistant｜>' + message.content + eos_token }}{% endif %}{% endfor %}"
)
F8_MOST, BLOCK = 448.0, 128
# What DeepSeek leaves in BF16 or F32: embeddings, head, norms, router.
NOT_F8 = ("embed_tokens", "lm_head", "norm", "mlp.gate.", "bias")


def write_tokenizer(directory, pre: str) -> None:
    golden.tiny_tokenizer(pre).save(str(directory / "tokenizer.json"))
    text = dict(
        bos_token=golden.BOS, eos_token=golden.EOS, pad_token=golden.EOS,
        add_bos_token=True, chat_template=TEMPLATE,
    )  # fmt: skip
    (directory / "tokenizer_config.json").write_text(
        json.dumps(text, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )


def fresh(name: str):
    directory = OUT / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def write_record(name: str, like: dict, logits: str, **changes) -> None:
    document = like | dict(name=name, files=[f"checkpoints/{name}"], logits=logits) | changes
    document.pop("tensor_types", None)
    text = golden._short_arrays(json.dumps(document, ensure_ascii=False, indent=1))
    (OUT / f"{name}.json").write_text(text, encoding="utf-8")


def write_own_logits(name: str, spec, state: dict) -> None:
    """Logits on `state` (torch, stacked experts), which is what the checkpoint holds."""
    plain = {k: v.numpy() for k, v in state.items()}
    double = golden.make_model(spec.config, state, torch.float64)
    single = golden.make_model(spec.config, state, torch.float32)
    prompt = golden.choose_prompt(spec, plain, double)
    record, logits = golden.run_record(
        spec, plain, double, single, prompt["ids"], list(range(spec.prompt))
    )
    logits.numpy().astype("<f4").tofile(OUT / f"{name}.logits")
    runs = [dict(name="prompt", first_row=0, **record)]
    write_record(name, dict(vocab=golden.VOCAB, runs=runs), f"checkpoints/{name}.logits")


def copy_v3(name: str) -> None:
    spec = golden.all_specs()["v3"]
    state = deepseek_gguf.read_state_dict(golden.HERE / "v3.gguf")
    directory = fresh(name)
    golden.make_model(spec.config, state, torch.float32).save_pretrained(
        directory, max_shard_size="200KB"
    )
    write_tokenizer(directory, spec.pre)
    like = json.loads((golden.HERE / "v3.json").read_text(encoding="utf-8"))
    like["runs"] = [run for run in like["runs"] if run["name"] == "prompt"]
    write_record(name, like, "v3.logits")


def bf16(name: str) -> None:
    spec = golden.all_specs()["narrow-bf16"]
    state = deepseek_gguf.read_state_dict(golden.HERE / "narrow-bf16.gguf")
    directory = fresh(name)
    golden.make_model(spec.config, state, torch.bfloat16).save_pretrained(directory)
    write_tokenizer(directory, spec.pre)
    rounded = {k: torch.as_tensor(v).to(torch.bfloat16).float() for k, v in state.items()}
    write_own_logits(name, spec, rounded)


def blocks(matrix: torch.Tensor) -> torch.Tensor:
    """The largest magnitude of each block."""
    rows, columns = (-(-n // BLOCK) for n in matrix.shape)
    padded = torch.zeros(rows * BLOCK, columns * BLOCK)
    padded[: matrix.shape[0], : matrix.shape[1]] = matrix.abs()
    return padded.reshape(rows, BLOCK, columns, BLOCK).amax((1, 3))


def spread(scales: torch.Tensor, shape) -> torch.Tensor:
    return scales.repeat_interleave(BLOCK, 0).repeat_interleave(BLOCK, 1)[: shape[0], : shape[1]]


def fp8(name: str) -> None:
    config = DeepseekV3Config(
        **golden.COMMON, hidden_size=160, intermediate_size=192, moe_intermediate_size=136,
        num_hidden_layers=2, first_k_dense_replace=1, n_routed_experts=4, num_experts_per_tok=2,
        n_shared_experts=1, n_group=1, topk_group=1, norm_topk_prob=True,
        routed_scaling_factor=2.5, kv_lora_rank=96, q_lora_rank=64, qk_nope_head_dim=32,
        qk_rope_head_dim=16, v_head_dim=32, rope_parameters=golden.yarn(1.0), num_mtp_layers=0,
    )  # fmt: skip
    spec = golden.Spec(config, 107, "deepseek-v3", prompt=32, full=False)
    directory = fresh(name)
    golden.make_model(
        config, golden.seeded_state(golden.DeepseekV3ForCausalLM(config), 107), torch.float32
    ).save_pretrained(directory)
    stored, plain = {}, {}
    for key, value in sorted(load_file(directory / "model.safetensors").items()):
        if any(part in key for part in NOT_F8):
            keep = torch.float32 if "bias" in key or "mlp.gate." in key else torch.bfloat16
            stored[key] = value.to(keep)
            plain[key] = stored[key].float()
            continue
        scale = (blocks(value) / F8_MOST).clamp_min(1e-12)
        stored[key] = (value / spread(scale, value.shape)).to(torch.float8_e4m3fn)
        stored[key + "_scale_inv"] = scale
        exact = stored[key].float() * spread(scale, value.shape)
        plain[key] = exact.to(torch.bfloat16).float()
    save_file(stored, directory / "model.safetensors", metadata={"format": "pt"})
    settings = json.loads((directory / "config.json").read_text())
    settings["quantization_config"] = dict(
        activation_scheme="dynamic", fmt="e4m3", quant_method="fp8", weight_block_size=[BLOCK] * 2
    )
    (directory / "config.json").write_text(json.dumps(settings, indent=2) + "\n")
    write_tokenizer(directory, spec.pre)

    write_own_logits(name, spec, fused_experts(plain))


def fused_experts(state: dict) -> dict:
    """One tensor per expert -> the stacked ones of transformers 5."""
    out, stacks = {}, {}
    for key, value in state.items():
        layer = deepseek_gguf.LAYER.fullmatch(key)
        expert = deepseek_gguf.EXPERT.fullmatch(layer[2]) if layer else None
        if not expert:
            out[key] = value
            continue
        stacks.setdefault(f"model.layers.{layer[1]}.mlp.experts.", {})[
            int(expert[1]), expert[2]
        ] = value
    for base, parts in stacks.items():
        count = 1 + max(e for e, _ in parts)
        out[base + "gate_up_proj"] = torch.stack(
            [torch.cat([parts[e, "gate"], parts[e, "up"]]) for e in range(count)]
        )
        out[base + "down_proj"] = torch.stack([parts[e, "down"] for e in range(count)])
    return out


if __name__ == "__main__":
    torch.set_num_threads(1)
    copy_v3("v3")
    bf16("v2-bf16")
    fp8("v3-fp8")
    for path in sorted(OUT.rglob("*")):
        print(path.relative_to(OUT), np.format_float_positional(path.stat().st_size / 1e3), "kB")
