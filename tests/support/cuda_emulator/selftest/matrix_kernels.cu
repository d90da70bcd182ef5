// Matrix product with cp.async, ldmatrix and mma; fragments of every mma form; and their defects.
#include "tests/support/cuda_emulator/selftest/kernels_common.cuh"

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
#define PALUKU_SELFTEST_SM80 1
#else
#define PALUKU_SELFTEST_SM80 0
#endif

namespace paluku::selftest {
// A name, so that other compilers' PTX has the same kernels.
namespace matrix {

// 16 bytes from global to shared memory, arriving later where the architecture can.
__device__ void CopyAsync(void* shared, const void* global) {
#if PALUKU_SELFTEST_SM80
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(SharedAddress(shared)), "l"(global)
               : "memory");
#else
  *static_cast<uint4*>(shared) = *static_cast<const uint4*>(global);
#endif
}

__device__ void CommitCopies() {
#if PALUKU_SELFTEST_SM80
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

template <int kPending>
__device__ void WaitCopies() {
#if PALUKU_SELFTEST_SM80
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
#endif
}

__device__ void LoadMatrix4(std::uint32_t (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(SharedAddress(row))
               : "memory");
}

__device__ void LoadMatrix2(std::uint32_t (&r)[2], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];"
               : "=r"(r[0]), "=r"(r[1])
               : "r"(SharedAddress(row))
               : "memory");
}

__device__ void Half8(float* d, std::uint32_t a0, std::uint32_t a1, std::uint32_t b) {
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, "
      "{%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a0), "r"(a1), "r"(b));
}

__device__ void Half16(float* d, const std::uint32_t* a, const std::uint32_t* b) {
#if PALUKU_SELFTEST_SM80
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  Half8(d, a[0], a[1], b[0]);
  Half8(d, a[2], a[3], b[1]);
#endif
}

// C = A B^T: one warp a tile of 16 x 8, two stages of depth 16. Rows of 24 halves keep banks apart.
template <Defect kDefect>
__global__ void Product(const __half* a, const __half* b, float* c, int n, int k) {
  __shared__ __align__(16) __half tile_a[2][16][24];
  __shared__ __align__(16) __half tile_b[2][8][24];
  const int lane = threadIdx.x;
  const int row0 = blockIdx.y * 16;
  const int column0 = blockIdx.x * 8;
  const auto load = [&](int stage, int depth) {
    const int row = lane / 2;
    const int part = lane % 2 * 8;
    CopyAsync(&tile_a[stage][row][part],
              a + static_cast<std::size_t>(row0 + row) * k + depth + part);
    if (lane < 16)
      CopyAsync(&tile_b[stage][row][part],
                b + static_cast<std::size_t>(column0 + row) * k + depth + part);
    CommitCopies();
  };
  float d[4] = {};
  load(0, 0);
  int stage = 0;
  for (int depth = 0; depth < k; depth += 16) {
    const bool more = depth + 16 < k;
    if (more) load(1 - stage, depth + 16);
    if (kDefect != Defect::kNoCopyWait) {
      if (more) {
        WaitCopies<1>();
      } else {
        WaitCopies<0>();
      }
    }
    if (kDefect != Defect::kNoWarpSync) __syncwarp();
    std::uint32_t fa[4];
    std::uint32_t fb[2];
    const int half = kDefect == Defect::kWrongMatrixLane ? lane / 8 % 2 : lane / 16;
    LoadMatrix4(fa, &tile_a[stage][lane % 16][half * 8]);
    LoadMatrix2(fb, &tile_b[stage][lane % 8][lane / 8 % 2 * 8]);
    if (kDefect == Defect::kSwappedMatrixRegisters) {
      const std::uint32_t kept = fa[1];
      fa[1] = fa[2];
      fa[2] = kept;
    }
    Half16(d, fa, fb);
    if (kDefect != Defect::kCopyOverwritten) __syncwarp();
    stage = 1 - stage;
  }
  for (int i = 0; i < 4; ++i) {
    const int row = row0 + lane / 4 + i / 2 * 8;
    c[static_cast<std::size_t>(row) * n + column0 + lane % 4 * 2 + i % 2] = d[i];
  }
}

template <Defect kDefect>
double Error(int m, int n, int k) {
  Numbers numbers;
  const std::vector<__half> a = numbers.Halves(static_cast<std::size_t>(m) * k);
  const std::vector<__half> b = numbers.Halves(static_cast<std::size_t>(n) * k);
  const DeviceArray<__half> da(a);
  const DeviceArray<__half> db(b);
  const DeviceArray<float> dc(static_cast<std::size_t>(m) * n);
  Product<kDefect><<<dim3(n / 8, m / 16), 32>>>(da.get(), db.get(), dc.get(), n, k);
  const std::vector<float> c = dc.Read();
  double worst = 0;
  for (int i = 0; i < m; ++i) {
    for (int j = 0; j < n; ++j) {
      double sum = 0;
      for (int l = 0; l < k; ++l)
        sum += static_cast<double>(__half2float(a[i * k + l])) * __half2float(b[j * k + l]);
      Worst(worst, c[static_cast<std::size_t>(i) * n + j] - sum);
    }
  }
  return Finish(worst);
}

#define PALUKU_SELFTEST_MMA4(name, a_list, b_list, ...)                                          \
  asm volatile("mma.sync.aligned." name " {%0,%1,%2,%3}, " a_list ", " b_list ", {%0,%1,%2,%3};" \
               : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])                                  \
               : __VA_ARGS__)

// The accumulators of floats are moved as bits, so that one kernel serves all forms.
template <MatrixForm kForm>
__device__ void Multiply(std::uint32_t* d, const std::uint32_t* a, const std::uint32_t* b) {
  if constexpr (kForm == MatrixForm::kHalf8) {
    float f[4];
    for (int i = 0; i < 4; ++i) f[i] = __uint_as_float(d[i]);
    Half8(f, a[0], a[1], b[0]);
    for (int i = 0; i < 4; ++i) d[i] = __float_as_uint(f[i]);
  } else if constexpr (kForm == MatrixForm::kByteSmall) {
    asm volatile("mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32 {%0,%1}, {%2}, {%3}, {%0,%1};"
                 : "+r"(d[0]), "+r"(d[1])
                 : "r"(a[0]), "r"(b[0]));
  }
#if PALUKU_SELFTEST_SM80
  if constexpr (kForm == MatrixForm::kHalf16 || kForm == MatrixForm::kBf16x16 ||
                kForm == MatrixForm::kBf16x8) {
    float f[4];
    for (int i = 0; i < 4; ++i) f[i] = __uint_as_float(d[i]);
    if constexpr (kForm == MatrixForm::kHalf16) {
      Half16(f, a, b);
    } else if constexpr (kForm == MatrixForm::kBf16x16) {
      asm volatile(
          "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, "
          "{%8,%9}, {%0,%1,%2,%3};"
          : "+f"(f[0]), "+f"(f[1]), "+f"(f[2]), "+f"(f[3])
          : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
    } else {
      asm volatile(
          "mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, "
          "{%0,%1,%2,%3};"
          : "+f"(f[0]), "+f"(f[1]), "+f"(f[2]), "+f"(f[3])
          : "r"(a[0]), "r"(a[1]), "r"(b[0]));
    }
    for (int i = 0; i < 4; ++i) d[i] = __float_as_uint(f[i]);
  } else if constexpr (kForm == MatrixForm::kByte16) {
    PALUKU_SELFTEST_MMA4("m16n8k16.row.col.s32.s8.s8.s32", "{%4,%5}", "{%6}", "r"(a[0]), "r"(a[1]),
                         "r"(b[0]));
  } else if constexpr (kForm == MatrixForm::kByte32) {
    PALUKU_SELFTEST_MMA4("m16n8k32.row.col.s32.s8.s8.s32", "{%4,%5,%6,%7}", "{%8,%9}", "r"(a[0]),
                         "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  } else if constexpr (kForm == MatrixForm::kUnsignedByte32) {
    PALUKU_SELFTEST_MMA4("m16n8k32.row.col.s32.u8.s8.s32", "{%4,%5,%6,%7}", "{%8,%9}", "r"(a[0]),
                         "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  }
#endif
}

template <MatrixForm kForm>
__global__ void Fragments(const std::uint32_t* a, const std::uint32_t* b, const std::uint32_t* c,
                          std::uint32_t* d) {
  std::uint32_t fa[4];
  std::uint32_t fb[2];
  std::uint32_t fd[4];
  for (int i = 0; i < 4; ++i) fa[i] = a[32 * i + threadIdx.x];
  for (int i = 0; i < 2; ++i) fb[i] = b[32 * i + threadIdx.x];
  for (int i = 0; i < 4; ++i) fd[i] = c[32 * i + threadIdx.x];
  Multiply<kForm>(fd, fa, fb);
  for (int i = 0; i < 4; ++i) d[32 * i + threadIdx.x] = fd[i];
}

__global__ void LoadMatrices(const std::uint16_t* rows, std::uint32_t* out, bool transposed) {
  __shared__ __align__(16) std::uint16_t shared[32][8];
  for (int i = 0; i < 8; ++i) shared[threadIdx.x][i] = rows[8 * threadIdx.x + i];
  __syncwarp();
  std::uint32_t r[4];
  if (transposed) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(SharedAddress(shared[threadIdx.x]))
                 : "memory");
  } else {
    LoadMatrix4(r, shared[threadIdx.x]);
  }
  for (int i = 0; i < 4; ++i) out[32 * i + threadIdx.x] = r[i];
}

}  // namespace matrix
using namespace matrix;

double RunMatrixProduct(Defect defect, int m, int n, int k) {
  switch (defect) {
    case Defect::kNoCopyWait:
      return Error<Defect::kNoCopyWait>(m, n, k);
    case Defect::kCopyOverwritten:
      return Error<Defect::kCopyOverwritten>(m, n, k);
    case Defect::kNoWarpSync:
      return Error<Defect::kNoWarpSync>(m, n, k);
    case Defect::kWrongMatrixLane:
      return Error<Defect::kWrongMatrixLane>(m, n, k);
    case Defect::kSwappedMatrixRegisters:
      return Error<Defect::kSwappedMatrixRegisters>(m, n, k);
    default:
      return Error<Defect::kNone>(m, n, k);
  }
}

bool HasMatrixForm(MatrixForm form, int arch) {
  return arch >= 80 || form == MatrixForm::kHalf8 || form == MatrixForm::kByteSmall;
}

void LaunchMatrixForm(MatrixForm form, const std::uint32_t* a, const std::uint32_t* b,
                      const std::uint32_t* c, std::uint32_t* d) {
  switch (form) {
    case MatrixForm::kHalf8:
      return Fragments<MatrixForm::kHalf8><<<1, 32>>>(a, b, c, d);
    case MatrixForm::kHalf16:
      return Fragments<MatrixForm::kHalf16><<<1, 32>>>(a, b, c, d);
    case MatrixForm::kBf16x8:
      return Fragments<MatrixForm::kBf16x8><<<1, 32>>>(a, b, c, d);
    case MatrixForm::kBf16x16:
      return Fragments<MatrixForm::kBf16x16><<<1, 32>>>(a, b, c, d);
    case MatrixForm::kByte16:
      return Fragments<MatrixForm::kByte16><<<1, 32>>>(a, b, c, d);
    case MatrixForm::kByte32:
      return Fragments<MatrixForm::kByte32><<<1, 32>>>(a, b, c, d);
    case MatrixForm::kUnsignedByte32:
      return Fragments<MatrixForm::kUnsignedByte32><<<1, 32>>>(a, b, c, d);
    case MatrixForm::kByteSmall:
      return Fragments<MatrixForm::kByteSmall><<<1, 32>>>(a, b, c, d);
  }
}

void LaunchLoadMatrix(const std::uint16_t* rows, std::uint32_t* out, bool transposed) {
  LoadMatrices<<<1, 32>>>(rows, out, transposed);
}

}  // namespace paluku::selftest
