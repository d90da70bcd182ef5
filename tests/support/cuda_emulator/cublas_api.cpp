// A stand-in for libcublas.so.13: dense products in plain loops, with the argument rules of the
// documentation.
//
// Column-major, as BLAS is. Accumulates in double; real libraries sum in another order and
// precision.
#include <cublas_v2.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "tests/support/cuda_emulator/api_state.h"
#include "tests/support/cuda_emulator/float_formats.h"
#include "tests/support/cuda_emulator/launch.h"
#include "tests/support/cuda_emulator/settings.h"

#pragma GCC visibility push(default)

using namespace paluku::emulator;  // this file is nothing but the outside of that namespace

struct cublasContext {
  cudaStream_t stream = nullptr;
  cublasPointerMode_t pointer_mode = CUBLAS_POINTER_MODE_HOST;
  cublasMath_t math_mode = CUBLAS_DEFAULT_MATH;
};

namespace {

// Everything a product needs, copied at the call.
struct Product {
  bool transpose_a;
  bool transpose_b;
  int m, n, k;
  double alpha, beta;
  const void* a;
  const void* b;
  void* c;
  cudaDataType a_type, c_type;
  int lda, ldb, ldc;
  long long stride_a, stride_b, stride_c;
  int batch;
};

std::size_t Bytes(cudaDataType type) {
  switch (type) {
    case CUDA_R_8I:
      return 1;
    case CUDA_R_16F:
    case CUDA_R_16BF:
      return 2;
    default:
      return 4;
  }
}

double Load(const std::byte* base, std::size_t index, cudaDataType type) {
  const std::byte* at = base + index * Bytes(type);
  switch (type) {
    case CUDA_R_8I:
      return static_cast<double>(static_cast<std::int8_t>(*at));
    case CUDA_R_32I: {
      std::int32_t value;
      std::memcpy(&value, at, sizeof(value));
      return value;
    }
    case CUDA_R_32F: {
      float value;
      std::memcpy(&value, at, sizeof(value));
      return static_cast<double>(value);
    }
    default: {
      std::uint16_t bits;
      std::memcpy(&bits, at, sizeof(bits));
      return static_cast<double>(type == CUDA_R_16F ? HalfToFloat(bits) : Bf16ToFloat(bits));
    }
  }
}

void Store(std::byte* base, std::size_t index, cudaDataType type, double value) {
  std::byte* at = base + index * Bytes(type);
  if (type == CUDA_R_32F) {
    const auto narrow = static_cast<float>(value);
    std::memcpy(at, &narrow, sizeof(narrow));
  } else if (type == CUDA_R_32I) {
    const auto narrow = static_cast<std::int32_t>(static_cast<std::int64_t>(value));
    std::memcpy(at, &narrow, sizeof(narrow));
  } else {
    const std::uint16_t bits =
        type == CUDA_R_16F ? Half::FromDouble(value) : Bf16::FromDouble(value);
    std::memcpy(at, &bits, sizeof(bits));
  }
}

// Our memory behind a matrix of rows x columns, column by column checked; null after a report.
std::byte* Matrix(const void* base, int rows, int columns, int leading, cudaDataType type,
                  const char* name, bool reads, bool writes) {
  std::byte* first = nullptr;
  for (int column = 0; column < columns; ++column) {
    const auto* at = static_cast<const std::byte*>(base) +
                     static_cast<std::size_t>(column) * leading * Bytes(type);
    std::byte* memory =
        DeviceRange(at, static_cast<std::size_t>(rows) * Bytes(type), name, reads, writes);
    if (memory == nullptr) return nullptr;
    if (column == 0) first = memory;
  }
  return first;
}

void MultiplyOne(const Product& p, int batch) {
  const auto at = [&](const void* base, long long stride, cudaDataType type) {
    return static_cast<const std::byte*>(base) +
           static_cast<std::ptrdiff_t>(stride) * batch * static_cast<std::ptrdiff_t>(Bytes(type));
  };
  const std::byte* a =
      Matrix(at(p.a, p.stride_a, p.a_type), p.transpose_a ? p.k : p.m, p.transpose_a ? p.m : p.k,
             p.lda, p.a_type, "cuBLAS operand A", true, false);
  const std::byte* b =
      Matrix(at(p.b, p.stride_b, p.a_type), p.transpose_b ? p.n : p.k, p.transpose_b ? p.k : p.n,
             p.ldb, p.a_type, "cuBLAS operand B", true, false);
  std::byte* c = Matrix(at(p.c, p.stride_c, p.c_type), p.m, p.n, p.ldc, p.c_type,
                        "cuBLAS operand C", p.beta != 0, true);
  if (a == nullptr || b == nullptr || c == nullptr) return Break(cudaErrorIllegalAddress);
  // Rows of A and columns of B side by side in memory, for a quick inner loop.
  const auto depth = static_cast<std::size_t>(p.k);
  std::vector<double> rows(static_cast<std::size_t>(p.m) * depth);
  for (int i = 0; i < p.m; ++i) {
    for (int l = 0; l < p.k; ++l) {
      const std::size_t index = p.transpose_a ? static_cast<std::size_t>(i) * p.lda + l
                                              : static_cast<std::size_t>(l) * p.lda + i;
      rows[static_cast<std::size_t>(i) * depth + l] = Load(a, index, p.a_type);
    }
  }
  std::vector<double> column(depth);
  for (int j = 0; j < p.n; ++j) {
    for (int l = 0; l < p.k; ++l) {
      const std::size_t index = p.transpose_b ? static_cast<std::size_t>(l) * p.ldb + j
                                              : static_cast<std::size_t>(j) * p.ldb + l;
      column[static_cast<std::size_t>(l)] = Load(b, index, p.a_type);
    }
    for (int i = 0; i < p.m; ++i) {
      double sum = 0;
      const double* row = rows.data() + static_cast<std::size_t>(i) * depth;
      for (std::size_t l = 0; l < depth; ++l) sum += row[l] * column[l];
      const std::size_t index = static_cast<std::size_t>(j) * p.ldc + i;
      Store(c, index, p.c_type,
            p.alpha * sum + (p.beta == 0 ? 0 : p.beta * Load(c, index, p.c_type)));
    }
  }
}

// The combinations of types that the documentation of cublasGemmEx allows and that we use.
bool Supported(cudaDataType a, cudaDataType b, cudaDataType c, cublasComputeType_t compute) {
  if (a != b) return false;
  if (compute == CUBLAS_COMPUTE_32I) return a == CUDA_R_8I && c == CUDA_R_32I;
  if (compute != CUBLAS_COMPUTE_32F && compute != CUBLAS_COMPUTE_32F_PEDANTIC &&
      compute != CUBLAS_COMPUTE_32F_FAST_TF32) {
    return false;
  }
  if (a == CUDA_R_16F || a == CUDA_R_16BF) return c == a || c == CUDA_R_32F;
  return a == CUDA_R_32F && c == CUDA_R_32F;
}

double Scalar(const void* pointer, cublasComputeType_t compute) {
  if (compute == CUBLAS_COMPUTE_32I) return *static_cast<const std::int32_t*>(pointer);
  return static_cast<double>(*static_cast<const float*>(pointer));
}

}  // namespace

extern "C" {

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
  const ApiLock lock;
  const Faults& faults = settings().faults;
  if (faults.no_cublas || faults.no_driver || faults.no_device)
    return CUBLAS_STATUS_NOT_INITIALIZED;
  *handle = new cublasContext;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDestroy_v2(cublasHandle_t handle) {
  const ApiLock lock;
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetVersion_v2(cublasHandle_t, int* version) {
  *version = CUBLAS_VERSION;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream) {
  const ApiLock lock;
  handle->stream = stream;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t, void* workspace, size_t bytes) {
  const ApiLock lock;
  if (bytes > 0 && DeviceRange(workspace, bytes, "cuBLAS workspace", false, false) == nullptr) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
  handle->math_mode = mode;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetPointerMode_v2(cublasHandle_t handle, cublasPointerMode_t mode) {
  handle->pointer_mode = mode;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGemmStridedBatchedEx(cublasHandle_t handle, cublasOperation_t transa,
                                          cublasOperation_t transb, int m, int n, int k,
                                          const void* alpha, const void* a, cudaDataType a_type,
                                          int lda, long long stride_a, const void* b,
                                          cudaDataType b_type, int ldb, long long stride_b,
                                          const void* beta, void* c, cudaDataType c_type, int ldc,
                                          long long stride_c, int batch,
                                          cublasComputeType_t compute, cublasGemmAlgo_t) {
  const ApiLock lock;
  if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  const bool ta = transa != CUBLAS_OP_N;
  const bool tb = transb != CUBLAS_OP_N;
  if (m < 0 || n < 0 || k < 0 || batch < 0 || lda < std::max(1, ta ? k : m) ||
      ldb < std::max(1, tb ? n : k) || ldc < std::max(1, m) || alpha == nullptr ||
      beta == nullptr) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  if (!Supported(a_type, b_type, c_type, compute) ||
      handle->pointer_mode != CUBLAS_POINTER_MODE_HOST) {
    return CUBLAS_STATUS_NOT_SUPPORTED;
  }
  if (m == 0 || n == 0 || batch == 0) return CUBLAS_STATUS_SUCCESS;
  const Product product{ta,
                        tb,
                        m,
                        n,
                        k,
                        Scalar(alpha, compute),
                        Scalar(beta, compute),
                        a,
                        b,
                        c,
                        a_type,
                        c_type,
                        lda,
                        ldb,
                        ldc,
                        stride_a,
                        stride_b,
                        stride_c,
                        batch};
  EnqueueWork(handle->stream, Work{Work::Kind::kKernel, [product] {
                                     LogLibraryProduct("cublasGemm");
                                     for (int i = 0; i < product.batch; ++i)
                                       MultiplyOne(product, i);
                                   }});
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t transa,
                            cublasOperation_t transb, int m, int n, int k, const void* alpha,
                            const void* a, cudaDataType a_type, int lda, const void* b,
                            cudaDataType b_type, int ldb, const void* beta, void* c,
                            cudaDataType c_type, int ldc, cublasComputeType_t compute,
                            cublasGemmAlgo_t algorithm) {
  return cublasGemmStridedBatchedEx(handle, transa, transb, m, n, k, alpha, a, a_type, lda, 0, b,
                                    b_type, ldb, 0, beta, c, c_type, ldc, 0, 1, compute, algorithm);
}

cublasStatus_t cublasSgemm_v2(cublasHandle_t handle, cublasOperation_t transa,
                              cublasOperation_t transb, int m, int n, int k, const float* alpha,
                              const float* a, int lda, const float* b, int ldb, const float* beta,
                              float* c, int ldc) {
  return cublasGemmEx(handle, transa, transb, m, n, k, alpha, a, CUDA_R_32F, lda, b, CUDA_R_32F,
                      ldb, beta, c, CUDA_R_32F, ldc, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);
}

const char* cublasGetStatusString(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS:
      return "success";
    case CUBLAS_STATUS_NOT_INITIALIZED:
      return "the library was not initialized";
    case CUBLAS_STATUS_INVALID_VALUE:
      return "an unsupported value or parameter was passed to the function";
    case CUBLAS_STATUS_NOT_SUPPORTED:
      return "the functionality requested is not supported";
    default:
      return "a cuBLAS error";
  }
}
}
