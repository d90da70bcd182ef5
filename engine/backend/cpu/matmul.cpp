// Matrix products: MatMul and the preparation of activations that experts share.
#include <algorithm>
#include <array>
#include <cstring>

#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/cpu/tiling.h"

namespace paluku {

CpuBackend::Inputs CpuBackend::MakeInputs(const float* x, std::int64_t rows, std::int64_t k,
                                          bool quantised) {
  Inputs inputs{.k = k, .f32 = x};
  if (!quantised) return inputs;
  inputs.quantised_bytes = LayoutOfQuantisedRow(k).bytes;
  auto* to = scratch_.Take<std::byte>(rows * inputs.quantised_bytes);
  if (OutOfMemory()) return inputs;
  inputs.quantised = to;
  Run(rows, [&](int row, int) {
    kernels_.quantise_row(x + row * k, k, to + row * inputs.quantised_bytes);
  });
  return inputs;
}

CpuBackend::Blocks CpuBackend::TakeBlocks(std::int64_t k, int columns, bool quantised) {
  Blocks blocks{.columns = columns};
  blocks.block_bytes = quantised ? LayoutOfQuantisedBlock(k).bytes : FloatBlockBytes(k);
  blocks.data = scratch_.Take<std::byte>(blocks.block_bytes * blocks.count());
  return blocks;
}

void CpuBackend::PackBlock(const Inputs& inputs, const int* index, int block, bool quantised,
                           const Blocks& blocks) const {
  const int columns = blocks.ColumnsOf(block);
  std::array<const std::byte*, kBlockColumns> bytes{};
  std::array<const float*, kBlockColumns> floats{};
  for (int c = 0; c < columns; ++c) {
    const std::int64_t slot = block * kBlockColumns + c;
    const ActivationRow row = inputs.Row(index != nullptr ? index[slot] : slot);
    bytes[static_cast<std::size_t>(c)] = row.quantised;
    floats[static_cast<std::size_t>(c)] = row.f32;
  }
  std::byte* to = blocks.data + block * blocks.block_bytes;
  if (quantised) {
    kernels_.pack_quantised(bytes.data(), columns, inputs.k, to);
  } else {
    kernels_.pack_float(floats.data(), columns, inputs.k, reinterpret_cast<float*>(to));
  }
}

void CpuBackend::MatMul(const Tensor& x, const Tensor& weight, const Tensor& out) {
  PALUKU_CHECK(x.columns() == weight.columns() && out.columns() == weight.rows() &&
               out.rows() == x.rows());
  if (Idle()) return;
  BeginOperation();
  Multiply(x.f32(), x.rows(), weight, out.f32());
}

void CpuBackend::Multiply(const float* x, std::int64_t rows, const Tensor& weight, float* out) {
  const Inputs inputs = MakeInputs(x, rows, weight.columns(), WeightsOf(weight).quantised);
  if (OutOfMemory()) return;
  if (rows <= kFewRows) {
    MatMulFewRows(inputs, rows, weight, out);
  } else {
    MatMulManyRows(inputs, rows, weight, out);
  }
}

void CpuBackend::ReluSquaredFfn(const Tensor& x, const Tensor& up, const Tensor& down,
                                const Tensor& out) {
  PALUKU_CHECK(x.columns() == up.columns() && down.columns() == up.rows() &&
               out.columns() == down.rows() && out.rows() == x.rows());
  if (Idle()) return;
  BeginOperation();
  const std::int64_t rows = x.rows(), inner = up.rows();
  auto* values = scratch_.Take<float>(rows * inner);
  if (OutOfMemory()) return;
  Multiply(x.f32(), rows, up, values);
  RunRanges(rows * inner, 4096, [&](std::int64_t first, std::int64_t last, int) {
    for (std::int64_t i = first; i < last; ++i) {
      // Written so that a NaN stays one.
      const float positive = values[i] < 0 ? 0.0f : values[i];
      values[i] = positive * positive;
    }
  });
  Multiply(values, rows, down, out.f32());
}

void CpuBackend::MatMulFewRows(const Inputs& inputs, std::int64_t rows, const Tensor& weight,
                               float* out) {
  const WeightKernels& kernels = WeightsOf(weight);
  const std::int64_t n = weight.rows(), row_bytes = weight.row_bytes();
  RunRanges(n, RowsPerPiece(n, pool_.threads()), [&](std::int64_t first, std::int64_t last, int) {
    for (std::int64_t r = 0; r < rows; ++r) {
      kernels.dot(weight.data + first * row_bytes, row_bytes, static_cast<int>(last - first),
                  inputs.k, inputs.Row(r), out + r * n + first);
    }
  });
}

void CpuBackend::MatMulManyRows(const Inputs& inputs, std::int64_t rows, const Tensor& weight,
                                float* out) {
  const WeightKernels& kernels = WeightsOf(weight);
  const std::int64_t n = weight.rows(), row_bytes = weight.row_bytes(), k = inputs.k;
  const Blocks blocks = TakeBlocks(k, static_cast<int>(rows), kernels.quantised);
  const std::int64_t tile_bytes = RoundUp64(kernels.tile_bytes(k));
  if (OutOfMemory() || !ReserveWorkers(tile_bytes)) return;
  Run(blocks.count(),
      [&](int block, int) { PackBlock(inputs, nullptr, block, kernels.quantised, blocks); });
  const int lanes = kernels_.lanes;
  RunRanges(n, lanes, [&](std::int64_t first, std::int64_t last, int worker) {
    std::byte* tile = WorkerMemory(worker);
    const int count = static_cast<int>(last - first);
    kernels.decode_tile(weight.data + first * row_bytes, row_bytes, count, k, tile);
    for (int b = 0; b < blocks.count(); ++b) {
      float result[kBlockColumns * kMaxLanes];
      kernels.multiply_tile(tile, blocks.Block(b), blocks.ColumnsOf(b), k, result);
      for (int c = 0; c < blocks.ColumnsOf(b); ++c) {
        std::memcpy(out + (b * kBlockColumns + c) * n + first, result + c * lanes,
                    static_cast<std::size_t>(count) * sizeof(float));
      }
    }
  });
}

}  // namespace paluku
