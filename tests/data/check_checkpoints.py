"""Every family as Hugging Face saves it, through paluku-cli: a check by hand.

    python check_checkpoints.py PALUKU_CLI [NAME...]

The weights of <name>.gguf are written to a temporary folder by save_pretrained (kimi-vl: those of
moonlight with the names and the nested configuration of a model that sees) and the logits that
paluku-cli computes from the folder are compared with <name>.logits, position by position. Prints
the NMSE of log probabilities and fails above 1e-6.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

import deepseek_gguf
import families
import make_golden as golden
from make_checkpoints import write_tokenizer

LIMIT = 1e-6
NAMES = [*families.all_families(golden.VOCAB), "kimi-vl", "v2-lite", "v2-236b", "v3"]


def save(name: str, folder: Path) -> str:
    """Writes the checkpoint; the name of the golden logits."""
    base = "moonlight" if name == "kimi-vl" else name
    spec = golden.all_specs()[base]
    state = deepseek_gguf.read_state_dict(golden.HERE / f"{base}.gguf")
    golden.make_model(spec.config, state, torch.float32).save_pretrained(folder)
    write_tokenizer(folder, spec.pre)
    settings = json.loads((folder / "config.json").read_text())
    if name == "plm":  # saved by the class that stands in for it
        settings["hidden_act"] = "relu2"
    if name == "kimi-vl":
        settings = dict(
            model_type="kimi_vl", architectures=["KimiVLForConditionalGeneration"],
            text_config=settings,
        )  # fmt: skip
        weights = load_file(folder / "model.safetensors")
        renamed = {f"language_model.{key}": value for key, value in weights.items()}
        renamed["vision_tower.patch_embed.proj.weight"] = torch.ones(2, 2)
        renamed["multi_modal_projector.linear_1.weight"] = torch.ones(2, 2)
        save_file(renamed, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(settings, indent=1) + "\n")
    return base


def logprobs(cli: str, folder: Path, ids: list[int]) -> np.ndarray:
    done = subprocess.run(
        [cli, "--json", "--data-dir", str(folder / "data"), "logits", str(folder), "--all",
         "--ids", ",".join(map(str, ids)), "--top", str(golden.VOCAB),
         "--backend", "reference", "--latent", "f32", "--context", str(len(ids))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise SystemExit(f"{folder.name}: {done.stderr.strip()}")
    out = np.zeros((len(ids), golden.VOCAB))
    for row, position in zip(out, json.loads(done.stdout)["positions"]):
        for choice in position["top"]:
            row[choice["id"]] = choice["logprob"]
    return out


def main() -> int:
    cli, *wanted = sys.argv[1:]
    worst = 0.0
    for name in wanted or NAMES:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / name
            folder.mkdir()
            base = save(name, folder)
            document = json.loads((golden.HERE / f"{base}.json").read_text(encoding="utf-8"))
            ids = document["runs"][0]["ids"]
            rows = np.fromfile(golden.HERE / document["logits"], "<f4").reshape(-1, golden.VOCAB)
            want = torch.log_softmax(torch.as_tensor(rows[: len(ids)]).double(), -1)
            error = golden.nmse(logprobs(cli, folder, ids), want)
        print(f"{name:16} NMSE {error:.2g}", flush=True)
        worst = max(worst, error)
    return 0 if worst <= LIMIT else 1


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main())
