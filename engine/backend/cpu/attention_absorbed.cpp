// Absorbed attention: W_UK goes into the query, so that every head meets the cached latent itself,
// and W_UV comes after the weighted sum (DeepSeek-V2 section 2.1). One pass over the cached rows
// serves all heads.
//
// The context is cut into chunks whose length depends on the context alone; each chunk keeps its
// own maximum, sum and weighted latent, and they are put together by their maxima, always in the
// same order.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/cpu/kernels/kernel_table.h"

namespace paluku {
namespace {

constexpr std::int64_t kMinChunkTokens = 64;
constexpr std::int64_t kMaxChunks = 48;

std::int64_t ChunkTokens(std::int64_t tokens) {
  const std::int64_t wanted = (tokens + kMaxChunks - 1) / kMaxChunks;
  return std::max(kMinChunkTokens, (wanted + kAttentionTile - 1) / kAttentionTile * kAttentionTile);
}

// Sizes of one call. A `unit` is one row and one group of `lanes` heads.
struct Shape {
  int lanes, groups, width, latent;
  std::int64_t rows, tokens, chunk_tokens, chunks;
  std::int64_t units() const { return rows * groups; }
  std::int64_t query_size() const { return static_cast<std::int64_t>(width) * lanes; }
  // A partial result: largest [lanes], sum [lanes], out [latent][lanes].
  std::int64_t partial_size() const { return static_cast<std::int64_t>(latent + 2) * lanes; }
};

Shape ShapeOf(const MlaAttentionParams& p, std::int64_t rows, std::int64_t tokens, int lanes) {
  Shape s{};
  s.lanes = lanes;
  s.groups = (p.heads + lanes - 1) / lanes;
  s.width = p.latent + p.rope;
  s.latent = p.latent;
  s.rows = rows;
  s.tokens = tokens;
  s.chunk_tokens = ChunkTokens(s.tokens);
  s.chunks = (s.tokens + s.chunk_tokens - 1) / s.chunk_tokens;
  return s;
}

// Queries of one head with W_UK inside, into `absorbed` [rows][heads][width].
void AbsorbHead(const Kernels& kernels, const MlaAttentionParams& p, std::int64_t first_row,
                const Shape& s, int head, float* absorbed) {
  const Tensor w_uk = p.w_uk.Slab(head);
  const int head_width = p.nope + p.rope;
  for (std::int64_t first = 0; first < s.rows; first += 4) {
    const int count = static_cast<int>(std::min<std::int64_t>(4, s.rows - first));
    std::array<const float*, 4> x{};
    std::array<float*, 4> y{};
    for (int i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      x[at] = p.q.f32() + (first_row + first + i) * p.q.columns() + head * head_width;
      y[at] = absorbed + ((first + i) * p.heads + head) * s.width;
      std::copy(x[at] + p.nope, x[at] + head_width, y[at] + p.latent);
    }
    kernels.times_matrix(w_uk.dtype, w_uk.data, p.nope, p.latent, x.data(), count, y.data());
  }
}

// Columns [first, last) of one unit's queries, scaled, heads side by side: `query` [width][lanes].
// Lanes beyond the last head are zeros. `position`: of the first row.
void SpreadHeads(const MlaAttentionParams& p, const Shape& s, std::int64_t position,
                 std::int64_t unit, std::int64_t first, std::int64_t last, const float* absorbed,
                 float* query) {
  const std::int64_t row = unit / s.groups;
  const auto scale = static_cast<float>(p.ScaleAt(position + row));
  for (int lane = 0; lane < s.lanes; ++lane) {
    const std::int64_t head = unit % s.groups * s.lanes + lane;
    const float* from = absorbed + (row * p.heads + head) * s.width;
    for (std::int64_t c = first; c < last; ++c) {
      query[c * s.lanes + lane] = head < p.heads ? from[c] * scale : 0.0f;
    }
  }
}

// Puts the chunks of one head together: out [latent] = sum of chunks / sum of weights.
void CombineChunks(const Shape& s, const float* partials, std::int64_t stride, int lane,
                   float* out) {
  float largest = -std::numeric_limits<float>::infinity();
  for (std::int64_t c = 0; c < s.chunks; ++c) {
    const float m = partials[c * stride + lane];
    largest = m > largest || std::isnan(m) ? m : largest;
  }
  float sum = 0;
  std::fill(out, out + s.latent, 0.0f);
  for (std::int64_t c = 0; c < s.chunks; ++c) {
    const float* partial = partials + c * stride + lane;
    const float weight = std::exp(partial[0] - largest);
    if (weight == 0) continue;  // also chunks that this row may not see
    sum += weight * partial[s.lanes];
    const float* values = partial + 2 * s.lanes;
    for (int i = 0; i < s.latent; ++i) out[i] += weight * values[i * s.lanes];
  }
  const float inverse = 1.0f / sum;
  for (int i = 0; i < s.latent; ++i) out[i] *= inverse;
}

}  // namespace

void CpuBackend::AttendAbsorbed(const MlaAttentionParams& p, const StepSequence& sequence,
                                int first, int rows, std::span<const std::int32_t> chosen) {
  const std::int64_t position = sequence.cached + first, first_row = sequence.first_row + first;
  const std::int64_t tokens =
      chosen.empty() ? position + rows : static_cast<std::int64_t>(chosen.size());
  const Shape s = ShapeOf(p, rows, tokens, kernels_.lanes);
  auto* absorbed = scratch_.Take<float>(s.rows * p.heads * s.width);
  auto* queries = scratch_.Take<float>(s.units() * s.query_size());
  auto* partials = scratch_.Take<float>(s.chunks * s.units() * s.partial_size());
  const std::int64_t tile_floats = static_cast<std::int64_t>(kAttentionTile) * s.width;
  if (OutOfMemory() || !ReserveWorkers(4 * tile_floats)) return;
  Run(p.heads, [&](int head, int) { AbsorbHead(kernels_, p, first_row, s, head, absorbed); });
  constexpr std::int64_t kSpan = 144;
  const std::int64_t spans = (s.width + kSpan - 1) / kSpan;
  Run(s.units() * spans, [&](int piece, int) {
    const std::int64_t unit = piece / spans, column = piece % spans * kSpan;
    SpreadHeads(p, s, position, unit, column, std::min<std::int64_t>(column + kSpan, s.width),
                absorbed, queries + unit * s.query_size());
  });

  Run(s.chunks, [&](int chunk, int worker) {
    auto* tile = reinterpret_cast<float*>(WorkerMemory(worker));
    float* chunk_partials = partials + chunk * s.units() * s.partial_size();
    for (std::int64_t u = 0; u < s.units(); ++u) {
      float* partial = chunk_partials + u * s.partial_size();
      std::fill(partial, partial + s.lanes, -std::numeric_limits<float>::infinity());
      std::fill(partial + s.lanes, partial + s.partial_size(), 0.0f);
    }
    const std::int64_t begin = chunk * s.chunk_tokens;
    const std::int64_t end = std::min(begin + s.chunk_tokens, s.tokens);
    for (std::int64_t t = begin; t < end; t += kAttentionTile) {
      const int count = static_cast<int>(std::min<std::int64_t>(kAttentionTile, end - t));
      LoadLatents(sequence, p.layer, chosen, t, count, s.width, tile);
      if (chosen.empty()) {
        PrefetchLatents(sequence, p.layer, t + count, std::min<std::int64_t>(end, t + 2 * count));
      }
      for (std::int64_t row = 0; row < s.rows; ++row) {
        const std::int64_t visible =
            chosen.empty() ? std::min<std::int64_t>(count, position + row + 1 - t) : count;
        if (visible <= 0) continue;
        std::array<float, kMaxLanes> limits;
        limits.fill(static_cast<float>(visible));
        for (int g = 0; g < s.groups; ++g) {
          const std::int64_t unit = row * s.groups + g;
          float* partial = chunk_partials + unit * s.partial_size();
          kernels_.attention_tile({.query = queries + unit * s.query_size(),
                                   .width = s.width,
                                   .keys = tile,
                                   .key_stride = s.width,
                                   .values = tile,
                                   .value_stride = s.width,
                                   .value_width = s.latent,
                                   .visible = limits.data(),
                                   .largest = partial,
                                   .sum = partial + s.lanes,
                                   .out = partial + 2 * s.lanes});
        }
      }
    }
  });

  Run(p.heads * s.rows, [&](int piece, int worker) {
    const std::int64_t row = piece / p.heads;
    const int head = piece % p.heads;
    auto* mixed = reinterpret_cast<float*>(WorkerMemory(worker));
    const std::int64_t unit = row * s.groups + head / s.lanes;
    CombineChunks(s, partials + unit * s.partial_size(), s.units() * s.partial_size(),
                  head % s.lanes, mixed);
    const Tensor w_uv = p.w_uv.Slab(head);
    WeightsOf(w_uv).dot(w_uv.data, w_uv.row_bytes(), p.value, p.latent, {.f32 = mixed},
                        p.out.f32() + (first_row + row) * p.out.columns() + head * p.value);
  });
}

}  // namespace paluku
