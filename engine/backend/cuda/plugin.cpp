// The entry of libpaluku_cuda.so; its only visible symbol.
#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/plugin_api.h"
#include "engine/base/log.h"

namespace paluku {
namespace {

void Refuse(CudaAnswer* answer, const std::string& reason) {
  const std::size_t length = std::min(reason.size(), sizeof answer->reason - 1);
  std::memcpy(answer->reason, reason.data(), length);
  answer->reason[length] = '\0';
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void paluku_cuda_open(const CudaHost* host,
                                                                        CudaAnswer* answer) {
  answer->backend = nullptr;
  if (std::string_view(host->build_id) != PALUKU_BUILD_ID) {
    Refuse(answer, "the package paluku-cuda is of another version than Paluku");
    return;
  }
  auto backend = cuda::CudaBackend::Create(*host);
  if (!backend) {
    Refuse(answer, backend.error().detail);
    return;
  }
  const std::string message = "CUDA: " + (*backend)->card().name;
  host->log(static_cast<int>(LogLevel::kInfo), message.c_str());
  answer->backend = backend->release();
}

}  // namespace paluku
