// Expanded attention: keys and values of every head are rebuilt from the latent (DeepSeek-V2
// section 2.1), a tile of cached tokens at a time, and serve all rows of the step before the next
// tile is rebuilt.
//
// A lane of the attention kernel is one row here; running maxima, sums and weighted values of all
// rows wait in a workspace between tiles.
#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/cpu/kernels/kernel_table.h"

namespace paluku {
namespace {

constexpr int kTileTokens = 128;  // cached tokens rebuilt at a time, a multiple of kAttentionTile

struct Shape {
  int lanes, key_width, value;
  std::int64_t rows, groups, tokens;  // groups: of `lanes` rows
  std::int64_t query_size() const { return static_cast<std::int64_t>(key_width) * lanes; }
  // largest [lanes], sum [lanes], out [value][lanes]
  std::int64_t state_size() const { return static_cast<std::int64_t>(value + 2) * lanes; }
  std::int64_t expanded_size() const {  // keys and values of one head
    return static_cast<std::int64_t>(kTileTokens) * (key_width + value);
  }
};

// The queries of one head, scaled, as [groups][key_width][lanes], and its states before the first
// tile.
void StartHead(const MlaAttentionParams& p, const StepSequence& sequence, const Shape& s, int head,
               float* queries, float* states) {
  for (std::int64_t g = 0; g < s.groups; ++g) {
    float* query = queries + g * s.query_size();
    float* state = states + g * s.state_size();
    std::fill(state, state + s.lanes, -std::numeric_limits<float>::infinity());
    std::fill(state + s.lanes, state + s.state_size(), 0.0f);
    for (int lane = 0; lane < s.lanes; ++lane) {
      const std::int64_t row = g * s.lanes + lane;
      const float* q = p.q.f32() + (sequence.first_row + row) * p.q.columns() + head * s.key_width;
      const auto scale = static_cast<float>(p.ScaleAt(sequence.cached + row));
      for (int i = 0; i < s.key_width; ++i) {
        query[i * s.lanes + lane] = row < s.rows ? q[i] * scale : 0.0f;
      }
    }
  }
}

// One group of rows against the keys and values of the tile that starts at token `first`.
void AttendGroup(const Kernels& kernels, const StepSequence& sequence, const Shape& s,
                 std::int64_t group, std::int64_t first, int count, const float* keys,
                 const float* values, const float* query, float* state) {
  const std::int64_t last_row = std::min((group + 1) * s.lanes, s.rows) - 1;
  for (int t = 0; t < count; t += kAttentionTile) {
    if (first + t > sequence.cached + last_row) return;
    const int here = std::min(kAttentionTile, count - t);
    std::array<float, kMaxLanes> visible{};
    for (int lane = 0; lane < s.lanes; ++lane) {
      const std::int64_t tokens = sequence.cached + group * s.lanes + lane + 1 - (first + t);
      visible[static_cast<std::size_t>(lane)] =
          static_cast<float>(std::clamp<std::int64_t>(tokens, 0, here));
    }
    kernels.attention_tile({.query = query,
                            .width = s.key_width,
                            .keys = keys + static_cast<std::int64_t>(t) * s.key_width,
                            .key_stride = s.key_width,
                            .values = values + static_cast<std::int64_t>(t) * s.value,
                            .value_stride = s.value,
                            .value_width = s.value,
                            .visible = visible.data(),
                            .largest = state,
                            .sum = state + s.lanes,
                            .out = state + 2 * s.lanes});
  }
}

void FinishHead(const MlaAttentionParams& p, const StepSequence& sequence, const Shape& s, int head,
                const float* states) {
  for (std::int64_t row = 0; row < s.rows; ++row) {
    const float* state = states + row / s.lanes * s.state_size() + row % s.lanes;
    const float inverse = 1.0f / state[s.lanes];
    float* out = p.out.f32() + (sequence.first_row + row) * p.out.columns() + head * s.value;
    for (int v = 0; v < s.value; ++v) out[v] = state[(2 + v) * s.lanes] * inverse;
  }
}

// Rebuilds `count` columns of keys or values: rows `first`.. of `weight` [n][latent] times the
// packed latents, written to out[token][stride] from column `first`.
void Expand(const Kernels& kernels, const Tensor& weight, std::int64_t first, int tokens,
            const std::byte* blocks, std::int64_t block_bytes, std::int64_t stride, std::byte* tile,
            float* out) {
  const WeightKernels& w = kernels.weights[static_cast<std::size_t>(weight.dtype)];
  const std::int64_t latent = weight.columns();
  const int count = static_cast<int>(std::min<std::int64_t>(kernels.lanes, weight.dim(0) - first));
  w.decode_tile(weight.data + first * weight.row_bytes(), weight.row_bytes(), count, latent, tile);
  for (int t = 0; t < tokens; t += kBlockColumns) {
    const int columns = std::min(kBlockColumns, tokens - t);
    float result[kBlockColumns * kMaxLanes];
    w.multiply_tile(tile, blocks + t / kBlockColumns * block_bytes, columns, latent, result);
    for (int c = 0; c < columns; ++c) {
      std::memcpy(out + (t + c) * stride + first, result + c * kernels.lanes,
                  static_cast<std::size_t>(count) * sizeof(float));
    }
  }
}

}  // namespace

// A kernel's body (DESIGN: up to 150 lines). NOLINTNEXTLINE(readability-function-size)
void CpuBackend::AttendExpanded(const MlaAttentionParams& p, const StepSequence& sequence) {
  Shape s{};
  s.lanes = kernels_.lanes;
  s.key_width = p.nope + p.rope;
  s.value = p.value;
  s.rows = sequence.rows;
  s.groups = (s.rows + s.lanes - 1) / s.lanes;
  s.tokens = sequence.cached + sequence.rows;
  const int width = p.latent + p.rope;
  const std::int64_t block_bytes = FloatBlockBytes(p.latent);
  auto* queries = scratch_.Take<float>(p.heads * s.groups * s.query_size());
  auto* states = scratch_.Take<float>(p.heads * s.groups * s.state_size());
  auto* expanded = scratch_.Take<float>(p.heads * s.expanded_size());
  auto* latents = scratch_.Take<float>(static_cast<std::int64_t>(kTileTokens) * width);
  auto* blocks = scratch_.Take<std::byte>(kTileTokens / kBlockColumns * block_bytes);
  const std::int64_t tile_bytes =
      std::max(WeightsOf(p.w_uk).tile_bytes(p.latent), WeightsOf(p.w_uv).tile_bytes(p.latent));
  if (OutOfMemory() || !ReserveWorkers(tile_bytes)) return;

  Run(p.heads, [&](int head, int) {
    StartHead(p, sequence, s, head, queries + head * s.groups * s.query_size(),
              states + head * s.groups * s.state_size());
  });
  for (std::int64_t first = 0; first < s.tokens; first += kTileTokens) {
    const int count = static_cast<int>(std::min<std::int64_t>(kTileTokens, s.tokens - first));
    Run((count + kBlockColumns - 1) / kBlockColumns, [&](int block, int) {
      const int begin = block * kBlockColumns;
      const int columns = std::min(kBlockColumns, count - begin);
      float* rows = latents + static_cast<std::int64_t>(begin) * width;
      LoadLatents(sequence, p.layer, {}, first + begin, columns, width, rows);
      std::array<const float*, kBlockColumns> pointers;
      for (int c = 0; c < columns; ++c) pointers[static_cast<std::size_t>(c)] = rows + c * width;
      kernels_.pack_float(pointers.data(), columns, p.latent,
                          reinterpret_cast<float*>(blocks + block * block_bytes));
    });
    // Pieces: per head, groups of `lanes` rows of W_UK, then of W_UV.
    const int key_pieces = (p.nope + s.lanes - 1) / s.lanes;
    const int value_pieces = (p.value + s.lanes - 1) / s.lanes;
    Run(static_cast<std::int64_t>(p.heads) * (key_pieces + value_pieces), [&](int piece,
                                                                              int worker) {
      const int head = piece / (key_pieces + value_pieces);
      const int part = piece % (key_pieces + value_pieces);
      float* keys = expanded + head * s.expanded_size();
      float* values = keys + static_cast<std::int64_t>(kTileTokens) * s.key_width;
      if (part < key_pieces) {
        Expand(kernels_, p.w_uk.Slab(head), static_cast<std::int64_t>(part) * s.lanes, count,
               blocks, block_bytes, s.key_width, WorkerMemory(worker), keys);
      } else {
        Expand(kernels_, p.w_uv.Slab(head), static_cast<std::int64_t>(part - key_pieces) * s.lanes,
               count, blocks, block_bytes, s.value, WorkerMemory(worker), values);
      }
    });
    // The shared rotated key completes the keys; rows past `count` are zeros that nobody sees.
    Run(p.heads, [&](int head, int) {
      float* keys = expanded + head * s.expanded_size();
      float* values = keys + static_cast<std::int64_t>(kTileTokens) * s.key_width;
      for (int t = 0; t < count; ++t) {
        std::memcpy(keys + static_cast<std::int64_t>(t) * s.key_width + p.nope,
                    latents + static_cast<std::int64_t>(t) * width + p.latent,
                    static_cast<std::size_t>(p.rope) * sizeof(float));
      }
      const int padded = (count + kAttentionTile - 1) / kAttentionTile * kAttentionTile;
      std::fill(keys + static_cast<std::int64_t>(count) * s.key_width,
                keys + static_cast<std::int64_t>(padded) * s.key_width, 0.0f);
      std::fill(values + static_cast<std::int64_t>(count) * s.value,
                values + static_cast<std::int64_t>(padded) * s.value, 0.0f);
    });
    constexpr int kGroupsPerPiece = 4;
    const std::int64_t spans = (s.groups + kGroupsPerPiece - 1) / kGroupsPerPiece;
    Run(p.heads * spans, [&](int piece, int) {
      const std::int64_t head = piece / spans, span = piece % spans;
      const float* keys = expanded + head * s.expanded_size();
      const float* values = keys + static_cast<std::int64_t>(kTileTokens) * s.key_width;
      for (std::int64_t g = span * kGroupsPerPiece;
           g < std::min((span + 1) * kGroupsPerPiece, s.groups); ++g) {
        AttendGroup(kernels_, sequence, s, g, first, count, keys, values,
                    queries + (head * s.groups + g) * s.query_size(),
                    states + (head * s.groups + g) * s.state_size());
      }
    });
  }
  Run(p.heads, [&](int head, int) {
    FinishHead(p, sequence, s, head, states + head * s.groups * s.state_size());
  });
}

}  // namespace paluku
