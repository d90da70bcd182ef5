// The library of the CUDA backend as the program meets it: found, refused, opened without a driver.
#include "engine/backend/cuda/cuda_plugin.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "engine/backend/cuda/plugin_api.h"
#include "engine/backend/registry.h"

namespace paluku {
namespace {

constexpr char kLibrary[] = PALUKU_BINARY_DIR "/bin/libpaluku_cuda.so";

TEST(CudaPlugin, SaysInWordsWhyThereIsNoCuda) {
  const auto backend = OpenCudaBackend(1);
  if (backend) {
    EXPECT_EQ((*backend)->name(), "cuda");
    return;
  }
  EXPECT_EQ(backend.error().code, ErrorCode::kDeviceFailed);
  EXPECT_TRUE(backend.error().detail == "there is no NVIDIA card" ||
              backend.error().detail == "the NVIDIA driver is missing or too old")
      << backend.error().detail;
}

TEST(CudaPlugin, AMissingLibraryIsNotAnError) {
  setenv("PALUKU_CUDA_LIBRARY", "/nowhere/libpaluku_cuda.so", 1);
  const auto backend = OpenCudaBackend(1);
  ASSERT_FALSE(backend.has_value());
  EXPECT_NE(backend.error().detail.find("not installed"), std::string::npos);
  unsetenv("PALUKU_BACKEND");
  const auto chosen = CreateBackend({.threads = 1});
  ASSERT_TRUE(chosen.has_value());
  EXPECT_EQ((*chosen)->name(), "cpu");
  unsetenv("PALUKU_CUDA_LIBRARY");
}

TEST(CudaPlugin, RefusesAnotherLibrary) {
  setenv("PALUKU_CUDA_LIBRARY", "/proc/self/exe", 1);
  EXPECT_FALSE(OpenCudaBackend(1).has_value());
  unsetenv("PALUKU_CUDA_LIBRARY");
}

TEST(CudaPlugin, RefusesAnotherBuild) {
  void* library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  const auto open = reinterpret_cast<CudaEntry>(dlsym(library, kCudaEntryName));
  ASSERT_NE(open, nullptr);
  const CudaHost host = {.build_id = "another", .log = [](int, const char*) {}};
  CudaAnswer answer = {};
  open(&host, &answer);
  EXPECT_EQ(answer.backend, nullptr);
  EXPECT_NE(std::string(answer.reason).find("another version"), std::string::npos);
}

}  // namespace
}  // namespace paluku
