"""What paluku-cli convert writes, read by the gguf package: a check by hand.

    python check_converted.py PALUKU_CLI

Converts wide-q6_k.gguf to every type and prints, for each, the tensors by type and the error of their
values against the source's, both decoded by gguf. Fails when a tensor is missing or misshapen, or
when the error is more than a type of so many bits makes.
"""

import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from gguf import GGUFReader
from gguf.quants import dequantize

SOURCE = Path(__file__).parent / "wide-q6_k.gguf"
# NMSE of the weights, twice what rounding to so many bits costs.
LIMITS = {
    "F32": 0, "F16": 1e-6, "BF16": 1e-5, "Q8_0": 1e-4, "Q6_K": 1e-6, "Q5_K_M": 4e-3, "Q5_0": 4e-3,
    "Q4_K_M": 1.2e-2, "IQ4_XS": 1.2e-2, "Q4_0": 1.6e-2,
}  # fmt: skip


def weights(path: Path) -> dict[str, tuple[str, np.ndarray]]:
    return {
        t.name: (t.tensor_type.name, dequantize(t.data, t.tensor_type).astype(np.float64).ravel())
        for t in GGUFReader(str(path)).tensors
    }


def main() -> int:
    source, failed = weights(SOURCE), 0
    for kind, limit in LIMITS.items():
        with tempfile.TemporaryDirectory() as scratch:
            out = Path(scratch) / "out.gguf"
            subprocess.run(
                [sys.argv[1], "--data-dir", scratch, "convert", str(SOURCE), str(out), "--type", kind],
                check=True, capture_output=True,
            )  # fmt: skip
            made = weights(out)
        if made.keys() != source.keys():
            raise SystemExit(f"{kind}: not the source's tensors")
        error = sum(np.square(made[n][1] - source[n][1]).sum() for n in source)
        error /= sum(np.square(source[n][1]).sum() for n in source)
        print(f"{kind:8} NMSE {error:.2g}", dict(Counter(t for t, _ in made.values())), flush=True)
        failed += error > limit
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
