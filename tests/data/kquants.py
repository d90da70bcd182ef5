"""Block quantisers of GGUF weights, in numpy.

The `gguf` package packs the 32-wide types but only decodes the 256-wide ones (Q4_K, Q5_K, Q6_K);
this module packs those too, plainly: nearest value on a min/max grid, no search and no importance
weights. Layouts as in the GGUF format (256 weights a block, fp16 scales, 6-bit or int8 sub-scales).
`python kquants.py` packs random rows and checks them with gguf's own decoder.
"""

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import quants

BLOCK = 256


def _rounded_f16(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float16).astype(np.float32)


def _ratio(x: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """x / scale where scale is not 0, else 0."""
    return np.divide(
        x,
        scale,
        out=np.zeros(np.broadcast_shapes(x.shape, scale.shape), np.float32),
        where=scale != 0,
    )


def _affine_grid(w: np.ndarray, levels: int):
    """w [blocks, 8, 32] -> d, dmin [blocks, 1] (fp16 values), 6-bit scales and mins [blocks, 8],
    codes [blocks, 8, 32] in 0..levels.
    """
    low = np.minimum(w.min(axis=2), 0.0)
    scale = (np.maximum(w.max(axis=2), 0.0) - low) / levels
    d = _rounded_f16(scale.max(axis=1, keepdims=True) / 63)
    dmin = _rounded_f16((-low).max(axis=1, keepdims=True) / 63)
    sub_scale = np.clip(np.rint(_ratio(scale, d)), 0, 63)
    sub_min = np.clip(np.rint(_ratio(-low, dmin)), 0, 63)
    step = (d * sub_scale)[..., None]
    codes = np.clip(np.rint(_ratio(w + (dmin * sub_min)[..., None], step)), 0, levels)
    return d, dmin, sub_scale.astype(np.uint8), sub_min.astype(np.uint8), codes.astype(np.uint8)


def _pack_scales(scale: np.ndarray, minimum: np.ndarray) -> np.ndarray:
    """Eight 6-bit scales and eight 6-bit mins -> 12 bytes: the first four whole, the last four
    split into nibbles and top bits.
    """
    first = scale[:, :4] | ((scale[:, 4:] >> 4) << 6)
    second = minimum[:, :4] | ((minimum[:, 4:] >> 4) << 6)
    third = (scale[:, 4:] & 15) | ((minimum[:, 4:] & 15) << 4)
    return np.concatenate([first, second, third], axis=1)


def _f16_bytes(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float16).view(np.uint8).reshape(x.shape[0], -1)


def _pairs_of_nibbles(codes: np.ndarray) -> np.ndarray:
    """codes [blocks, 8, 32] -> 128 bytes: of each 64 weights the first 32 are the low nibbles, the
    next 32 the high ones.
    """
    pair = codes.reshape(-1, 4, 2, 32)
    return ((pair[:, :, 0] & 15) | ((pair[:, :, 1] & 15) << 4)).reshape(-1, 128)


def pack_q4_k(w: np.ndarray) -> np.ndarray:
    """w [blocks, 256] float32 -> [blocks, 144] bytes."""
    d, dmin, scale, minimum, codes = _affine_grid(w.reshape(-1, 8, 32), 15)
    return np.concatenate(
        [_f16_bytes(d), _f16_bytes(dmin), _pack_scales(scale, minimum), _pairs_of_nibbles(codes)],
        axis=1,
    )


def pack_q5_k(w: np.ndarray) -> np.ndarray:
    """w [blocks, 256] float32 -> [blocks, 176] bytes. Bit g of high byte j is the fifth bit of
    weight 32 g + j.
    """
    d, dmin, scale, minimum, codes = _affine_grid(w.reshape(-1, 8, 32), 31)
    group = np.arange(8, dtype=np.uint8).reshape(1, 8, 1)
    high = np.bitwise_or.reduce((codes >> 4) << group, axis=1)
    return np.concatenate(
        [
            _f16_bytes(d),
            _f16_bytes(dmin),
            _pack_scales(scale, minimum),
            high,
            _pairs_of_nibbles(codes),
        ],
        axis=1,
    )


def pack_q6_k(w: np.ndarray) -> np.ndarray:
    """w [blocks, 256] float32 -> [blocks, 210] bytes."""
    sub = w.reshape(-1, 16, 16)
    scale = np.abs(sub).max(axis=2) / 31
    d = _rounded_f16(scale.max(axis=1, keepdims=True) / 127)
    sub_scale = np.clip(np.rint(_ratio(scale, d)), 0, 127)
    codes = np.clip(np.rint(_ratio(sub, (d * sub_scale)[..., None])), -32, 31) + 32
    # [blocks, 2 halves, 4 planes, 32]: planes 0 and 2 share the first 32 low bytes, 1 and 3 the
    # next 32; one high byte holds all four.
    plane = codes.astype(np.uint8).reshape(-1, 2, 4, 32)
    low = (plane[:, :, :2] & 15) | ((plane[:, :, 2:] & 15) << 4)
    shift = np.array([0, 2, 4, 6], np.uint8).reshape(1, 1, 4, 1)
    high = np.bitwise_or.reduce((plane >> 4) << shift, axis=2)
    return np.concatenate(
        [
            low.reshape(-1, 128),
            high.reshape(-1, 64),
            sub_scale.astype(np.int8).view(np.uint8),
            _f16_bytes(d),
        ],
        axis=1,
    )


_PACKERS = {Type.Q4_K: pack_q4_k, Type.Q5_K: pack_q5_k, Type.Q6_K: pack_q6_k}


def quantize(w: np.ndarray, kind: Type) -> np.ndarray:
    """w [..., row] float32 -> the tensor's bytes (uint8, last axis = bytes of a row), or
    float32/float16 values for F32 and F16.
    """
    w = np.ascontiguousarray(w, dtype=np.float32)
    if kind not in _PACKERS:
        return quants.quantize(w, kind)
    if w.shape[-1] % BLOCK:
        raise ValueError(f"{kind.name} needs rows of a multiple of {BLOCK}, got {w.shape[-1]}")
    return _PACKERS[kind](w.reshape(-1, BLOCK)).reshape(*w.shape[:-1], -1)


def dequantize(data: np.ndarray, kind: Type) -> np.ndarray:
    return quants.dequantize(data, kind).astype(np.float32)


def check() -> None:
    """Every packer: the decoded error stays within half a step of its grid, and the row length is
    the format's.
    """
    rng = np.random.default_rng(1)
    row = rng.standard_normal((64, 4 * BLOCK)).astype(np.float32) * np.exp(
        rng.standard_normal((64, 1))
    ).astype(np.float32)
    row[0] = 0.0
    row[1, :BLOCK] = np.abs(row[1, :BLOCK])
    expected_nmse = {Type.Q4_K: 8e-3, Type.Q5_K: 2e-3, Type.Q6_K: 5e-4}
    for kind, pack in _PACKERS.items():
        data = quantize(row, kind)
        error = np.square(dequantize(data, kind) - row).sum() / np.square(row).sum()
        print(f"{kind.name}: {data.shape[-1] // 4} bytes a block, NMSE {error:.2e}")
        assert np.all(dequantize(data[:1], kind) == 0.0)
        assert error < expected_nmse[kind], "decoded weights are not the intended ones"


if __name__ == "__main__":
    check()
