// Rows of the latent cache: encoding as ../../latent_row.h defines it, and reading single values.
#pragma once

#include <cuda_fp16.h>

#include "engine/backend/cuda/kernels/step_rows.h"
#include "engine/backend/cuda/kernels/warp.cuh"

namespace paluku::cuda {

__device__ __forceinline__ int LatentRowBytes(const LatentPages& pages) {
  if (pages.type == LatentType::kF32) return 4 * (pages.latent + pages.rope);
  if (pages.type == LatentType::kF16) return 2 * (pages.latent + pages.rope);
  return pages.latent + 2 * (pages.latent / kLatentScaleGroup) + 2 * pages.rope;
}

__device__ __forceinline__ int RowBytes(const LatentPages& pages) {
  return LatentRowBytes(pages) + (pages.type == LatentType::kF32 ? 4 : 2) * pages.index;
}

// The row of `position` in the sequence whose page table begins at `table`.
__device__ __forceinline__ unsigned char* CacheRow(const CacheView& cache,
                                                   const std::int32_t* table, int position) {
  const LatentPages& pages = cache.pages;
  const std::int64_t page =
      static_cast<std::int64_t>(table[position / kPageTokens]) * pages.layers + cache.layer;
  return reinterpret_cast<unsigned char*>(pages.data) +
         (page * kPageTokens + position % kPageTokens) * RowBytes(pages);
}

// Value `i` of [latent | rope].
__device__ __forceinline__ float LatentValue(const LatentPages& pages, const unsigned char* row,
                                             int i) {
  if (pages.type == LatentType::kF32) return reinterpret_cast<const float*>(row)[i];
  if (pages.type == LatentType::kF16) {
    return __half2float(reinterpret_cast<const __half*>(row)[i]);
  }
  const auto* scales = reinterpret_cast<const __half*>(row + pages.latent);
  const int groups = pages.latent / kLatentScaleGroup;
  if (i >= pages.latent) return __half2float(scales[groups + i - pages.latent]);
  return static_cast<float>(reinterpret_cast<const signed char*>(row)[i]) *
         __half2float(scales[i / kLatentScaleGroup]);
}

// Stores rope value `i`.
__device__ __forceinline__ void StoreRope(const LatentPages& pages, unsigned char* row, int i,
                                          float value) {
  if (pages.type == LatentType::kF32) {
    reinterpret_cast<float*>(row)[pages.latent + i] = value;
    return;
  }
  const int before = pages.type == LatentType::kF16
                         ? 2 * pages.latent
                         : pages.latent + 2 * (pages.latent / kLatentScaleGroup);
  reinterpret_cast<__half*>(row + before)[i] = __float2half_rn(value);
}

// Stores latent value `i`. For kQ8 the 32 lanes of a warp hold the 32 values of a group.
__device__ __forceinline__ void StoreLatent(const LatentPages& pages, unsigned char* row, int i,
                                            float value) {
  if (pages.type == LatentType::kF32) {
    reinterpret_cast<float*>(row)[i] = value;
    return;
  }
  if (pages.type == LatentType::kF16) {
    reinterpret_cast<__half*>(row)[i] = __float2half_rn(value);
    return;
  }
  const __half half = __float2half_rn(WarpMaxOrNan(fabsf(value)) / 127.0f);
  const float scale = __half2float(half);
  const float q = scale > 0 ? rintf(value / scale) : 0.0f;
  reinterpret_cast<signed char*>(row)[i] =
      static_cast<signed char>(fminf(fmaxf(q, -127.0f), 127.0f));
  if (i % kLatentScaleGroup == 0) {
    reinterpret_cast<__half*>(row + pages.latent)[i / kLatentScaleGroup] = half;
  }
}

// Value `i` of the indexer's key behind the row.
__device__ __forceinline__ float IndexValue(const LatentPages& pages, const unsigned char* row,
                                            int i) {
  const unsigned char* key = row + LatentRowBytes(pages);
  if (pages.type == LatentType::kF32) return reinterpret_cast<const float*>(key)[i];
  return __half2float(reinterpret_cast<const __half*>(key)[i]);
}

__device__ __forceinline__ void StoreIndex(const LatentPages& pages, unsigned char* row, int i,
                                           float value) {
  unsigned char* key = row + LatentRowBytes(pages);
  if (pages.type == LatentType::kF32) {
    reinterpret_cast<float*>(key)[i] = value;
  } else {
    reinterpret_cast<__half*>(key)[i] = __float2half_rn(value);
  }
}

}  // namespace paluku::cuda
