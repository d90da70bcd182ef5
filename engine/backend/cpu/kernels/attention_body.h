// Attention over a tile of cached tokens with an online softmax (arXiv 1805.02867), written once
// over Simd.
//
// A lane is one query: one head of a row when absorbed, one row of a head when expanded. Keys and
// values are broadcast, so that every lane meets every cached value once it is in a register.
#pragma once

#include "engine/backend/cpu/kernels/vector_body.h"

namespace paluku {
namespace {

// scores[t] = query . key t, N tokens from `first`. With the stride known to the compiler one
// register addresses all keys; kStride 0 means any.
template <int N, int kStride>
void ScoreTokens(const AttentionTile& tile, int first, F* scores) {
  F sum[N] = {};
  const int stride = kStride != 0 ? kStride : tile.key_stride;
  const float* keys = tile.keys + static_cast<std::int64_t>(first) * stride;
  for (int i = 0; i < tile.width; ++i) {
    const F q = Simd::Load(tile.query + i * W);
    Unroll<N>([&](int t) __attribute__((always_inline)) {
      sum[t] = Simd::Fma(q, Simd::Set(keys[t * stride + i]), sum[t]);
    });
  }
  Unroll<N>([&](int t) { scores[first + t] = sum[t]; });
}

template <int kStride>
void ScoreTile(const AttentionTile& tile, F* scores) {
  constexpr int N = Simd::kGemmColumns;
  for (int t = 0; t < kAttentionTile; t += N) ScoreTokens<N, kStride>(tile, t, scores);
}

// out = out * decay + sum over t of scores[t] * value t, N columns from `first`.
template <int N>
[[gnu::always_inline]] inline void AddValues(const AttentionTile& tile, const F* scores, F decay,
                                             int first) {
  F sum[N];
  float* out = tile.out + first * W;
  Unroll<N>([&](int n)
                __attribute__((always_inline)) { sum[n] = Simd::Load(out + n * W) * decay; });
  for (int t = 0; t < kAttentionTile; ++t) {
    const float* value = tile.values + static_cast<std::int64_t>(t) * tile.value_stride + first;
    Unroll<N>([&](int n) __attribute__((always_inline)) {
      sum[n] = Simd::Fma(scores[t], Simd::Set(value[n]), sum[n]);
    });
  }
  Unroll<N>([&](int n) __attribute__((always_inline)) { Simd::Store(out + n * W, sum[n]); });
}

void AttendTile(const AttentionTile& tile) {
  F scores[kAttentionTile];
  switch (tile.key_stride) {
    case 576:  // latent 512 and rope 64: absorbed attention of every DeepSeek model
      ScoreTile<576>(tile, scores);
      break;
    case 192:  // nope 128 and rope 64: the expanded one
      ScoreTile<192>(tile, scores);
      break;
    default:
      ScoreTile<0>(tile, scores);
  }
  const F minus_infinity = Simd::Set(-__builtin_inff());
  const F visible = Simd::Load(tile.visible);
  const F before = Simd::Load(tile.largest);
  F largest = before;
  for (int t = 0; t < kAttentionTile; ++t) {
    scores[t] = Simd::Set(static_cast<float>(t)) < visible ? scores[t] : minus_infinity;
    largest = Simd::Max(scores[t], largest);
  }
  // A lane that has seen no token yet keeps a finite reference, or its differences would be NaN.
  const F reference = largest == minus_infinity ? F{} : largest;
  const F decay = Exp(before - reference);
  F sum = Simd::Load(tile.sum) * decay;
  for (int t = 0; t < kAttentionTile; ++t) {
    scores[t] = Exp(scores[t] - reference);
    sum += scores[t];
  }
  Simd::Store(tile.largest, largest);
  Simd::Store(tile.sum, sum);
  int column = 0;
  for (; column + 8 <= tile.value_width; column += 8) AddValues<8>(tile, scores, decay, column);
  for (; column < tile.value_width; column += 4) AddValues<4>(tile, scores, decay, column);
}

}  // namespace
}  // namespace paluku
