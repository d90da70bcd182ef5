// The same functions compiled by nvcc for the host and as PTX: the interpreter must agree with the
// host's processor.
#include <cstring>

#include "tests/support/cuda_emulator/selftest/kernels_common.cuh"

namespace paluku::selftest {
// A name, so that other compilers' PTX has the same kernels.
namespace conformance {

#define PALUKU_HD __host__ __device__ inline

// a * b + a; the host has no intrinsic for it, so it rounds twice.
PALUKU_HD __half MultiplyAddHalf(__half a, __half b) {
#ifdef __CUDA_ARCH__
  return __hfma(a, b, a);
#else
  return __float2half(fmaf(__half2float(a), __half2float(b), __half2float(a)));
#endif
}

// A function of two floats and two integers; each case is one thing that PTX must do right.
PALUKU_HD float Call(int function, float a, float b, int i, int j) {
  const long long wide = static_cast<long long>(i) * 2654435761LL + j;
  const auto u = static_cast<unsigned>(i);
  const unsigned v = static_cast<unsigned>(j) | 1U;
  switch (function) {
    case 0:
      return expf(a);
    case 1:
      return logf(fabsf(a));
    case 2:
      return powf(fabsf(a), b);
    case 3:
      return tanhf(a);
    case 4:
      return sinf(a);
    case 5:
      return cosf(a * 100);
    case 6:
      return erff(a);
    case 7:
      return fmodf(a, b);
    case 8:
      return roundf(a);
    case 9:
      return rintf(a);
    case 10:
      return floorf(a);
    case 11:
      return truncf(a * 1e3F);
    case 12:
      return a / b;
    case 13:
      return sqrtf(fabsf(a));
    case 14:
      return fmaf(a, b, a);
    case 15:
      return fminf(a, b);
    case 16:
      return static_cast<float>(i / (j != 0 ? j : 3));
    case 17:
      return static_cast<float>(i % (j != 0 ? j : 3));
    case 18:
      return static_cast<float>(u / v);
    case 19:
      return static_cast<float>(u % v);
    case 20:
      return static_cast<float>(wide / (j != 0 ? j : 7));
    case 21:
      return static_cast<float>(static_cast<unsigned long long>(wide) % v);
    case 22:
      return static_cast<float>(static_cast<std::int8_t>(i));
    case 23:
      return static_cast<float>(static_cast<std::uint8_t>(i));
    case 24:
      return static_cast<float>(static_cast<std::int16_t>(i >> 3));
    case 25:
      return static_cast<float>(wide >> 17);
    case 26:
      return fabsf(a) < 1e6F ? static_cast<float>(static_cast<int>(a)) : 0;
    case 27:
      return fabsf(a) < 1e6F ? static_cast<float>(static_cast<unsigned>(fabsf(a))) : 0;
    case 28:
      return fabsf(a) < 1e6F ? static_cast<float>(static_cast<long long>(a * 1e6F)) : 0;
    case 29:
      return static_cast<float>((u << (j & 31)) ^ (u >> (j & 31)));
    case 30:
      return __half2float(__float2half(a));
    case 31:
      return __bfloat162float(__float2bfloat16(a));
    case 32: {
      const __half2 pair = __floats2half2_rn(a, b);
      const __half2 sum = __hadd2(pair, pair);
      return __low2float(sum) - __high2float(sum);
    }
    case 33:
      return __half2float(__float2half(a) * __float2half(b));
    case 34:
      return __bfloat162float(__float2bfloat16(a) + __float2bfloat16(b));
    case 35:
      return a < b ? a : (a != a ? 1.0F : b);
    case 36: {
      float table[8];
      for (int q = 0; q < 8; ++q) table[q] = a * q + b;
      return table[i & 7] + table[j & 7];
    }
    case 37:
      return ldexpf(a, i & 15);
    case 38:
      return static_cast<float>(static_cast<double>(a) * b + 1e-9 * i);
    case 39:
      return log1pf(fabsf(a));
    case 40:
      return exp2f(a);
    case 41:
      return cbrtf(a);
    case 42:
      return a / (1.0F + expf(-a));
    case 43:
      return 0.5F * a * (1.0F + tanhf(0.7978845608F * (a + 0.044715F * a * a * a)));
    case 44:
      return static_cast<float>(sqrt(fabs(static_cast<double>(a))));
    case 45:
      return rsqrtf(fabsf(b) + 1e-3F);
    case 46:
      return fmaxf(a, b);
    case 47:
      return copysignf(b, a);
    case 48:
      return static_cast<float>(static_cast<double>(i) / (static_cast<double>(j) + 0.5));
    case 49:
      return static_cast<float>(isfinite(a)) + 2.0F * isnan(a) + 4.0F * isinf(a);
    case 50:
      return static_cast<float>(u * 2654435761U >> 7);
    case 51:
      return static_cast<float>((static_cast<unsigned long long>(u) * v) >> 32);
    case 52:
      return static_cast<float>(i < 0 ? -i : i);
    case 53:
      return __half2float(__float2half(static_cast<float>(i)));
    case 54:
      return __half2float(MultiplyAddHalf(__float2half(a), __float2half(b)));
    case 55:
      return nextafterf(a, b);
    case 56:
      return static_cast<float>(static_cast<double>(wide));
    default:
      return static_cast<float>(static_cast<unsigned long long>(wide));
  }
}
constexpr int kFunctions = 58;

__global__ void Functions(const float* a, const float* b, const int* i, const int* j, float* out,
                          int count) {
  const int at = blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= count) return;
  for (int function = 0; function < kFunctions; ++function) {
    out[function * count + at] = Call(function, a[at], b[at], i[at], j[at]);
  }
}

// The sum of a over the warp and the maximum of b. Not __reduce_add_sync: clang 19's header gives
// its builtin mask and value the wrong way round (the emulator reports lanes outside their own
// mask).
__device__ std::uint32_t Reduced(std::uint32_t a, std::uint32_t b) {
  std::uint32_t sum = 496, most = 155;  // of lanes and five times lanes: cards before Ampere cannot
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  asm volatile("redux.sync.add.u32 %0, %2, 0xFFFFFFFF; redux.sync.max.u32 %1, %3, 0xFFFFFFFF;"
               : "=&r"(sum), "=r"(most)
               : "r"(a), "r"(b));
#endif
  return sum + most;
}

__constant__ float quarters[4] = {0.5F, 1.5F, -2.0F, 3.0F};

__global__ void Intrinsics(std::uint32_t* out, float* sum) {
  const unsigned t = threadIdx.x;
  std::uint32_t r = __popc(t * 0x9E3779B9U) + (__clz(t + 1) << 8) + (__brev(t) >> 24 << 16);
  r ^= __byte_perm(t, ~t, 0x3715);
  r += __ballot_sync(0xFFFFFFFF, t & 1);
  r += __funnelshift_l(t, t * 7, 5);
  r += __shfl_up_sync(0xFFFFFFFF, t, 3) * 3 + __shfl_down_sync(0xFFFFFFFF, t, 5) * 5 +
       __shfl_sync(0xFFFFFFFF, t, 7, 8) * 7;
  r += __any_sync(0xFFFFFFFF, t == 5) + 2 * __all_sync(0xFFFFFFFF, t < 31) +
       __syncthreads_count(t < 9);
  r += __dp4a(static_cast<int>(0x81828384U + t), 0x7F01FE03, 5);
  r += __vadd4(t, 0x01FF01FF);
  r += __match_any_sync(0xFFFFFFFF, t % 3) * 11;
  r ^= __ffs(static_cast<int>(t * 12)) << 9;
  r += __shfl_xor_sync(0x0000FFFFU << (t & 16), t, 9) * 13;
  r += Reduced(t, t * 5);
  atomicAdd(sum, quarters[t & 3]);
  atomicMax(out + 32, t);
  out[33 + t] = 0;
  if (atomicCAS(out + 33 + t, 0U, t + 1) == 0) r += atomicExch(out + 33 + t, 3U);
  out[t] = r;
}

__device__ std::uint64_t Words(std::uint32_t low, std::uint32_t high) {
  return static_cast<std::uint64_t>(high) << 32 | low;
}

// Sums, differences and products that are longer than a register; HostChains says of what.
__global__ void Chains(const std::uint64_t* numbers, std::uint64_t* all, int count) {
  const int at = blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= count) return;
  const std::uint64_t a = numbers[4 * at], b = numbers[4 * at + 1], c = numbers[4 * at + 2],
                      d = numbers[4 * at + 3];
  std::uint64_t* out = all + kChains * at;
  const auto a0 = static_cast<std::uint32_t>(a), a1 = static_cast<std::uint32_t>(a >> 32);
  const auto b0 = static_cast<std::uint32_t>(b), b1 = static_cast<std::uint32_t>(b >> 32);
  const auto c0 = static_cast<std::uint32_t>(c), d0 = static_cast<std::uint32_t>(d);
  std::uint64_t low, high;
  std::uint32_t x, y, z;
  asm("add.cc.u64 %0, %2, %3; addc.u64 %1, %4, %5;"
      : "=&l"(low), "=l"(high)
      : "l"(a), "l"(b), "l"(c), "l"(d));
  out[0] = low ^ high << 1;
  asm("sub.cc.u64 %0, %2, %3; subc.u64 %1, %4, %5;"
      : "=&l"(low), "=l"(high)
      : "l"(a), "l"(b), "l"(c), "l"(d));
  out[1] = low ^ high << 1;
  asm("add.cc.u32 %0, %3, %5; addc.cc.u32 %1, %4, %6; addc.u32 %2, %7, %8;"
      : "=&r"(x), "=&r"(y), "=r"(z)
      : "r"(a0), "r"(a1), "r"(b0), "r"(b1), "r"(c0), "r"(d0));
  out[2] = Words(x, y);
  out[3] = z;
  asm("sub.cc.s32 %0, %3, %5; subc.cc.s32 %1, %4, %6; subc.s32 %2, %7, %8;"
      : "=&r"(x), "=&r"(y), "=r"(z)
      : "r"(a0), "r"(a1), "r"(b0), "r"(b1), "r"(c0), "r"(d0));
  out[4] = Words(x, y);
  out[5] = z;
  asm("mad.lo.cc.u32 %0, %2, %3, %4; madc.hi.u32 %1, %2, %3, %5;"
      : "=&r"(x), "=r"(y)
      : "r"(a0), "r"(b0), "r"(c0), "r"(d0));
  out[6] = Words(x, y);
  asm("mad.lo.cc.u64 %0, %2, %3, %4; madc.hi.u64 %1, %2, %3, %5;"
      : "=&l"(low), "=l"(high)
      : "l"(a), "l"(b), "l"(c), "l"(d));
  out[7] = low ^ high << 1;
  asm("mad.hi.cc.s32 %0, %2, %3, %4; addc.u32 %1, 0, 0;"
      : "=&r"(x), "=r"(y)
      : "r"(a0), "r"(b0), "r"(c0));
  out[8] = Words(x, y);
  asm("add.cc.u32 %0, %3, %4; madc.lo.cc.s32 %1, %3, %4, %5; addc.u32 %2, 0, 0;"
      : "=&r"(x), "=&r"(y), "=r"(z)
      : "r"(a0), "r"(b0), "r"(c0));
  out[9] = Words(y, z);
  asm("vadd4.u32.u32.u32 %0, %2, %3, %4; vsub4.u32.u32.u32 %1, %2, %3, %4;"
      : "=&r"(x), "=r"(y)
      : "r"(a0), "r"(b0), "r"(0));
  out[10] = Words(x, y);
  asm("vadd2.s32.s32.s32 %0, %2, %3, %4; vsub2.s32.s32.s32 %1, %2, %3, %4;"
      : "=&r"(x), "=r"(y)
      : "r"(a0), "r"(b0), "r"(0));
  out[11] = Words(x, y);
}

}  // namespace conformance
using namespace conformance;

void LaunchChains(const std::uint64_t* numbers, std::uint64_t* out, int count) {
  Chains<<<(count + 63) / 64, 64>>>(numbers, out, count);
}

namespace {

using Long = unsigned __int128;

Long Join(std::uint64_t low, std::uint64_t high) { return static_cast<Long>(high) << 64 | low; }
std::uint64_t Mix(Long value) {
  return static_cast<std::uint64_t>(value) ^ static_cast<std::uint64_t>(value >> 64) << 1;
}

// Each number of `bits` of a and b, added or subtracted for itself.
std::uint32_t InParts(std::uint32_t a, std::uint32_t b, int bits, bool subtract) {
  std::uint64_t result = 0;
  for (int at = 0; at < 32; at += bits) {
    const std::int64_t size = std::int64_t{1} << bits;
    const std::int64_t x = (a >> at) % size, y = (b >> at) % size;
    result |= static_cast<std::uint64_t>((x + (subtract ? size - y : y)) % size) << at;
  }
  return static_cast<std::uint32_t>(result);
}

}  // namespace

// In integers of 128 bits, which the host's compiler knows.
void HostChains(const std::uint64_t* numbers, std::uint64_t* out) {
  const std::uint64_t a = numbers[0], b = numbers[1], c = numbers[2], d = numbers[3];
  const auto a0 = static_cast<std::uint32_t>(a), b0 = static_cast<std::uint32_t>(b);
  const auto c0 = static_cast<std::uint32_t>(c), d0 = static_cast<std::uint32_t>(d);
  const auto word = [](Long value) { return static_cast<std::uint64_t>(value) & 0xFFFFFFFFU; };
  const auto half = [](Long value) { return static_cast<std::uint64_t>(value); };
  const auto words = [](std::uint64_t low, std::uint64_t high) { return high << 32 | low; };
  out[0] = Mix(Join(a, c) + Join(b, d));
  out[1] = Mix(Join(a, c) - Join(b, d));
  const Long sum = Join(a, c0) + Join(b, d0), difference = Join(a, c0) - Join(b, d0);
  out[2] = half(sum);
  out[3] = word(sum >> 64);
  out[4] = half(difference);
  out[5] = word(difference >> 64);
  out[6] = static_cast<std::uint64_t>(a0) * b0 + words(c0, d0);
  out[7] = Mix(static_cast<Long>(a) * b + Join(c, d));
  const std::int64_t product =
      static_cast<std::int64_t>(static_cast<std::int32_t>(a0)) * static_cast<std::int32_t>(b0);
  const std::uint64_t high = word(static_cast<Long>(static_cast<std::uint64_t>(product) >> 32));
  out[8] = high + c0;  // the carry is bit 32
  const std::uint64_t carry = (static_cast<std::uint64_t>(a0) + b0) >> 32;
  out[9] = word(static_cast<std::uint64_t>(product)) + c0 + carry;
  out[10] = words(InParts(a0, b0, 8, false), InParts(a0, b0, 8, true));
  out[11] = words(InParts(a0, b0, 16, false), InParts(a0, b0, 16, true));
}

int FunctionCount() { return kFunctions; }

double FunctionTolerance(int function) {
  switch (function) {
    case 43:
      return 1e-5;  // cancellation in 1 + tanhf: the host's tanhf and libdevice's differ in the
                    // last place
    case 54:
      return 1e-3;  // the host rounds twice, through float
    default:
      return 3e-6;
  }
}

float HostFunction(int function, float a, float b, int i, int j) {
  return Call(function, a, b, i, j);
}

void LaunchFunctions(const float* a, const float* b, const int* i, const int* j, float* out,
                     int count) {
  Functions<<<(count + 63) / 64, 64>>>(a, b, i, j, out, count);
}

void LaunchIntrinsics(std::uint32_t* out, float* sum) { Intrinsics<<<1, 32>>>(out, sum); }

// The same again without any intrinsic.
std::uint32_t HostIntrinsics(std::uint32_t t) {
  const auto reverse = [](std::uint32_t x) {
    std::uint32_t r = 0;
    for (int i = 0; i < 32; ++i) r |= (x >> i & 1) << (31 - i);
    return r;
  };
  const auto permute = [](std::uint32_t a, std::uint32_t b, std::uint32_t selector) {
    const std::uint64_t bytes = static_cast<std::uint64_t>(b) << 32 | a;
    std::uint32_t r = 0;
    for (int i = 0; i < 4; ++i)
      r |= static_cast<std::uint32_t>(bytes >> 8 * (selector >> 4 * i & 7) & 255) << 8 * i;
    return r;
  };
  std::uint32_t r = static_cast<std::uint32_t>(__builtin_popcount(t * 0x9E3779B9U)) +
                    (static_cast<std::uint32_t>(__builtin_clz(t + 1)) << 8) +
                    (reverse(t) >> 24 << 16);
  r ^= permute(t, ~t, 0x3715);
  r += 0xAAAAAAAA;
  r += static_cast<std::uint32_t>((static_cast<std::uint64_t>(t * 7) << 32 | t) << 5 >> 32);
  r += (t >= 3 ? t - 3 : t) * 3 + (t + 5 < 32 ? t + 5 : t) * 5 + (t / 8 * 8 + 7) * 7;
  r += 1 + 0 + 9;
  const std::uint32_t x = 0x81828384U + t;
  std::uint32_t dot = 5;
  for (int i = 0; i < 4; ++i) {
    dot += static_cast<std::uint32_t>(static_cast<signed char>(x >> 8 * i) *
                                      static_cast<signed char>(0x7F01FE03U >> 8 * i));
  }
  r += dot;
  for (int i = 0; i < 4; ++i)
    r += (((t >> 8 * i & 255) + (0x01FF01FFU >> 8 * i & 255)) & 255) << 8 * i;
  std::uint32_t same = 0;
  for (std::uint32_t other = t % 3; other < 32; other += 3) same |= 1U << other;
  r += same * 11;
  r ^= static_cast<std::uint32_t>(__builtin_ffs(static_cast<int>(t * 12))) << 9;
  r += ((t & 16) + (t % 16 ^ 9)) * 13;
  r += 496 + 155;
  return r + t + 1;
}

}  // namespace paluku::selftest
