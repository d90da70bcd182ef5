// Products with F32, F16 and BF16 weights in f32 arithmetic, written once over Simd.
// A tile holds W rows decoded to f32 [k][W]; blocks of activations are f32 [k][kBlockColumns].
#pragma once

#include "engine/backend/cpu/kernels/vector_body.h"

namespace paluku {
namespace {

struct FloatF32 {
  static constexpr int kBytes = 4;
  static F Load(const std::byte* p) { return Simd::Load(reinterpret_cast<const float*>(p)); }
  static float LoadOne(const std::byte* p) {
    float v;
    std::memcpy(&v, p, 4);
    return v;
  }
};
struct FloatF16 {
  static constexpr int kBytes = 2;
  static F Load(const std::byte* p) { return Simd::LoadHalf(p); }
  static float LoadOne(const std::byte* p) { return Simd::HalfToFloat(p); }
};
struct FloatBF16 {
  static constexpr int kBytes = 2;
  static F Load(const std::byte* p) { return Simd::LoadBFloat(p); }
  static float LoadOne(const std::byte* p) {
    std::uint16_t v;
    std::memcpy(&v, p, 2);
    return __builtin_bit_cast(float, static_cast<std::uint32_t>(v) << 16);
  }
};

template <class Format>
float DotFloatRow(const std::byte* row, std::int64_t k, const float* a) {
  F sum[4] = {};
  std::int64_t i = 0;
  for (; i + 4 * W <= k; i += 4 * W) {
    Unroll<4>([&](int j) __attribute__((always_inline)) {
      sum[j] = Simd::Fma(Format::Load(row + (i + j * W) * Format::kBytes),
                         Simd::Load(a + i + j * W), sum[j]);
    });
  }
  for (; i + W <= k; i += W) {
    sum[0] = Simd::Fma(Format::Load(row + i * Format::kBytes), Simd::Load(a + i), sum[0]);
  }
  float total = SumLanes((sum[0] + sum[1]) + (sum[2] + sum[3]));
  for (; i < k; ++i) total += Format::LoadOne(row + i * Format::kBytes) * a[i];
  return total;
}

template <class Format>
void DotFloat(const std::byte* rows, std::int64_t row_bytes, int count, std::int64_t k,
              const ActivationRow& activation, float* out) {
  for (int r = 0; r < count; ++r) {
    out[r] = DotFloatRow<Format>(rows + r * row_bytes, k, activation.f32);
  }
}

std::int64_t FloatTileBytes(std::int64_t k) { return k * W * 4; }

template <class Format>
void DecodeFloatTile(const std::byte* rows, std::int64_t row_bytes, int count, std::int64_t k,
                     std::byte* tile) {
  auto* out = reinterpret_cast<float*>(tile);
  if (count < W) std::memset(tile, 0, static_cast<std::size_t>(FloatTileBytes(k)));
  for (int r = 0; r < count; ++r) {
    const std::byte* row = rows + r * row_bytes;
    std::int64_t i = 0;
    for (; i + W <= k; i += W) {
      float lanes[W];
      Simd::Store(lanes, Format::Load(row + i * Format::kBytes));
      for (int j = 0; j < W; ++j) out[(i + j) * W + r] = lanes[j];
    }
    for (; i < k; ++i) out[i * W + r] = Format::LoadOne(row + i * Format::kBytes);
  }
}

template <int N>
void MultiplyFloatColumns(const float* tile, const float* block, int column, std::int64_t k,
                          float* out) {
  F sum[N] = {};
  for (std::int64_t i = 0; i < k; ++i) {
    const F w = Simd::Load(tile + i * W);
    const float* a = block + i * kBlockColumns + column;
    Unroll<N>([&](int c) __attribute__((always_inline)) {
      sum[c] = Simd::Fma(w, Simd::Set(a[c]), sum[c]);
    });
  }
  Unroll<N>([&](int c) { Simd::Store(out + (column + c) * W, sum[c]); });
}

void MultiplyFloatTile(const std::byte* tile, const std::byte* block, int columns, std::int64_t k,
                       float* out) {
  const auto* weights = reinterpret_cast<const float*>(tile);
  const auto* a = reinterpret_cast<const float*>(block);
  int column = 0;
  if constexpr (Simd::kGemmColumns >= 16) {
    if (columns > 12) return MultiplyFloatColumns<16>(weights, a, 0, k, out);
  }
  if constexpr (Simd::kGemmColumns >= 8) {
    for (; columns - column > 4; column += 8) MultiplyFloatColumns<8>(weights, a, column, k, out);
  }
  for (; column < columns; column += 4) MultiplyFloatColumns<4>(weights, a, column, k, out);
}

// R rows of x times V neighbouring vectors of columns.
template <class Format, int R, int V>
void TimesMatrixColumns(const std::byte* matrix, std::int64_t k, std::int64_t columns,
                        std::int64_t first, const float* const* x, float* const* out) {
  F sum[R][V] = {};
  for (std::int64_t i = 0; i < k; ++i) {
    F m[V];
    const std::byte* from = matrix + (i * columns + first) * Format::kBytes;
    Unroll<V>([&](int v) __attribute__((always_inline)) {
      m[v] = Format::Load(from + v * W * Format::kBytes);
    });
    Unroll<R>([&](int r) __attribute__((always_inline)) {
      const F factor = Simd::Set(x[r][i]);
      Unroll<V>([&](int v) __attribute__((always_inline)) {
        sum[r][v] = Simd::Fma(m[v], factor, sum[r][v]);
      });
    });
  }
  Unroll<R>(
      [&](int r) { Unroll<V>([&](int v) { Simd::Store(out[r] + first + v * W, sum[r][v]); }); });
}

template <class Format, int R>
void TimesMatrixRows(const std::byte* matrix, std::int64_t k, std::int64_t columns,
                     const float* const* x, float* const* out) {
  // Long runs of columns for few rows: the matrix is read once, row by row, and short runs would
  // jump over most of it.
  constexpr int kWide = R == 1 ? Simd::kGemmColumns : 4;
  std::int64_t first = 0;
  for (; first + kWide * W <= columns; first += kWide * W) {
    TimesMatrixColumns<Format, R, kWide>(matrix, k, columns, first, x, out);
  }
  for (; first + 4 * W <= columns; first += 4 * W) {
    TimesMatrixColumns<Format, R, 4>(matrix, k, columns, first, x, out);
  }
  for (; first + W <= columns; first += W) {
    TimesMatrixColumns<Format, R, 1>(matrix, k, columns, first, x, out);
  }
  for (; first < columns; ++first) {
    for (int r = 0; r < R; ++r) {
      float sum = 0;
      for (std::int64_t i = 0; i < k; ++i) {
        sum += x[r][i] * Format::LoadOne(matrix + (i * columns + first) * Format::kBytes);
      }
      out[r][first] = sum;
    }
  }
}

template <class Format>
void TimesMatrixOf(const std::byte* matrix, std::int64_t k, std::int64_t columns,
                   const float* const* x, int rows, float* const* out) {
  switch (rows) {
    case 1:
      return TimesMatrixRows<Format, 1>(matrix, k, columns, x, out);
    case 2:
      return TimesMatrixRows<Format, 2>(matrix, k, columns, x, out);
    case 3:
      return TimesMatrixRows<Format, 3>(matrix, k, columns, x, out);
    default:
      return TimesMatrixRows<Format, 4>(matrix, k, columns, x, out);
  }
}

void TimesMatrix(DType dtype, const std::byte* matrix, std::int64_t k, std::int64_t columns,
                 const float* const* x, int rows, float* const* out) {
  switch (dtype) {
    case DType::kF16:
      return TimesMatrixOf<FloatF16>(matrix, k, columns, x, rows, out);
    case DType::kBF16:
      return TimesMatrixOf<FloatBF16>(matrix, k, columns, x, rows, out);
    default:
      return TimesMatrixOf<FloatF32>(matrix, k, columns, x, rows, out);
  }
}

}  // namespace
}  // namespace paluku
