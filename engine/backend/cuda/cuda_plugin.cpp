#include "engine/backend/cuda/cuda_plugin.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/cuda/plugin_api.h"
#include "engine/base/log.h"

namespace paluku {
namespace {

constexpr char kLibrary[] = "libpaluku_cuda.so";

void LogOfHost(int level, const char* message) { Log(static_cast<LogLevel>(level), message); }

Backend* MakeProcessor(int threads) {
  auto processor = CpuBackend::Create(threads, "auto");
  return processor ? processor->release() : nullptr;
}

std::vector<std::string> Places() {
  const char* forced = std::getenv("PALUKU_CUDA_LIBRARY");
  if (forced != nullptr && *forced != '\0') return {forced};
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return {};
  const std::filesystem::path folder = program.parent_path();
  return {folder / kLibrary, folder.parent_path() / "lib/paluku" / kLibrary};
}

auto NoCuda(std::string reason) {
  return Fail(ErrorCode::kDeviceFailed, "CUDA", std::move(reason));
}

}  // namespace

Result<std::unique_ptr<Backend>> OpenCudaBackend(int threads) {
  std::error_code error;
  for (const std::string& place : Places()) {
    if (!std::filesystem::exists(place, error)) continue;
    void* library = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return NoCuda(dlerror());
    const auto open = reinterpret_cast<CudaEntry>(dlsym(library, kCudaEntryName));
    if (open == nullptr) return NoCuda(place + " is not Paluku's");
    const CudaHost host = {.build_id = PALUKU_BUILD_ID,
                           .log = LogOfHost,
                           .make_processor = MakeProcessor,
                           .threads = threads};
    CudaAnswer answer = {};
    open(&host, &answer);
    if (answer.backend == nullptr) return NoCuda(answer.reason);
    return std::unique_ptr<Backend>(answer.backend);
  }
  return NoCuda("the package paluku-cuda is not installed");
}

}  // namespace paluku
