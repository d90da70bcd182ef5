#include "engine/backend/cpu/instruction_set.h"

#include <cstdlib>
#include <string>

namespace paluku {
namespace {

struct InstructionSet {
  std::string_view name;
  bool (*supported)();
  const Kernels& (*kernels)();
};

// __builtin_cpu_supports also asks whether the operating system saves the registers.
bool Always() { return true; }
bool HasAvx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("f16c");
}
bool HasAvx512() {
  return HasAvx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vnni");
}

constexpr InstructionSet kSets[] = {
    {"scalar", Always, ScalarKernels},
    {"avx2", HasAvx2, Avx2Kernels},
    {"avx512", HasAvx512, Avx512Kernels},
};

}  // namespace

std::vector<std::string_view> SupportedInstructionSets() {
  std::vector<std::string_view> names;
  for (const InstructionSet& set : kSets) {
    if (set.supported()) names.push_back(set.name);
  }
  return names;
}

Result<const Kernels*> ChooseKernels(std::string_view name) {
  if (name.empty() || name == "auto") {
    const char* forced = std::getenv("PALUKU_CPU");
    name = forced != nullptr && *forced != '\0' ? forced : SupportedInstructionSets().back();
  }
  for (const InstructionSet& set : kSets) {
    if (set.name != name) continue;
    if (set.supported()) return &set.kernels();
    return Fail(ErrorCode::kInvalidArgument, std::string(name), "this processor cannot run it");
  }
  return Fail(ErrorCode::kInvalidArgument, std::string(name),
              "instruction sets are scalar, avx2 and avx512");
}

}  // namespace paluku
