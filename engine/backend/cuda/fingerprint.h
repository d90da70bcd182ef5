// Fingerprint: a 64-bit summary of the operations of a step and all their arguments. Two steps with
// the same fingerprint launch the same kernels with the same arguments, so that a recording of one
// can be replayed for the other; what differs between them lies in StepMemory.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include "engine/backend/backend.h"

namespace paluku::cuda {

class Fingerprint {
 public:
  template <class T>
  requires(std::is_integral_v<T> || std::is_enum_v<T>) void Add(T value) {
    Mix(static_cast<std::uint64_t>(value));
  }
  void Add(float value) { Mix(std::bit_cast<std::uint32_t>(value)); }
  void Add(const void* address) { Mix(reinterpret_cast<std::uintptr_t>(address)); }
  void Add(const Tensor& tensor) {
    Add(static_cast<const void*>(tensor.data));
    Add(tensor.dtype);
    for (int i = 0; i < tensor.rank; ++i) Add(tensor.dim(i));
  }
  // Rotation angles live in the caller's memory and are known by their content.
  void Add(const RopeParams& rope) {
    Add(rope.interleaved);
    for (const float frequency : rope.inverse_frequency) Add(frequency);
  }
  void Add(const SwiGluWeights& weights) {
    Add(weights.gate);
    Add(weights.up);
    Add(weights.down);
  }
  std::uint64_t value() const { return value_; }

 private:
  // The finaliser of splitmix64 over a running sum.
  void Mix(std::uint64_t word) {
    std::uint64_t z = value_ + 0x9E3779B97F4A7C15ull + word * 0xD6E8FEB86659FD93ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    value_ = z ^ (z >> 31);
  }
  std::uint64_t value_ = 0;
};

}  // namespace paluku::cuda
