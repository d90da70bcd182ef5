// Tensor: a view of numbers that somebody else owns. Shapes are written outermost first: [rows,
// columns].
//
// `data` belongs to the backend that made it and may be an address of a device; only that backend
// (or the loader, for a mapped file) may follow it. Rows are contiguous; the last dimension is
// stored in blocks of the type.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/base/check.h"
#include "engine/tensor/dtype.h"

namespace paluku {

struct Tensor {
  static constexpr int kMaxRank = 4;

  DType dtype = DType::kF32;
  int rank = 0;
  std::array<std::int64_t, kMaxRank> shape = {};  // outermost first, `rank` of them
  std::byte* data = nullptr;                      // const weights are never written through it
  // Bytes from one slab of a 3-D tensor to the next; 0: they follow one another. A view of one half
  // of a tensor that holds two (gate and up, keys and values) has gaps.
  std::int64_t slab_stride = 0;

  explicit operator bool() const { return data != nullptr; }
  std::int64_t dim(int i) const {
    PALUKU_CHECK(i < rank);
    return shape[static_cast<std::size_t>(i)];
  }
  std::int64_t columns() const { return dim(rank - 1); }
  std::int64_t rows() const { return columns() == 0 ? 0 : elements() / columns(); }
  std::int64_t elements() const {
    std::int64_t n = 1;
    for (int i = 0; i < rank; ++i) n *= shape[static_cast<std::size_t>(i)];
    return n;
  }
  std::int64_t row_bytes() const { return RowBytes(dtype, columns()); }
  std::int64_t bytes() const { return rows() * row_bytes(); }  // without gaps
  // From one index of the outermost dimension to the next.
  std::int64_t slab_bytes() const {
    if (slab_stride != 0) return slab_stride;
    return shape[0] == 0 ? 0 : bytes() / shape[0];
  }

  // Slab `index` of the outermost dimension: [a, b, c] -> [b, c].
  Tensor Slab(std::int64_t index) const {
    PALUKU_CHECK(rank > 1 && index >= 0 && index < shape[0]);
    Tensor slab{.dtype = dtype, .rank = rank - 1, .shape = {}, .data = nullptr};
    for (int i = 1; i < rank; ++i)
      slab.shape[static_cast<std::size_t>(i) - 1] = shape[static_cast<std::size_t>(i)];
    slab.data = data + index * slab_bytes();
    return slab;
  }
  // Rows [first, first + count) of the outermost dimension, same rank.
  Tensor Rows(std::int64_t first, std::int64_t count) const {
    PALUKU_CHECK(rank > 0 && first >= 0 && count >= 0 && first + count <= shape[0]);
    Tensor part = *this;
    part.shape[0] = count;
    part.data = data + first * slab_bytes();
    return part;
  }
  float* f32() const {
    PALUKU_CHECK(dtype == DType::kF32);
    return reinterpret_cast<float*>(data);
  }
  std::int32_t* i32() const {
    PALUKU_CHECK(dtype == DType::kI32);
    return reinterpret_cast<std::int32_t*>(data);
  }
};

}  // namespace paluku
