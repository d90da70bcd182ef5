// Tensors that a container holds in pieces (one tensor per expert) or in a form that no kernel
// computes with (FP8 with a scale per block): how their rows come to be. Pure functions of the
// mapping, safe on any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/tensor/tensor.h"

namespace paluku {

// Edge of the square of FP8 weights that share a scale (DeepSeek-V3, arXiv 2412.19437, 3.3.2).
inline constexpr std::int64_t kF8Block = 128;

// Consecutive rows of a tensor as a file holds them, of any alignment.
struct TensorPiece {
  std::int64_t rows = 0;
  std::span<const std::byte> bytes;
  // For F8_E4M3 weights: f32 [ceil(rows / 128), ceil(columns / 128)]; weight = F8 * scale. Empty:
  // the bytes are of the tensor's own type.
  std::span<const std::byte> scales;
};

// Writes rows [first, first + count) of `tensor`, its outer dimensions taken together, to `out`.
// The pieces cover all its rows in order; those with scales need a tensor of kBF16.
void CopyPieces(const Tensor& tensor, std::span<const TensorPiece> pieces, std::int64_t first,
                std::int64_t count, std::byte* out);

}  // namespace paluku
