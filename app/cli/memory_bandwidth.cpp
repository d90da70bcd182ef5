#include "app/cli/memory_bandwidth.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

namespace paluku::cli {
namespace {

constexpr std::size_t kWordsPerThread = (256u << 20) / sizeof(std::uint64_t);
constexpr int kRounds = 5;

// Reads `words`; the sum keeps the compiler from leaving the reads out.
std::uint64_t ReadAll(const std::vector<std::uint64_t>& words) {
  std::array<std::uint64_t, 8> sums{};
  for (std::size_t i = 0; i + sums.size() <= words.size(); i += sums.size()) {
    for (std::size_t lane = 0; lane < sums.size(); ++lane) sums[lane] += words[i + lane];
  }
  std::uint64_t total = 0;
  for (const std::uint64_t sum : sums) total += sum;
  return total;
}

}  // namespace

double MeasureReadBandwidth(int threads) {
  const auto count = static_cast<std::size_t>(std::max(threads, 1));
  const std::vector<std::vector<std::uint64_t>> memory(
      count, std::vector<std::uint64_t>(kWordsPerThread, 1));
  std::vector<std::uint64_t> sums(count);
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    {
      std::vector<std::jthread> readers;
      for (std::size_t i = 0; i < count; ++i)
        readers.emplace_back([&, i] { sums[i] += ReadAll(memory[i]); });
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    best = std::max(
        best, static_cast<double>(count * kWordsPerThread * sizeof(std::uint64_t)) / took.count());
  }
  // A sum of ones is never zero; reading it here makes the reads observable.
  return sums[0] != 0 ? best : 0;
}

}  // namespace paluku::cli
