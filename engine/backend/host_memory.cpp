#include "engine/backend/host_memory.h"

#include <cstdlib>
#include <new>
#include <string>

#include "engine/base/check.h"

namespace paluku {

Result<Buffer> AllocateHostMemory(std::int64_t bytes) {
  constexpr std::size_t kAlignment = 64;
  PALUKU_CHECK(bytes >= 0);
  const std::size_t padded =
      (static_cast<std::size_t>(bytes) + 2 * kAlignment - 1) & ~(kAlignment - 1);
  auto* data = static_cast<std::byte*>(std::aligned_alloc(kAlignment, padded));
  if (data == nullptr) return Fail(ErrorCode::kOutOfMemory, {}, std::to_string(bytes));
  return Buffer{.data = std::shared_ptr<std::byte>(data, std::free), .bytes = bytes};
}

}  // namespace paluku
