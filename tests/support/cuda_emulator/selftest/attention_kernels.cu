// Attention of one query over a cache (dynamic shared memory, online softmax), and its defects.
#include "tests/support/cuda_emulator/selftest/kernels_common.cuh"

namespace paluku::selftest {
// A name, so that other compilers' PTX has the same kernels.
namespace attention {

constexpr int kHead = 64;
constexpr int kTile = 128;  // keys at a time, one a thread

// Shared memory: the query [kHead], weights of the tile [kTile], maxima and sums of the four warps
// [4 + 4].
template <Defect kDefect>
__global__ void Attention(const __half* query, const __half* keys, const __half* values, float* out,
                          int length, float scale) {
  extern __shared__ float shared[];
  float* const q = shared;
  float* const tile = shared + kHead;
  float* const maxima = tile + kTile;
  float* const sums = kDefect == Defect::kReuseWithoutBarrier ? maxima : maxima + 4;
  const int thread = threadIdx.x;
  const int lane = thread % 32;
  const int warp = thread / 32;
  keys += static_cast<std::size_t>(blockIdx.x) * length * kHead;
  values += static_cast<std::size_t>(blockIdx.x) * length * kHead;
  if (thread < kHead) q[thread] = __half2float(query[blockIdx.x * kHead + thread]) * scale;
  float most = -INFINITY;
  float total = 0;
  float sum = 0;
  __syncthreads();
  for (int first = 0; first < length; first += kTile) {
    const int key = first + thread;
    float score = -INFINITY;
    if (key < length) {
      score = 0;
      for (int i = 0; i < kHead; i += 2) {
        const float2 pair = __half22float2(
            *reinterpret_cast<const __half2*>(keys + static_cast<std::size_t>(key) * kHead + i));
        score += pair.x * q[i] + pair.y * q[i + 1];
      }
    }
    const float of_warp = WarpMax(score);
    if (lane == 0) maxima[warp] = of_warp;
    __syncthreads();
    const float next = fmaxf(fmaxf(fmaxf(maxima[0], maxima[1]), fmaxf(maxima[2], maxima[3])), most);
    const float weight = __expf(score - next);
    tile[thread] = weight;
    const float part = WarpSum(weight);
    if (lane == 0) sums[warp] = part;
    __syncthreads();
    const float shrink = __expf(most - next);
    total = total * shrink + sums[0] + sums[1] + sums[2] + sums[3];
    most = next;
    sum *= shrink;
    const int here = min(kTile, length - first);
    if (thread < kHead) {
      for (int j = 0; j < here; ++j)
        sum += tile[j] * __half2float(values[static_cast<std::size_t>(first + j) * kHead + thread]);
    }
    __syncthreads();
  }
  if (thread < kHead) out[blockIdx.x * kHead + thread] = sum / total;
}

template <Defect kDefect>
double Error(int heads, int length) {
  Numbers numbers;
  const std::size_t cache = static_cast<std::size_t>(heads) * length * kHead;
  const std::vector<__half> q = numbers.Halves(static_cast<std::size_t>(heads) * kHead);
  const std::vector<__half> k = numbers.Halves(cache);
  const std::vector<__half> v = numbers.Halves(cache);
  const DeviceArray<__half> dq(q);
  const DeviceArray<__half> dk(k);
  const DeviceArray<__half> dv(v);
  const DeviceArray<float> out(static_cast<std::size_t>(heads) * kHead);
  std::size_t shared = (kHead + kTile + 8) * sizeof(float);
  if (kDefect == Defect::kTooLittleDynamicShared) shared -= sizeof(float);
  Attention<kDefect>
      <<<heads, kTile, shared>>>(dq.get(), dk.get(), dv.get(), out.get(), length, 0.125F);
  const std::vector<float> o = out.Read();
  double worst = 0;
  for (int h = 0; h < heads; ++h) {
    std::vector<double> weights(length);
    double total = 0;
    for (int t = 0; t < length; ++t) {
      double score = 0;
      for (int i = 0; i < kHead; ++i) {
        score += static_cast<double>(__half2float(q[h * kHead + i])) *
                 __half2float(k[(static_cast<std::size_t>(h) * length + t) * kHead + i]);
      }
      weights[t] = std::exp(score * 0.125);
      total += weights[t];
    }
    for (int i = 0; i < kHead; ++i) {
      double sum = 0;
      for (int t = 0; t < length; ++t) {
        sum += weights[t] * __half2float(v[(static_cast<std::size_t>(h) * length + t) * kHead + i]);
      }
      Worst(worst, o[h * kHead + i] - sum / total);
    }
  }
  return Finish(worst);
}

}  // namespace attention
using namespace attention;

double RunAttention(Defect defect, int heads, int length) {
  switch (defect) {
    case Defect::kReuseWithoutBarrier:
      return Error<Defect::kReuseWithoutBarrier>(heads, length);
    case Defect::kTooLittleDynamicShared:
      return Error<Defect::kTooLittleDynamicShared>(heads, length);
    default:
      return Error<Defect::kNone>(heads, length);
  }
}

}  // namespace paluku::selftest
