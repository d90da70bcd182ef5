// The inner loops of the CPU backend: one table of functions per instruction set, chosen when the
// backend is made.
//
// Terms. A `row` of weights has k values in the blocks of its type. Activations come in two forms:
// ActivationRow (one row, for matrix times vector) and a block of kBlockColumns packed rows (for
// matrix times matrix). A `tile` is `lanes` rows of weights decoded so that one vector register
// holds the same k of all its rows. Quantised weights meet activations quantised to int8 with one
// scale per 32 values; F32, F16 and BF16 weights meet f32 activations. Sums run in a fixed order
// that depends on k and the instruction set alone.
//
// This header is compiled with the flags of every instruction set: declarations and static
// functions only.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/tensor/dtype.h"

namespace paluku {

inline constexpr int kBlockColumns = 16;
inline constexpr int kActivationGroup = 32;  // activations per scale
inline constexpr int kMaxLanes = 16;
inline constexpr int kAttentionTile = 16;  // cached tokens per step of the online softmax

// Offsets of the parts of one quantised activation row, in bytes. All parts are 64-byte aligned.
struct QuantisedRowLayout {
  std::int64_t values = 0;  // int8 [k]
  // f32 [k / 128 rounded up][8]: the scales of four groups of 32, then minus scale times sum of
  // each.
  std::int64_t pairs32;
  std::int64_t scales16;  // f32 [k / 16], every scale twice
  std::int64_t sums16;    // f32 [k / 16], minus scale times sum of 16 values
  std::int64_t counts16;  // i32 [k / 16], minus the sum of 16 int8 values
  std::int64_t bytes;
};
static inline constexpr std::int64_t RoundUp64(std::int64_t n) { return (n + 63) / 64 * 64; }
static inline constexpr QuantisedRowLayout LayoutOfQuantisedRow(std::int64_t k) {
  QuantisedRowLayout layout{};
  layout.pairs32 = RoundUp64(k);
  layout.scales16 = layout.pairs32 + RoundUp64((k + 127) / 128 * 32);
  layout.sums16 = layout.scales16 + RoundUp64(k / 16 * 4);
  layout.counts16 = layout.sums16 + RoundUp64(k / 16 * 4);
  layout.bytes = layout.counts16 + RoundUp64(k / 16 * 4);
  return layout;
}

// The same for a block of kBlockColumns quantised rows; unused columns are zeros.
struct QuantisedBlockLayout {
  std::int64_t values = 0;  // int8 [k / 4][columns][4]
  std::int64_t scales32;    // f32 [k / 32][columns]
  std::int64_t sums32;      // f32 [k / 32][columns], minus scale times sum
  std::int64_t counts32;    // i32 [k / 32][columns], minus the sum of the int8 values
  std::int64_t counts16;    // i32 [k / 16][columns]
  std::int64_t bytes;
};
static inline constexpr QuantisedBlockLayout LayoutOfQuantisedBlock(std::int64_t k) {
  QuantisedBlockLayout layout{};
  layout.scales32 = k * kBlockColumns;
  layout.sums32 = layout.scales32 + k / 32 * kBlockColumns * 4;
  layout.counts32 = layout.sums32 + k / 32 * kBlockColumns * 4;
  layout.counts16 = layout.counts32 + k / 32 * kBlockColumns * 4;
  layout.bytes = layout.counts16 + k / 16 * kBlockColumns * 4;
  return layout;
}
static inline constexpr std::int64_t FloatBlockBytes(std::int64_t k) {
  return k * kBlockColumns * 4;  // f32 [k][columns]
}

struct ActivationRow {
  const float* f32 = nullptr;            // [k], for float weights
  const std::byte* quantised = nullptr;  // QuantisedRowLayout, for quantised weights
};

// What a backend can do with one type of weights.
struct WeightKernels {
  bool quantised = false;  // wants quantised activations
  // Bytes of a decoded tile of `k` columns.
  std::int64_t (*tile_bytes)(std::int64_t k) = nullptr;
  // out[r] = row r of `rows` times the activation, r < count.
  void (*dot)(const std::byte* rows, std::int64_t row_bytes, int count, std::int64_t k,
              const ActivationRow& activation, float* out) = nullptr;
  // Decodes `count` <= lanes rows; what the others become does not matter.
  void (*decode_tile)(const std::byte* rows, std::int64_t row_bytes, int count, std::int64_t k,
                      std::byte* tile) = nullptr;
  // out [columns][lanes] = activations of the block times the rows of the tile.
  void (*multiply_tile)(const std::byte* tile, const std::byte* block, int columns, std::int64_t k,
                        float* out) = nullptr;
};

// One step of attention with an online softmax (arXiv 1805.02867): kAttentionTile cached tokens
// meet `lanes` queries.
struct AttentionTile {
  const float* query;  // [width][lanes], already scaled
  int width;           // values of a key
  const float* keys;   // [kAttentionTile][key_stride]
  int key_stride;
  const float* values;  // [kAttentionTile][value_stride]
  int value_stride;
  int value_width;  // a multiple of 4
  const float*
      visible;     // [lanes], tokens of this tile that each query may see; at most kAttentionTile
  float* largest;  // [lanes], running maximum, starts at -infinity
  float* sum;      // [lanes], running sum
  float* out;      // [value_width][lanes], running weighted sum of values
};

struct Kernels {
  const char* name = nullptr;
  int lanes = 0;
  WeightKernels weights[kDTypeCount];

  void (*quantise_row)(const float* x, std::int64_t k, std::byte* row) = nullptr;
  // rows[c] for c < columns; the other columns become zeros.
  void (*pack_quantised)(const std::byte* const* rows, int columns, std::int64_t k,
                         std::byte* block) = nullptr;
  void (*pack_float)(const float* const* rows, int columns, std::int64_t k, float* block) = nullptr;

  void (*rms_norm)(const float* x, const float* weight, float epsilon, std::int64_t n,
                   float* out) = nullptr;
  void (*add)(float* x, const float* delta, std::int64_t n) = nullptr;             // x += delta
  void (*scale_add)(float* x, float w, const float* y, std::int64_t n) = nullptr;  // x += w * y
  void (*silu_multiply)(const float* gate, const float* up, std::int64_t n, float* out) = nullptr;

  // f32 of `count` values of a float type or of int8 with one f16 scale per 32.
  void (*load_f16)(const std::byte* from, std::int64_t count, float* out) = nullptr;
  void (*load_q8)(const std::byte* values, const std::byte* scales, std::int64_t count,
                  float* out) = nullptr;
  void (*attention_tile)(const AttentionTile& tile) = nullptr;
  // out [rows][columns] = x [rows][k] times matrix [k][columns] of a float type; rows <= 4.
  void (*times_matrix)(DType dtype, const std::byte* matrix, std::int64_t k, std::int64_t columns,
                       const float* const* x, int rows, float* const* out) = nullptr;
};

const Kernels& ScalarKernels();
const Kernels& Avx2Kernels();
const Kernels& Avx512Kernels();

}  // namespace paluku
