#include "engine/backend/cuda/dense_library.h"

#include <dlfcn.h>

#include <utility>

#include "engine/backend/cuda/kernels/split.h"
#include "engine/backend/cuda/workspace.h"
#include "engine/base/log.h"

namespace paluku::cuda {
namespace {

constexpr char kLibrary[] = "libcublas.so.13";
constexpr int kOldestWithBfloat = 80;

template <class Function>
bool Find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

cudaDataType TypeOf(WeightForm form) {
  return form == WeightForm::kF32   ? CUDA_R_32F
         : form == WeightForm::kF16 ? CUDA_R_16F
                                    : CUDA_R_16BF;
}

}  // namespace

DenseLibrary::~DenseLibrary() {
  if (handle_ != nullptr) call_.destroy(handle_);
}

bool DenseLibrary::Usable() {
  if (!std::exchange(opened_, true)) Open();
  return problem_.empty();
}

const std::string& DenseLibrary::Problem() {
  Usable();
  return problem_;
}

void DenseLibrary::GiveUp(const std::string& reason) {
  problem_ =
      "without cuBLAS 13, models with 16- or 32-bit weights read prompts more slowly: " + reason;
  host_.log(static_cast<int>(LogLevel::kWarning), ("CUDA: " + problem_).c_str());
}

bool DenseLibrary::Works(cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_SUCCESS) return true;
  GiveUp(std::string(what) + ": " + call_.words(status));
  return false;
}

// The library stays open: code of its own may still be registered with the driver.
bool DenseLibrary::FindFunctions() {
  void* library = dlopen(kLibrary, RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr) {
    GiveUp(dlerror());
    return false;
  }
  const bool complete = Find(library, "cublasCreate_v2", call_.create) &&
                        Find(library, "cublasDestroy_v2", call_.destroy) &&
                        Find(library, "cublasSetStream_v2", call_.set_stream) &&
                        Find(library, "cublasSetWorkspace_v2", call_.set_workspace) &&
                        Find(library, "cublasSetMathMode", call_.set_math_mode) &&
                        Find(library, "cublasGemmEx", call_.product) &&
                        Find(library, "cublasGetStatusString", call_.words);
  if (!complete) GiveUp(std::string(kLibrary) + " is not the one of CUDA 13");
  return complete;
}

void DenseLibrary::Open() {
  if (!FindFunctions() || !Works(call_.create(&handle_), "starting cuBLAS")) return;
  auto workspace = device_.Allocate(kDenseWorkspaceBytes);
  if (!workspace) return GiveUp("the card has no memory left for it");
  workspace_ = std::move(*workspace);
  // The stream first: choosing one brings the library's own workspace back.
  Works(call_.set_stream(handle_, device_.stream()), "choosing the stream of cuBLAS") &&
      Works(call_.set_workspace(handle_, workspace_.data.get(), kDenseWorkspaceBytes),
            "giving cuBLAS a workspace") &&
      Works(call_.set_math_mode(handle_, CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION),
            "setting the precision of cuBLAS");
}

bool DenseLibrary::Product(const WeightView& weight, const void* x, int rows, bool keep,
                           float* out) {
  // Row-major [rows, n] is column-major [n, rows]: weight^T times x.
  const int n = static_cast<int>(weight.rows), k = weight.columns;
  const float alpha = 1, beta = keep ? 1 : 0;
  const cudaDataType type = TypeOf(weight.form);
  // F32 is F32: neither TF32 nor an imitation by bf16, whatever the environment says.
  const cublasComputeType_t sums =
      type == CUDA_R_32F ? CUBLAS_COMPUTE_32F_PEDANTIC : CUBLAS_COMPUTE_32F;
  return Works(
      call_.product(handle_, CUBLAS_OP_T, CUBLAS_OP_N, n, rows, k, &alpha, weight.low, type, k, x,
                    type, k, &beta, out, CUDA_R_32F, n, sums, CUBLAS_GEMM_DEFAULT),
      "multiplying with cuBLAS");
}

bool DenseLibrary::MultiplySplit(const WeightView& weight, const float* x, int rows, float* out) {
  const std::int64_t count = std::int64_t{rows} * weight.columns;
  Scratch::Plan plan;
  const std::int64_t high = plan.Add<std::uint16_t>(count);
  const std::int64_t low = plan.Add<std::uint16_t>(count);
  const std::int64_t factors = plan.Add<float>(rows);
  std::byte* room = split_.Reserve(plan);
  if (room == nullptr) return true;  // the device knows
  const SplitRows split = {
      .high = room + high, .low = room + low, .factors = reinterpret_cast<float*>(room + factors)};
  LaunchSplit(weight.form, x, rows, weight.columns, split, device_.stream());
  if (!Product(weight, split.low, rows, false, out)) return false;
  if (!Product(weight, split.high, rows, true, out)) return false;
  if (weight.form == WeightForm::kF16) {
    LaunchScaleRows(split.factors, rows, static_cast<int>(weight.rows), out, device_.stream());
  }
  return true;
}

bool DenseLibrary::Multiply(const WeightView& weight, const float* x, int rows, float* out) {
  if (!PaysForDenseLibrary(rows, weight.columns)) return false;
  if (weight.form == WeightForm::kBF16 && device_.architecture() < kOldestWithBfloat) return false;
  if (!Usable()) return false;
  if (weight.form == WeightForm::kF32) return Product(weight, x, rows, false, out);
  return MultiplySplit(weight, x, rows, out);
}

}  // namespace paluku::cuda
