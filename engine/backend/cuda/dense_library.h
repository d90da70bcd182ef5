// DenseLibrary: cuBLAS, where it is installed, for products of many rows by float weights.
//
// libcublas.so.13 is opened at the first product that it pays for, so that nobody else spends the
// time and the memory. Whatever goes wrong with it is logged once, in words, and from then on
// everybody uses our own kernels. Sums are f32 always; results depend on shapes alone: the handle
// works on one stream, in a workspace of its own, without atomics. Used by the engine's thread
// only, never within a recorded step.
#pragma once

#include <cublas_v2.h>

#include <string>

#include "engine/backend/cuda/device.h"
#include "engine/backend/cuda/kernels/weight_view.h"
#include "engine/backend/cuda/plugin_api.h"
#include "engine/backend/cuda/recordings.h"
#include "engine/backend/cuda/scratch.h"

namespace paluku::cuda {

class DenseLibrary {
 public:
  DenseLibrary(Device& device, Recordings& recordings, const CudaHost& host)
      : device_(device), split_(device, recordings), host_(host) {}
  ~DenseLibrary();
  DenseLibrary(const DenseLibrary&) = delete;
  DenseLibrary& operator=(const DenseLibrary&) = delete;

  // out[r, n] = weight[n] . x[r]; false when the caller has to do it. x: [rows, weight.columns];
  // out: [rows, weight.rows]; weight.form: a float.
  bool Multiply(const WeightView& weight, const float* x, int rows, float* out);
  // Why it is not used, in words; empty: it is. Opens it.
  const std::string& Problem();

 private:
  struct Functions {
    decltype(&cublasCreate_v2) create = nullptr;
    decltype(&cublasDestroy_v2) destroy = nullptr;
    decltype(&cublasSetStream_v2) set_stream = nullptr;
    decltype(&cublasSetWorkspace_v2) set_workspace = nullptr;
    decltype(&cublasSetMathMode) set_math_mode = nullptr;
    // One of two overloads in the header; this is the library's.
    cublasStatus_t (*product)(cublasHandle_t, cublasOperation_t, cublasOperation_t, int, int, int,
                              const void*, const void*, cudaDataType, int, const void*,
                              cudaDataType, int, const void*, void*, cudaDataType, int,
                              cublasComputeType_t, cublasGemmAlgo_t) = nullptr;
    decltype(&cublasGetStatusString) words = nullptr;
  };
  // Opens it at the first call; true when it can be used.
  bool Usable();
  void Open();
  bool FindFunctions();
  bool Works(cublasStatus_t status, const char* what);
  void GiveUp(const std::string& reason);
  // out = weight . x + `keep` * out; `x` of the weight's type.
  bool Product(const WeightView& weight, const void* x, int rows, bool keep, float* out);
  bool MultiplySplit(const WeightView& weight, const float* x, int rows, float* out);

  Device& device_;
  Scratch split_;
  const CudaHost host_;
  bool opened_ = false;
  std::string problem_;
  Functions call_;
  cublasHandle_t handle_ = nullptr;
  Buffer workspace_;
};

}  // namespace paluku::cuda
