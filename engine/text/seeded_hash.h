// SeededHash: a hash of text that a file cannot be made to collide under, because its seed is drawn
// anew in every process. Results must never depend on the order it gives. Safe on any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string_view>

namespace paluku {

class SeededHash {
 public:
  std::size_t operator()(std::string_view text) const {
    std::uint64_t hash = Mix(text.size() ^ Seed(), kOdd);
    for (; text.size() > 8; text.remove_prefix(8)) hash = Mix(hash ^ Load(text, 8), Seed() ^ kOdd);
    return static_cast<std::size_t>(Mix(hash ^ Load(text, text.size()), Seed() ^ kOdd));
  }
  std::size_t operator()(std::uint64_t value) const {
    return static_cast<std::size_t>(Mix(value ^ Seed(), Seed() ^ kOdd));
  }

 private:
  static constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15u;

  static std::uint64_t Seed() {
    static const std::uint64_t seed = [] {
      std::random_device device;
      return std::uint64_t{device()} << 32 | device() | 1;
    }();
    return seed;
  }
  static std::uint64_t Load(std::string_view text, std::size_t bytes) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), bytes);
    return word;
  }
  // Both halves of the product, folded.
  static std::uint64_t Mix(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }
};

}  // namespace paluku
