// Counter-based random numbers: the draw is a function of (seed, position) and of nothing else, so
// that it does not matter who drew before. Philox4x32-10, Salmon, Moraes, Dror and Shaw, "Parallel
// random numbers: as easy as 1, 2, 3", SC 2011. Pure functions.
#pragma once

#include <array>
#include <cstdint>

namespace paluku {

using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

inline PhiloxCounter Philox4x32(PhiloxCounter counter, PhiloxKey key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = 0xD2511F53ull * counter[0];
    const std::uint64_t b = 0xCD9E8D57ull * counter[2];
    counter = {
        static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
        static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

// Uniform in [0, 1), 53 bits.
inline double UniformAt(std::uint64_t seed, std::uint64_t position) {
  const PhiloxCounter bits =
      Philox4x32({static_cast<std::uint32_t>(position), static_cast<std::uint32_t>(position >> 32)},
                 {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
  const std::uint64_t word = static_cast<std::uint64_t>(bits[0]) << 32 | bits[1];
  return static_cast<double>(word >> 11) * 0x1.0p-53;
}

}  // namespace paluku
