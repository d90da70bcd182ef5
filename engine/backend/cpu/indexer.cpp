// The indexer of DeepSeek Sparse Attention (DeepSeek-V3.2-Exp report, section 2.1): its keys in the
// cache, and the choice of the tokens that a row attends to.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/cpu/rotate.h"
#include "engine/backend/latent_row.h"

namespace paluku {
namespace {

constexpr std::int64_t kScoredTokens = 64;  // per piece
constexpr std::int64_t kKeyRows = 8;        // per piece

// (x - mean) / standard deviation * weight + bias
void LayerNorm(const float* x, const IndexAppendParams& p, int n, float* out) {
  double mean = 0, variance = 0;
  for (int i = 0; i < n; ++i) mean += x[i];
  mean /= n;
  for (int i = 0; i < n; ++i) variance += (x[i] - mean) * (x[i] - mean);
  const double factor = 1 / std::sqrt(variance / n + static_cast<double>(p.epsilon));
  for (int i = 0; i < n; ++i) {
    out[i] = static_cast<float>((x[i] - mean) * factor) * p.norm.f32()[i] + p.bias.f32()[i];
  }
}

// The positions of the `count` best of `tokens` scores, ascending; of equal scores the earlier
// token wins. `order` [tokens] is workspace. A NaN counts as the lowest.
void BestTokens(const float* scores, std::int64_t tokens, std::int64_t count, std::int32_t* order,
                std::int32_t* out) {
  const auto value = [&](std::int32_t token) {
    return std::isnan(scores[token]) ? -std::numeric_limits<float>::infinity() : scores[token];
  };
  std::iota(order, order + tokens, 0);
  std::nth_element(order, order + count - 1, order + tokens, [&](std::int32_t a, std::int32_t b) {
    return value(a) > value(b) || (value(a) == value(b) && a < b);
  });
  std::copy(order, order + count, out);
  std::sort(out, out + count);
}

}  // namespace

void CpuBackend::IndexAppend(const IndexAppendParams& p) {
  const int width = pages_.index, rope = 2 * static_cast<int>(p.rope.inverse_frequency.size());
  PALUKU_CHECK(width > 0 && p.key.columns() == width && p.norm.columns() == width &&
               p.bias.columns() == width && rope <= width);
  if (Idle()) return;
  const float* table = RopeTable(p.rope);
  if (!ReserveWorkers(width * 4)) return;
  for (const StepSequence& sequence : batch_.sequences) {
    RunRanges(sequence.rows, kKeyRows, [&](std::int64_t first, std::int64_t last, int worker) {
      auto* key = reinterpret_cast<float*>(WorkerMemory(worker));
      for (std::int64_t i = first; i < last; ++i) {
        const std::int64_t r = sequence.first_row + i;
        LayerNorm(p.key.f32() + r * width, p, width, key);
        RotateRow(key, rope, p.rope.interleaved, table + r * rope);
        StoreIndexKey(pages_, key,
                      pages_.Row(sequence.page_table.data(), p.layer, sequence.cached + i));
      }
    });
  }
}

void CpuBackend::SelectTokens(const SelectTokensParams& p) {
  const int width = pages_.index, rope = 2 * static_cast<int>(p.rope.inverse_frequency.size());
  PALUKU_CHECK(width > 0 && p.q.columns() == static_cast<std::int64_t>(p.heads) * width &&
               p.weights.columns() == p.heads && p.selected.rows() == p.q.rows() && rope <= width);
  if (Idle()) return;
  const float* table = RopeTable(p.rope);
  RunRanges(p.q.rows(), kKeyRows, [&](std::int64_t first, std::int64_t last, int) {
    for (std::int64_t i = first * p.heads; i < last * p.heads; ++i) {
      RotateRow(p.q.f32() + i * width, rope, p.rope.interleaved, table + i / p.heads * rope);
    }
  });
  const std::int64_t most = p.selected.columns();
  for (const StepSequence& sequence : batch_.sequences) {
    BeginOperation();
    const std::int64_t tokens = sequence.cached + sequence.rows;
    auto* scores = scratch_.Take<float>(tokens);
    auto* order = scratch_.Take<std::int32_t>(tokens);
    if (OutOfMemory() || !ReserveWorkers((width + p.heads) * 4)) return;
    for (int row = 0; row < sequence.rows && !Idle(); ++row) {
      std::int32_t* out = p.selected.i32() + (sequence.first_row + row) * most;
      const std::int64_t visible = sequence.cached + row + 1;
      if (visible <= most) {
        std::iota(out, out + visible, 0);
        std::fill(out + visible, out + most, -1);
        continue;
      }
      ScoreTokens(p, sequence, row, scores);
      BestTokens(scores, visible, most, order, out);
    }
  }
}

void CpuBackend::ScoreTokens(const SelectTokensParams& p, const StepSequence& sequence, int row,
                             float* scores) {
  const int width = pages_.index;
  const std::int64_t r = sequence.first_row + row, row_bytes = 4ll * width;
  const auto* queries = reinterpret_cast<const std::byte*>(p.q.f32() + r * p.q.columns());
  const float* weights = p.weights.f32() + r * p.heads;
  const auto dot = kernels_.weights[static_cast<std::size_t>(DType::kF32)].dot;
  RunRanges(sequence.cached + row + 1, kScoredTokens,
            [&](std::int64_t first, std::int64_t last, int worker) {
              auto* key = reinterpret_cast<float*>(WorkerMemory(worker));
              float* products = key + width;
              for (std::int64_t t = first; t < last; ++t) {
                LoadIndexKey(pages_, pages_.Row(sequence.page_table.data(), p.layer, t), key);
                dot(queries, row_bytes, p.heads, width, {.f32 = key}, products);
                float sum = 0;
                for (int h = 0; h < p.heads; ++h) {
                  sum += weights[h] * p.scale * std::max(products[h], 0.0f);
                }
                scores[t] = sum;
              }
            });
}

}  // namespace paluku
