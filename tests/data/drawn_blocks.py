"""Blocks of types that nothing here quantises to, drawn from a seed.

A model of random weights needs no quantiser: what a file holds is what it computes with. The scales
are set so that the values are as large as those they stand for; gguf's decoder tells them.
"""

import math

import numpy as np
from gguf import GGML_QUANT_SIZES
from gguf import GGMLQuantizationType as Type
from gguf.quants import dequantize

ONE = np.float16(1)
# Where a block has its f16 scale, and where the f16 that is added, in units of the scale.
SCALES = {
    Type.Q4_1: (0, 2, -7.5), Type.Q5_1: (0, 2, -15.5), Type.Q2_K: (80, 82, 1.0),
    Type.Q3_K: (108, None, 0), Type.IQ4_NL: (0, None, 0), Type.IQ4_XS: (0, None, 0),
    Type.IQ2_XXS: (0, None, 0), Type.IQ2_XS: (0, None, 0), Type.IQ2_S: (0, None, 0),
    Type.IQ3_XXS: (0, None, 0), Type.IQ3_S: (0, None, 0), Type.IQ1_S: (0, None, 0),
}  # fmt: skip
KINDS = (*SCALES, Type.IQ1_M, Type.MXFP4, Type.NVFP4)


def _half(blocks: np.ndarray, at: int, value: float) -> None:
    blocks[:, at : at + 2] = np.array([value], np.float16).view(np.uint8)


def _set_scale(blocks: np.ndarray, kind: Type, scale: float) -> None:
    if kind in SCALES:
        at, added, factor = SCALES[kind]
        _half(blocks, at, scale)
        if added is not None:
            _half(blocks, added, factor * scale)
    elif kind == Type.IQ1_M:  # a nibble of the scale on top of each of four words
        bits = int(np.array([scale], np.float16).view(np.uint16)[0])
        for word in range(4):
            byte = blocks[:, 49 + 2 * word]
            blocks[:, 49 + 2 * word] = (byte & 0x0F) | (bits >> 4 * word & 0x0F) << 4
    elif kind == Type.MXFP4:  # a power of two
        blocks[:, 0] = 127 + round(math.log2(scale))
    else:  # NVFP4: four scales of three bits of mantissa
        blocks[:, :4] = (blocks[:, :4] & 7) | 7 + round(math.log2(scale)) << 3


def draw(values: np.ndarray, kind: Type, seed: int) -> np.ndarray:
    """values [..., row] -> bytes [..., bytes of a row] of blocks with values of the same deviation."""
    width, size = GGML_QUANT_SIZES[kind]
    count = values.size // width
    blocks = np.random.default_rng(seed).integers(0, 256, (count, size), np.uint8)
    _set_scale(blocks, kind, 1.0)
    _set_scale(blocks, kind, float(values.std()) / float(dequantize(blocks, kind).std()))
    return blocks.reshape(*values.shape[:-1], values.shape[-1] // width * size)
