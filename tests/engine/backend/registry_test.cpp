// Choice of backends and instruction sets by name.
#include "engine/backend/registry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/cpu/instruction_set.h"

namespace paluku {
namespace {

// Sets an environment variable for one test.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~ScopedVariable() { unsetenv(name_); }

 private:
  const char* name_;
};

TEST(Registry, MakesEveryBackendItNames) {
  for (const std::string& name : BackendNames()) {
    const auto backend = CreateBackend({.name = name, .threads = 1});
    if (!backend && name == "cuda") continue;  // no card here
    ASSERT_TRUE(backend.has_value()) << name;
    EXPECT_EQ((*backend)->name(), name);
  }
}

TEST(Registry, AutoIsTheCpuUnlessTheEnvironmentSaysOtherwise) {
  const ScopedVariable no_card("PALUKU_CUDA_LIBRARY", "/nowhere");
  unsetenv("PALUKU_BACKEND");
  EXPECT_EQ((*CreateBackend({.threads = 1}))->name(), "cpu");
  const ScopedVariable forced("PALUKU_BACKEND", "reference");
  EXPECT_EQ((*CreateBackend({.threads = 1}))->name(), "reference");
  EXPECT_EQ((*CreateBackend({.name = "cpu", .threads = 1}))->name(), "cpu");
}

TEST(Registry, RefusesUnknownNames) {
  const auto backend = CreateBackend({.name = "abacus", .threads = 1});
  ASSERT_FALSE(backend.has_value());
  EXPECT_EQ(backend.error().code, ErrorCode::kInvalidArgument);
  const ScopedVariable forced("PALUKU_CPU", "mmx");
  EXPECT_FALSE(CreateBackend({.name = "cpu", .threads = 1}).has_value());
}

TEST(Registry, EverySupportedInstructionSetCanBeForced) {
  const auto sets = SupportedInstructionSets();
  EXPECT_EQ(sets.front(), "scalar");
  for (const std::string_view set : sets) {
    const ScopedVariable forced("PALUKU_CPU", std::string(set).c_str());
    EXPECT_EQ((*ChooseKernels("auto"))->name, set);
  }
}

TEST(Registry, WeightsThatCannotBeMultipliedAreRefused) {
  const auto backend = CreateBackend({.name = "cpu", .threads = 1});
  for (int i = 0; i < kDTypeCount; ++i) {
    const Tensor weight{
        .dtype = static_cast<DType>(i), .rank = 2, .shape = {1, 256}, .data = nullptr};
    std::vector<Buffer> owners;
    EXPECT_EQ((*backend)->PrepareWeight(weight, owners, {}).has_value(),
              weight.dtype != DType::kI32);
  }
}

}  // namespace
}  // namespace paluku
