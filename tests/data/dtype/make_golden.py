#!/usr/bin/env python3
"""Writes golden.h: hashes of what the gguf package decodes from pseudo-random blocks.

tests/engine/tensor/dtype_test.cpp makes the same bytes (splitmix64) and must decode them to the same bits.
Scales have the top exponent bit cleared, so that no value is infinite or NaN; F16 and BF16 run through all
65,536 patterns, with every NaN counted as 0x7fc00000. Also hashes of what it writes from values that
tests/engine/tensor/quantise_test.cpp makes too, and the errors of plain rounding to nearest where it writes nothing.

Usage: make_golden.py > golden.h   (needs gguf and numpy)
"""
import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType as T
from gguf.quants import _type_traits, dequantize, quantize

BLOCKS = 10000
# Type: the bytes of a block that hold the top exponent bit (64) of a scale.
QUANTISED = {
    "Q4_0": [1],
    "Q4_1": [1, 3],
    "Q5_0": [1],
    "Q5_1": [1, 3],
    "Q8_0": [1],
    "Q2_K": [81, 83],
    "Q3_K": [109],
    "Q4_K": [1, 3],
    "Q5_K": [1, 3],
    "Q6_K": [209],
    "IQ4_NL": [1],
    "IQ4_XS": [1],
    "IQ2_XXS": [1],
    "IQ2_XS": [1],
    "IQ2_S": [1],
    "IQ3_XXS": [1],
    "IQ3_S": [1],
    "IQ1_S": [1],
    "IQ1_M": [55],
    "MXFP4": [0],  # E8M0: below 2^65
    "NVFP4": [],
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
    size = GGML_QUANT_SIZES[getattr(T, name)][1]
    data = (splitmix64(getattr(T, name).value, BLOCKS * size) >> np.uint64(56)).astype(np.uint8)
    data = data.reshape(BLOCKS, size)
    for at in QUANTISED[name]:
        data[:, at] &= 0xBF
    return data.reshape(-1)


def values_to_write(heavy):
    """65,536 values in (-1, 1): nearly normal, as sums of four whole numbers; cubed, most are small and few large."""
    parts = (splitmix64(99, 4 * 65536) >> np.uint64(42)).astype(np.int64).reshape(-1, 4)
    x = ((parts.sum(-1) - (1 << 23)) * 2.0**-23).astype(np.float32)
    return x * x * x if heavy else x


def fnv1a_bytes(data):
    h = 0xCBF29CE484222325
    for byte in data.reshape(-1).view(np.uint8).tolist():
        h = ((h ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return h


def half(x):
    return x.astype(np.float16).astype(np.float32)


def nearest(v, low, high):
    return np.clip(np.rint(v), low, high)


def divide(a, b):
    return np.divide(a, b, out=np.zeros_like(a), where=b != 0)


def plain_affine(x, levels):
    """Q4_K, Q5_K: ranges from the least and greatest value, 6-bit scales from the largest of eight."""
    x = x.reshape(-1, 8, 32)
    low, high = np.minimum(x.min(-1), 0), np.maximum(x.max(-1), 0)
    scale, minimum = (high - low) / levels, -low
    d, dmin = half(scale.max(-1, keepdims=True) / 63), half(minimum.max(-1, keepdims=True) / 63)
    scale, minimum = d * nearest(divide(scale, d), 0, 63), dmin * nearest(divide(minimum, dmin), 0, 63)
    scale, minimum = scale[..., None], minimum[..., None]
    return scale * nearest(divide(x + minimum, scale + 0 * x), 0, levels) - minimum


def plain_symmetric(x, groups, lowest, code_low, codes):
    """Scales from the value of largest magnitude, rounded to whole multiples of the largest."""
    x = x.reshape(-1, groups, (256 if groups > 1 else 32) // groups)
    peak = np.take_along_axis(x, np.abs(x).argmax(-1)[..., None], -1)[..., 0]
    scale = peak / code_low
    if groups == 1:
        scale = half(scale)
    else:
        largest = np.take_along_axis(scale, np.abs(scale).argmax(-1)[..., None], -1)
        d = half(largest / lowest)
        scale = d * nearest(divide(scale, d), lowest, -lowest - 1)
    scale = scale[..., None]
    return scale * codes(divide(x, scale + 0 * x))


def iq4(v):
    table = np.array(_type_traits[T.IQ4_NL].kvalues, dtype=np.float32)
    return table[np.abs(v[..., None] - table).argmin(-1)]


# Plain rounding to nearest, the error that a search must not exceed.
PLAIN = {
    "Q4_K": lambda x: plain_affine(x, 15),
    "Q5_K": lambda x: plain_affine(x, 31),
    "Q6_K": lambda x: plain_symmetric(x, 16, -128, -32, lambda v: nearest(v, -32, 31)),
    "IQ4_NL": lambda x: plain_symmetric(x, 1, 0, -127, iq4),
    "IQ4_XS": lambda x: plain_symmetric(x, 8, -32, -127, iq4),
}


def print_written():
    print("struct GoldenWritten {\n  const char* type;\n  bool heavy;\n  unsigned long long hash;  // of the bytes\n};")
    print("inline constexpr GoldenWritten kGoldenWritten[] = {")
    for name in ("F16", "BF16", "Q8_0", "Q4_0", "Q5_0", "Q4_1", "Q5_1"):
        for heavy in (False, True):
            data = quantize(values_to_write(heavy), getattr(T, name))
            print('    {"%s", %s, 0x%016xull},' % (name, str(heavy).lower(), fnv1a_bytes(data)))
    print("};")
    print("struct PlainError {\n  const char* type;\n  bool heavy;\n  double nmse;\n};")
    print("inline constexpr PlainError kPlainErrors[] = {")
    for name, plain in PLAIN.items():
        for heavy in (False, True):
            x = values_to_write(heavy)
            error = x.astype(np.float64) - plain(x).reshape(-1)
            print('    {"%s", %s, %.6e},' % (name, str(heavy).lower(), (error**2).sum() / (x.astype(np.float64)**2).sum()))
    print("};")


def main():
    rows = []
    with np.errstate(all="ignore"):
        for name in QUANTISED:
            values = dequantize(blocks_of(name), getattr(T, name)).reshape(-1)
            assert np.isfinite(values).all()
            rows.append((name, QUANTISED[name], fnv1a(values), values[:3]))
        patterns = np.arange(65536, dtype=np.uint16)
        for name, values in (
            ("F16", patterns.view(np.float16).astype(np.float32)),
            ("BF16", (patterns.astype(np.uint32) << 16).view(np.float32)),
        ):
            rows.append((name, [], fnv1a(values), values[0x3C00:0x3C03]))
    print("// Made by make_golden.py with the gguf package; do not edit.\n// clang-format off")
    print("struct Golden {\n  const char* type;\n  int scale_bytes[2];  // with the top exponent bit cleared; -1: none")
    print("  unsigned long long hash;\n  float sample[3];\n};")
    print(f"inline constexpr int kGoldenBlocks = {BLOCKS};")
    print("inline constexpr Golden kGolden[] = {")
    for name, scales, digest, sample in rows:
        first, second = (scales + [-1, -1])[:2]
        print('    {"%s", {%d, %d}, 0x%016xull, {%s}},' % (name, first, second, digest, ", ".join("%.9ef" % v for v in sample)))
    print("};")
    print_written()
    print("// clang-format on")


if __name__ == "__main__":
    main()
