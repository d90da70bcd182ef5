#include "tests/support/cuda_emulator/device_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/support/cuda_emulator/settings.h"

namespace paluku::emulator {
namespace {

constexpr std::uint64_t kRedZone = 256;
constexpr std::uint64_t kAlignment = 256;
constexpr int kHostAccessExit = 98;

// Host code that touches device memory: say so, then end. Other faults go their usual way.
void OnFault(int signal, siginfo_t* info, void*) {
  const auto address = reinterpret_cast<std::uint64_t>(info->si_addr);
  if (DeviceMemory::Get().IsDeviceAddress(address)) {
    char line[160];
    const int length = std::snprintf(
        line, sizeof(line), "[cuda emulator] HOST ACCESS: host code touches device memory at %p\n",
        info->si_addr);
    if (write(STDERR_FILENO, line, static_cast<std::size_t>(length)) < 0)
      _exit(kHostAccessExit + 1);
    _exit(kHostAccessExit);
  }
  std::signal(signal, SIG_DFL);
}

std::string Near(const char* relation, std::uint64_t distance, std::uint64_t size) {
  return std::to_string(distance) + " bytes " + relation + " an allocation of " +
         std::to_string(size) + " bytes";
}

}  // namespace

DeviceMemory& DeviceMemory::Get() {
  static auto* memory =
      new DeviceMemory;  // never destroyed: static destructors of programs still free memory
  return *memory;
}

DeviceMemory::DeviceMemory() {
  void* range =
      mmap(nullptr, kReserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED) {
    std::perror("[cuda emulator] cannot reserve addresses for device memory");
    std::exit(2);
  }
  reserved_ = reinterpret_cast<std::uint64_t>(range);
  next_ = reserved_ + (std::uint64_t{1} << 20);
  struct sigaction action = {};
  action.sa_sigaction = OnFault;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigaction(SIGSEGV, &action, nullptr);
  sigaction(SIGBUS, &action, nullptr);
}

std::uint64_t DeviceMemory::capacity() const {
  const std::uint64_t fault = settings().faults.memory;
  return fault != 0 ? std::min(fault, settings().memory) : settings().memory;
}

std::uint64_t DeviceMemory::Allocate(std::uint64_t size, Allocation::Kind kind) {
  const bool counted = kind == Allocation::Kind::kDevice;
  size = std::max<std::uint64_t>(size, 1);
  if (counted) {
    if (++allocations_ == settings().faults.allocation) return 0;
    if (size > capacity() || used_ > capacity() - size) return 0;
  }
  auto allocation = std::make_unique<Allocation>();
  allocation->kind = kind;
  allocation->size = size;
  const std::uint64_t rounded = (size + kAlignment - 1) / kAlignment * kAlignment;
  const bool on_device = kind != Allocation::Kind::kPinned;
  // Pages from the system: zero, and backed only once touched.
  const std::uint64_t mapped = rounded + (on_device ? 0 : 2 * 4096);
  void* memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return 0;
  allocation->storage = static_cast<std::byte*>(memory) + (on_device ? 0 : 4096);
  if (settings().shadow) {
    allocation->shadow = std::make_unique<ShadowRegion>(size);
    if (on_device) {
      std::memset(allocation->storage, 0xFF, size);  // NaN in every format
    } else {
      allocation->shadow->SetInitialised(0, size);  // the host writes unseen
    }
  }
  if (on_device) {
    if (next_ + rounded + kRedZone > reserved_ + kReserved) {
      std::fprintf(stderr, "[cuda emulator] 4 TiB of device addresses are used up\n");
      std::exit(2);
    }
    allocation->begin = next_;
    next_ += rounded + kRedZone;
  } else {
    allocation->begin = reinterpret_cast<std::uint64_t>(allocation->storage);
    freed_.erase(allocation->begin);
  }
  const std::uint64_t begin = allocation->begin;
  live_[begin] = std::move(allocation);
  if (counted) {
    used_ += size;
    peak_ = std::max(peak_, used_);
  }
  return begin;
}

bool DeviceMemory::Free(std::uint64_t address, Allocation::Kind kind) {
  const auto found = live_.find(address);
  if (found == live_.end() || found->second->kind != kind) return false;
  Allocation& allocation = *found->second;
  const std::uint64_t rounded = (allocation.size + kAlignment - 1) / kAlignment * kAlignment;
  if (kind == Allocation::Kind::kPinned) {
    munmap(allocation.storage - 4096, rounded + 2 * 4096);
  } else {
    munmap(allocation.storage, rounded);
    if (kind == Allocation::Kind::kDevice) used_ -= allocation.size;
  }
  freed_[address] = allocation.size;
  last_ = nullptr;
  live_.erase(found);
  return true;
}

bool DeviceMemory::Register(void* memory, std::uint64_t size) {
  const auto begin = reinterpret_cast<std::uint64_t>(memory);
  if (size == 0 || Find(begin, 1) != nullptr || Find(begin + size - 1, 1) != nullptr) return false;
  auto allocation = std::make_unique<Allocation>();
  allocation->kind = Allocation::Kind::kRegistered;
  allocation->begin = begin;
  allocation->size = size;
  allocation->storage = static_cast<std::byte*>(memory);
  freed_.erase(begin);
  live_[begin] = std::move(allocation);
  return true;
}

bool DeviceMemory::Unregister(void* memory) {
  const auto found = live_.find(reinterpret_cast<std::uint64_t>(memory));
  if (found == live_.end() || found->second->kind != Allocation::Kind::kRegistered) return false;
  last_ = nullptr;
  live_.erase(found);
  return true;
}

Allocation* DeviceMemory::Find(std::uint64_t address, std::uint64_t size) {
  const auto holds = [&](const Allocation& a) {
    return address >= a.begin && address <= a.end() && size <= a.end() - address;
  };
  if (last_ != nullptr && holds(*last_)) return last_;
  auto after = live_.upper_bound(address);
  if (after == live_.begin()) return nullptr;
  Allocation& candidate = *std::prev(after)->second;
  if (!holds(candidate)) return nullptr;
  last_ = &candidate;
  return last_;
}

std::pair<std::string, std::string> DeviceMemory::Explain(std::uint64_t address,
                                                          std::uint64_t size) const {
  if (!IsDeviceAddress(address)) {
    return {"BAD POINTER",
            address < 4096 ? "null pointer" : "no device or pinned memory lies there"};
  }
  const auto freed = freed_.upper_bound(address);
  if (freed != freed_.begin()) {
    const auto& [begin, bytes] = *std::prev(freed);
    if (address < begin + bytes)
      return {"USE AFTER FREE", "in freed memory of " + std::to_string(bytes) + " bytes"};
  }
  const auto after = live_.upper_bound(address);
  if (after != live_.begin()) {
    const Allocation& before = *std::prev(after)->second;
    if (address < before.end())
      return {"OUT-OF-BOUNDS",
              Near("across the end of", address + size - before.end(), before.size)};
    const std::uint64_t distance = address - before.end();
    if (after == live_.end() || distance <= after->first - address) {
      return {"OUT-OF-BOUNDS", Near("behind", distance, before.size)};
    }
  }
  if (after != live_.end())
    return {"OUT-OF-BOUNDS", Near("before", after->first - address, after->second->size)};
  return {"BAD POINTER", "no allocation is near"};
}

void DeviceMemory::ForEach(const std::function<void(Allocation&)>& visit) {
  for (auto& [begin, allocation] : live_) visit(*allocation);
}

}  // namespace paluku::emulator
