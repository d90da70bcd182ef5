#!/usr/bin/env python3
"""Writes golden.h: hashes of what the gguf package decodes from pseudo-random blocks.

tests/engine/tensor/dtype_test.cpp makes the same bytes (splitmix64) and must decode them to the same bits.
Scales have the top exponent bit cleared, so that no value is infinite or NaN; F16 and BF16 run through all
65,536 patterns, with every NaN counted as 0x7fc00000.

Usage: make_golden.py > golden.h   (needs gguf and numpy)
"""
import numpy as np
from gguf import GGMLQuantizationType as T
from gguf.quants import dequantize

BLOCKS = 2048
# type: (bytes per block, offsets of binary16 scales)
QUANTISED = {
    "Q4_0": (18, [0]),
    "Q5_0": (22, [0]),
    "Q8_0": (34, [0]),
    "Q4_K": (144, [0, 2]),
    "Q5_K": (176, [0, 2]),
    "Q6_K": (210, [208]),
}


def splitmix64(seed, count):
    state = (np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    z = state
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def fnv1a(values):
    """64-bit FNV-1a over the 32-bit words of `values` (float32)."""
    bits = values.astype(np.float32).view(np.uint32).copy()
    bits[np.isnan(values)] = 0x7FC00000
    h = 0xCBF29CE484222325
    for word in bits.tolist():
        h = ((h ^ word) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return h


def blocks_of(name):
    size, scales = QUANTISED[name]
    data = (splitmix64(getattr(T, name).value, BLOCKS * size) >> np.uint64(56)).astype(np.uint8)
    data = data.reshape(BLOCKS, size)
    for at in scales:
        data[:, at + 1] &= 0xBF
    return data.reshape(-1)


def main():
    rows = []
    with np.errstate(all="ignore"):
        for name in QUANTISED:
            values = dequantize(blocks_of(name), getattr(T, name)).reshape(-1)
            assert np.isfinite(values).all()
            rows.append((name, fnv1a(values), values[:3]))
        patterns = np.arange(65536, dtype=np.uint16)
        for name, values in (
            ("F16", patterns.view(np.float16).astype(np.float32)),
            ("BF16", (patterns.astype(np.uint32) << 16).view(np.float32)),
        ):
            rows.append((name, fnv1a(values), values[0x3C00:0x3C03]))
    print("// Made by make_golden.py with the gguf package; do not edit.")
    print("struct Golden {\n  const char* type;\n  unsigned long long hash;\n  float sample[3];\n};")
    print(f"inline constexpr int kGoldenBlocks = {BLOCKS};")
    print("inline constexpr Golden kGolden[] = {")
    for name, digest, sample in rows:
        print('    {"%s", 0x%016xull, {%s}},' % (name, digest, ", ".join("%.9ef" % v for v in sample)))
    print("};")


if __name__ == "__main__":
    main()
