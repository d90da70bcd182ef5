#include "tests/support/cuda_emulator/module.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>

#include "tests/support/cuda_emulator/decoder.h"
#include "tests/support/cuda_emulator/device_memory.h"
#include "tests/support/cuda_emulator/launch.h"
#include "tests/support/cuda_emulator/ptx_lexer.h"
#include "tests/support/cuda_emulator/ptx_parser.h"
#include "tests/support/cuda_emulator/report.h"
#include "tests/support/cuda_emulator/settings.h"

namespace paluku::emulator {
namespace {

void PlaceVariables(LoadedModule& module, SymbolTable& symbols) {
  DeviceMemory& memory = DeviceMemory::Get();
  for (const Variable& variable : module.syntax.variables) {
    if (variable.space == Space::kShared) continue;
    const std::uint64_t address =
        memory.Allocate(std::max<std::uint64_t>(variable.size, 1), Allocation::Kind::kModule);
    Allocation& allocation = *memory.Find(address, 1);
    std::memset(allocation.storage, 0, allocation.size);
    if (!variable.initial.empty())
      std::memcpy(allocation.storage, variable.initial.data(), variable.initial.size());
    if (allocation.shadow != nullptr) allocation.shadow->SetInitialised(0, allocation.size);
    module.variables[variable.name] = address;
  }
  for (const Variable& variable : module.syntax.variables) {
    for (const Relocation& relocation : variable.relocations) {
      const auto target = module.variables.find(relocation.symbol);
      if (target == module.variables.end())
        throw PtxError("initialiser names unknown variable " + relocation.symbol);
      const std::uint64_t value = target->second + static_cast<std::uint64_t>(relocation.addend);
      const Allocation& allocation = *memory.Find(module.variables[variable.name], 1);
      std::memcpy(allocation.storage + relocation.offset, &value, sizeof(value));
    }
  }
  symbols.global = module.variables;
  symbols.module_variables = &module.syntax.variables;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The setting "ptx" replaces the text of the module that defines the same kernels (the first one
// decides).
std::string Replaced(std::string ptx) {
  if (settings().ptx.empty()) return ptx;
  std::string other = ReadFile(settings().ptx);
  const std::size_t entry = other.find(".entry");
  const std::size_t end = other.find('(', entry);
  const bool same = entry != std::string::npos && end != std::string::npos &&
                    ptx.find(other.substr(entry, end - entry) + "(") != std::string::npos;
  return same ? other : ptx;
}

}  // namespace

ModuleRegistry& ModuleRegistry::Get() {
  static auto* registry = new ModuleRegistry;  // outlives the static destructors of the program
  return *registry;
}

LoadedModule* ModuleRegistry::Load(std::string ptx) {
  auto module = std::make_unique<LoadedModule>();
  module->text = Replaced(std::move(ptx));
  try {
    module->syntax = ParsePtx(module->text);
    SymbolTable symbols;
    PlaceVariables(*module, symbols);
    for (const auto& [name, function] : module->syntax.functions) {
      if (function.entry && function.defined) {
        module->kernels.emplace(name, Decoder(module->syntax, symbols, function).Run());
        NoteKernel("loaded", name);
      }
    }
  } catch (const PtxError& error) {
    Report("REFUSED", error.what());
    return nullptr;
  }
  modules_.push_back(std::move(module));
  return modules_.back().get();
}

void ModuleRegistry::Unload(const LoadedModule* module) {
  if (module == nullptr) return;
  std::erase_if(kernels_, [&](const auto& entry) { return entry.second.first == module; });
  std::erase_if(variables_, [&](const auto& entry) { return entry.second.module == module; });
  for (const auto& [name, address] : module->variables)
    DeviceMemory::Get().Free(address, Allocation::Kind::kModule);
  std::erase_if(modules_, [&](const auto& entry) { return entry.get() == module; });
}

void ModuleRegistry::AddKernel(LoadedModule* module, const void* stub, const std::string& name) {
  if (module == nullptr) return;
  const auto found = module->kernels.find(name);
  if (found != module->kernels.end()) kernels_[stub] = {module, &found->second};
}

void ModuleRegistry::AddVariable(LoadedModule* module, const void* stub, const std::string& name,
                                 std::uint64_t size) {
  if (module == nullptr) return;
  const auto found = module->variables.find(name);
  if (found != module->variables.end()) variables_[stub] = {module, found->second, size};
}

const Kernel* ModuleRegistry::FindKernel(const void* stub) const {
  const auto found = kernels_.find(stub);
  return found == kernels_.end() ? nullptr : found->second.second;
}

std::pair<std::uint64_t, std::uint64_t> ModuleRegistry::FindVariable(const void* stub) const {
  const auto found = variables_.find(stub);
  if (found == variables_.end()) return {0, 0};
  return {found->second.address, found->second.size};
}

int ModuleRegistry::arch() const {
  if (settings().arch != 0) return static_cast<int>(settings().arch);
  int most = 0;
  for (const auto& module : modules_) most = std::max(most, module->syntax.arch);
  return most == 0 ? 80 : most;
}

}  // namespace paluku::emulator
