// Device memory: allocations, their storage and their shadow.
//
// Device addresses come from a reserved range that is never readable, so host code that touches one
// faults and is reported by name. Addresses are never used twice: use after free stays visible for
// ever. Pinned and registered host memory is known here too, at its real address. Lock-free: the
// API layer serialises all calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/cuda_emulator/shadow_memory.h"

namespace paluku::emulator {

struct Allocation {
  enum class Kind { kDevice, kModule, kPinned, kRegistered };
  std::uint64_t begin = 0;
  std::uint64_t size = 0;
  Kind kind = Kind::kDevice;
  std::byte* storage = nullptr;
  std::unique_ptr<ShadowRegion>
      shadow;                         // null without shadow checks, and for registered host memory
  std::vector<std::uint8_t> sectors;  // counting: bit 0 read, bit 1 written, one byte a sector
  bool freed = false;

  std::uint64_t end() const { return begin + size; }
  bool OnDevice() const { return kind == Kind::kDevice || kind == Kind::kModule; }
};

class DeviceMemory {
 public:
  static DeviceMemory& Get();

  // Address of `size` new bytes, or 0 when there is no room (settings: memory, fault memory:N).
  std::uint64_t Allocate(std::uint64_t size, Allocation::Kind kind);
  // False when `address` is not the start of a live allocation of this kind.
  bool Free(std::uint64_t address, Allocation::Kind kind);
  bool Register(void* memory, std::uint64_t size);
  bool Unregister(void* memory);

  // The live allocation that holds all of [address, address + size), or null.
  Allocation* Find(std::uint64_t address, std::uint64_t size);
  // True for any address that host code must not touch.
  bool IsDeviceAddress(std::uint64_t address) const {
    return address >= reserved_ && address < reserved_ + kReserved;
  }
  // Why [address, address + size) cannot be accessed: "OUT-OF-BOUNDS", "USE AFTER FREE" or "BAD
  // POINTER", and a detail.
  std::pair<std::string, std::string> Explain(std::uint64_t address, std::uint64_t size) const;

  std::uint64_t used() const { return used_; }
  std::uint64_t peak() const { return peak_; }
  void ResetPeak() { peak_ = used_; }
  std::uint64_t capacity() const;

  void ForEach(const std::function<void(Allocation&)>& visit);

 private:
  DeviceMemory();

  static constexpr std::uint64_t kReserved = std::uint64_t{1} << 42;

  std::uint64_t reserved_ = 0;
  std::uint64_t next_ = 0;
  std::uint64_t used_ = 0;
  std::uint64_t peak_ = 0;
  std::uint64_t allocations_ = 0;
  std::map<std::uint64_t, std::unique_ptr<Allocation>> live_;
  std::map<std::uint64_t, std::uint64_t> freed_;  // begin -> size
  Allocation* last_ = nullptr;
};

}  // namespace paluku::emulator
