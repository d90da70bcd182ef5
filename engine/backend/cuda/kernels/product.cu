#include "engine/backend/cuda/intrinsics/tensor_core.cuh"
#include "engine/backend/cuda/kernels/product.h"
#include "engine/backend/cuda/kernels/warp.cuh"
#include "engine/backend/cuda/kernels/weight_group.cuh"

namespace paluku::cuda {
namespace {

constexpr int kWarps = 4;
constexpr int kThreads = kWarps * kWarp;
constexpr int kWarpOutputs = 16;  // rows of weights of a warp
constexpr int kOutputs = kWarps * kWarpOutputs;
constexpr int kColumns = 8;  // places of one instruction
constexpr int kSmallTile = 16, kLargeTile = 32;
constexpr int kManyPlaces = 20;  // per expert, from which on the large tile is taken

// Words `t` and 4 + t of a group of 32 weights: values 4t .. 4t + 3 and 16 + 4t .. . The planes are
// laid out so that one word of the nibbles holds both.
template <WeightForm kForm>
__device__ __forceinline__ void LoadWords(const WeightView& w, std::int64_t group, int t,
                                          unsigned& first, unsigned& second) {
  const unsigned low = *reinterpret_cast<const unsigned*>(w.low + 16 * group + 4 * t);
  if constexpr (kForm == WeightForm::kBits8) {
    first = low;
    second = *reinterpret_cast<const unsigned*>(w.high + 16 * group + 4 * t);
  } else {
    first = low & 0x0f0f0f0fu;
    second = low >> 4 & 0x0f0f0f0fu;
  }
  if constexpr (kForm == WeightForm::kBits5) {
    const unsigned high = *reinterpret_cast<const unsigned*>(w.high + 4 * group);
    first |= (high >> t & 0x01010101u) << 4;
    second |= (high >> (4 + t) & 0x01010101u) << 4;
  }
  if constexpr (kForm == WeightForm::kBits6) {
    const uint2 high = *reinterpret_cast<const uint2*>(w.high + 8 * group);
    first |= (high.x >> (2 * t) & 0x03030303u) << 4;
    second |= (high.y >> (2 * t) & 0x03030303u) << 4;
  }
}

// The rows of x that this lane reads.
template <int kTile>
struct Inputs {
  int row[kTile / kColumns];      // as column of the product: place g of each eight
  int pair[kTile / kColumns][2];  // of the sums: places 2t and 2t + 1
};

// sums += weights * x over one group; a group has one scale or, with kHalves, two.
template <WeightForm kForm, bool kHalves, int kTile>
__device__ __forceinline__ void AddGroup(const WeightView& w, const QuantisedRows& x,
                                         const std::int64_t (&weight_rows)[2], int g,
                                         const Inputs<kTile>& inputs,
                                         float (&sums)[kTile / kColumns][4]) {
  const int groups = w.columns / kGroup, t = threadIdx.x % 4;
  unsigned a[4];
  LoadWords<kForm>(w, weight_rows[0] * groups + g, t, a[0], a[2]);
  LoadWords<kForm>(w, weight_rows[1] * groups + g, t, a[1], a[3]);
  const GroupScales scales[2] = {LoadScales(w, weight_rows[0], g),
                                 LoadScales(w, weight_rows[1], g)};
#pragma unroll
  for (int n = 0; n < kTile / kColumns; ++n) {
    const auto* from = reinterpret_cast<const unsigned*>(
        x.values + static_cast<std::int64_t>(inputs.row[n]) * w.columns + g * kGroup);
    const unsigned b[2] = {from[t], from[t + 4]};
    int low[4] = {}, high[4] = {};
    if constexpr (kHalves) {
      MultiplyAddHalf(low, a[0], a[1], b[0]);
      MultiplyAddHalf(high, a[2], a[3], b[1]);
    } else {
      MultiplyAdd(low, a, b);
    }
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const QuantisedGroup group =
          x.groups[static_cast<std::int64_t>(inputs.pair[n][i % 2]) * groups + g];
      const GroupScales& s = scales[i / 2];
      float value;
      if constexpr (kHalves) {
        const int sum0 = group.sums[0], sum1 = group.sums[1];
        value = s.scale[0] * static_cast<float>(low[i] - w.zero * sum0) +
                s.scale[1] * static_cast<float>(high[i] - w.zero * sum1) -
                (s.minimum[0] * static_cast<float>(sum0) + s.minimum[1] * static_cast<float>(sum1));
      } else {
        const int sum = group.sums[0] + group.sums[1];
        value = s.scale[0] * static_cast<float>(low[i] - w.zero * sum) -
                s.minimum[0] * static_cast<float>(sum);
      }
      sums[n][i] += group.scale * value;
    }
  }
}

template <WeightForm kForm, bool kHalves, int kTile>
__device__ __forceinline__ void AddGroups(const WeightView& w, const QuantisedRows& x,
                                          const std::int64_t (&rows)[2],
                                          const Inputs<kTile>& inputs,
                                          float (&sums)[kTile / kColumns][4]) {
  for (int g = 0; g < w.columns / kGroup; ++g)
    AddGroup<kForm, kHalves>(w, x, rows, g, inputs, sums);
}

// sums = weights * x for the warp's 16 rows of weights and all places of the tile.
template <int kTile>
__device__ __forceinline__ void Multiply(const WeightView& w, const QuantisedRows& x,
                                         const std::int64_t (&rows)[2], const Inputs<kTile>& inputs,
                                         float (&sums)[kTile / kColumns][4]) {
#pragma unroll
  for (int n = 0; n < kTile / kColumns; ++n) {
#pragma unroll
    for (int i = 0; i < 4; ++i) sums[n][i] = 0;
  }
  const bool halves = HasHalves(w.scale_form);
  switch (w.form) {
    case WeightForm::kBits4:
      return halves ? AddGroups<WeightForm::kBits4, true>(w, x, rows, inputs, sums)
                    : AddGroups<WeightForm::kBits4, false>(w, x, rows, inputs, sums);
    case WeightForm::kBits5:
      return halves ? AddGroups<WeightForm::kBits5, true>(w, x, rows, inputs, sums)
                    : AddGroups<WeightForm::kBits5, false>(w, x, rows, inputs, sums);
    case WeightForm::kBits6:  // always with scales of halves
      return AddGroups<WeightForm::kBits6, true>(w, x, rows, inputs, sums);
    default:
      return halves ? AddGroups<WeightForm::kBits8, true>(w, x, rows, inputs, sums)
                    : AddGroups<WeightForm::kBits8, false>(w, x, rows, inputs, sums);
  }
}

__device__ __forceinline__ ExpertTile TileOf(const ProductArgs& args, int tile) {
  if (args.groups.tiles != nullptr) {
    ExpertTile of_expert = args.groups.tiles[blockIdx.y];
    of_expert.expert -= args.first_expert;
    if (of_expert.expert < 0 || of_expert.expert >= args.experts) of_expert.count = 0;
    return of_expert;
  }
  const int first = static_cast<int>(blockIdx.y) * tile;
  return {0, first, min(tile, args.rows - first)};
}

// Block (64 outputs, tile of places). Places beyond the tile repeat its last one.
template <int kTile>
__global__ void __launch_bounds__(kThreads, 3) ProductKernel(ProductArgs args) {
  const ExpertTile tile = TileOf(args, kTile);
  const int lane = threadIdx.x % kWarp, g = lane / 4, t = lane % 4;
  const int output = blockIdx.x * kOutputs + threadIdx.x / kWarp * kWarpOutputs + g;
  if (tile.count <= 0 || output - g >= args.n) return;
  const auto input_row = [&](int i) {
    const int place = tile.first + min(i, tile.count - 1);
    return args.places == Places::kGather ? args.groups.order[place] / args.chosen : place;
  };
  Inputs<kTile> inputs;
#pragma unroll
  for (int n = 0; n < kTile / kColumns; ++n) {
    inputs.row[n] = input_row(n * kColumns + g);
    inputs.pair[n][0] = input_row(n * kColumns + 2 * t);
    inputs.pair[n][1] = input_row(n * kColumns + 2 * t + 1);
  }
  const std::int64_t first_row = static_cast<std::int64_t>(tile.expert) * args.n;
  const std::int64_t rows[2] = {first_row + min(output, args.n - 1),
                                first_row + min(output + 8, args.n - 1)};
  float sums[kTile / kColumns][4], up[kTile / kColumns][4];
  Multiply<kTile>(args.weight, args.x, rows, inputs, sums);
  const bool gated = args.up.low != nullptr;
  if (gated) Multiply<kTile>(args.up, args.x, rows, inputs, up);
#pragma unroll
  for (int n = 0; n < kTile / kColumns; ++n) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int place = n * kColumns + 2 * t + i % 2, row = output + i / 2 * 8;
      if (place >= tile.count || row >= args.n) continue;
      const float sum = sums[n][i];
      const std::int64_t to = args.places == Places::kScatter
                                  ? args.groups.order[tile.first + place]
                                  : tile.first + place;
      args.out[to * args.n + row] = gated ? sum / (1.0f + expf(-sum)) * up[n][i] : sum;
    }
  }
}

}  // namespace

int PlacesOfTile(int rows, int experts) {
  return rows / experts < kManyPlaces ? kSmallTile : kLargeTile;
}

void LaunchProduct(const ProductArgs& args, cudaStream_t stream) {
  const int tile = args.groups.tiles != nullptr ? args.groups.tile : PlacesOfTile(args.rows, 1);
  const int tiles =
      args.groups.tiles != nullptr ? args.groups.most_tiles : (args.rows + tile - 1) / tile;
  const dim3 grid(static_cast<unsigned>((args.n + kOutputs - 1) / kOutputs),
                  static_cast<unsigned>(tiles));
  if (tile == kSmallTile) {
    ProductKernel<kSmallTile><<<grid, kThreads, 0, stream>>>(args);
  } else {
    ProductKernel<kLargeTile><<<grid, kThreads, 0, stream>>>(args);
  }
}

}  // namespace paluku::cuda
