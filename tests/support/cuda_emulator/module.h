// Loaded modules: PTX text decoded into kernels, its variables placed in device memory.
//
// Loading happens in static constructors of the program under test (__cudaRegisterFatBinary). A
// module that holds anything unknown is refused: a report names it and its kernels cannot be
// launched.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/support/cuda_emulator/instruction.h"
#include "tests/support/cuda_emulator/ptx_syntax.h"

namespace paluku::emulator {

struct LoadedModule {
  std::string text;
  PtxModule syntax;
  std::map<std::string, Kernel> kernels;
  std::unordered_map<std::string, std::uint64_t> variables;  // device addresses
};

class ModuleRegistry {
 public:
  static ModuleRegistry& Get();

  // Null when the module was refused.
  LoadedModule* Load(std::string ptx);
  void Unload(const LoadedModule* module);
  // stub: the address that host code calls or names; name: in the PTX.
  void AddKernel(LoadedModule* module, const void* stub, const std::string& name);
  void AddVariable(LoadedModule* module, const void* stub, const std::string& name,
                   std::uint64_t size);

  const Kernel* FindKernel(const void* stub) const;
  // Device address and size of a variable, {0, 0} when unknown.
  std::pair<std::uint64_t, std::uint64_t> FindVariable(const void* stub) const;
  // The greatest architecture loaded; 80 when nothing is.
  int arch() const;

 private:
  std::vector<std::unique_ptr<LoadedModule>> modules_;
  std::unordered_map<const void*, std::pair<const LoadedModule*, const Kernel*>> kernels_;
  struct VariablePlace {
    const LoadedModule* module;
    std::uint64_t address;
    std::uint64_t size;
  };
  std::unordered_map<const void*, VariablePlace> variables_;
};

}  // namespace paluku::emulator
