#include "engine/backend/cuda/expert_plan.h"

#include <algorithm>
#include <cmath>

#include "engine/backend/cuda/weight_layout.h"
#include "engine/base/check.h"

namespace paluku::cuda {
namespace {

constexpr int kLeastRows = 9;    // kMaxColumns of kernels/mat_vec.h, and one
constexpr int kLeastSlices = 4;  // of a layer

std::int64_t BytesOf(std::initializer_list<Tensor> matrices, std::int64_t experts) {
  std::int64_t bytes = 0;
  for (const Tensor& matrix : matrices) {
    const std::int64_t rows = matrix.rows() / matrix.dim(0) * experts;
    const auto layout = LayoutOf(matrix.dtype, rows, matrix.columns());
    PALUKU_CHECK(layout.has_value());
    bytes += layout->bytes;
  }
  return bytes;
}

}  // namespace

ExpertSlice SliceOf(std::initializer_list<Tensor> matrices) {
  const std::int64_t experts = matrices.begin()->dim(0);
  const std::int64_t fit = std::max<std::int64_t>(kMostSliceBytes / BytesOf(matrices, 1), 1);
  const std::int64_t most = (experts + kLeastSlices - 1) / kLeastSlices;
  const std::int64_t count = std::min(fit, most);
  return {.experts = static_cast<int>(count), .bytes = BytesOf(matrices, count)};
}

int RowsToStream(std::int64_t bytes, std::int64_t products_of_row, int threads,
                 const StreamRates& rates) {
  const auto size = static_cast<double>(bytes);
  const double card = std::max(size / rates.link, size / (rates.repacked * threads));
  const double row = static_cast<double>(products_of_row) / (rates.products * threads);
  constexpr double kNever = 1 << 30;
  return std::max(kLeastRows, static_cast<int>(std::ceil(std::min(card / row, kNever))));
}

}  // namespace paluku::cuda
