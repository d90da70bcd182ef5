#include "tests/support/cuda_emulator/decoder.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "tests/support/cuda_emulator/ptx_lexer.h"
#include "tests/support/cuda_emulator/ptx_parser.h"

namespace paluku::emulator {
namespace {

using Kind = Operand::Kind;

constexpr std::size_t kMostInstructions = 4'000'000;
constexpr std::size_t kMostDepth = 32;
constexpr std::uint32_t kSharedRedZone = 128;  // a multiple of 32 banks: conflicts stay as they are
constexpr unsigned char kPoison = 0xC7;

const OpcodeTables& Tables() {
  static const OpcodeTables tables = [] {
    OpcodeTables all;
    AddIntegerOpcodes(all);
    AddCarryOpcodes(all);
    AddBitOpcodes(all);
    AddFloatOpcodes(all);
    AddHalfOpcodes(all);
    AddConvertOpcodes(all);
    AddMoveOpcodes(all);
    AddCompareOpcodes(all);
    AddMemoryOpcodes(all);
    AddAtomicOpcodes(all);
    AddAsyncCopyOpcodes(all);
    AddControlOpcodes(all);
    AddWarpOpcodes(all);
    AddMatrixOpcodes(all);
    return all;
  }();
  return tables;
}

Type ParseType(std::string_view name) {
  static const std::unordered_map<std::string_view, Type> kTypes = {
      {"pred", Type::kPred}, {"u8", Type::kU8},   {"u16", Type::kU16},      {"u32", Type::kU32},
      {"u64", Type::kU64},   {"s8", Type::kS8},   {"s16", Type::kS16},      {"s32", Type::kS32},
      {"s64", Type::kS64},   {"b8", Type::kB8},   {"b16", Type::kB16},      {"b32", Type::kB32},
      {"b64", Type::kB64},   {"f16", Type::kF16}, {"bf16", Type::kBf16},    {"f16x2", Type::kF16x2},
      {"f32", Type::kF32},   {"f64", Type::kF64}, {"bf16x2", Type::kBf16x2}};
  const auto found = kTypes.find(name);
  return found == kTypes.end() ? Type::kNone : found->second;
}

const char* Intern(std::string_view text) {
  static std::set<std::string, std::less<>> names;
  const auto found = names.find(text);
  return (found != names.end() ? found : names.emplace(text).first)->c_str();
}

std::uint64_t RoundUp(std::uint64_t value, std::uint64_t align) {
  return (value + align - 1) / align * align;
}

}  // namespace

int Width(Type type) {
  switch (type) {
    case Type::kNone:
    case Type::kPred:
      return 0;
    case Type::kU8:
    case Type::kS8:
    case Type::kB8:
      return 1;
    case Type::kU16:
    case Type::kS16:
    case Type::kB16:
    case Type::kF16:
    case Type::kBf16:
      return 2;
    case Type::kU64:
    case Type::kS64:
    case Type::kB64:
    case Type::kF64:
      return 8;
    default:
      return 4;
  }
}

bool IsSigned(Type type) {
  return type == Type::kS8 || type == Type::kS16 || type == Type::kS32 || type == Type::kS64;
}

bool IsFloat(Type type) { return type >= Type::kF16; }

std::string Kernel::Place(SourceLine source) const {
  const auto file = files->find(source.file);
  return (file == files->end() ? "?" : file->second) + ":" + std::to_string(source.line);
}

Decoder::Decoder(const PtxModule& module, const SymbolTable& symbols, const Function& entry)
    : module_(module), symbols_(symbols), entry_(entry) {
  kernel_.name = entry.name;
  kernel_.files = &module.files;
  kernel_.max_threads = entry.max_threads;
  kernel_.required_threads = entry.required_threads;
  kernel_.predicates = 2;
}

Kernel Decoder::Run() {
  LayOutParameters();
  LayOutShared();
  Frame frame;
  frame.function = &entry_;
  frames_.push_back(&frame);
  OpenFrame(entry_);
  DecodeBody(frame);
  Instruction end;
  end.kind = Instruction::Kind::kExit;
  end.name = "ret";
  kernel_.code.push_back(end);
  return std::move(kernel_);
}

void Decoder::LayOutParameters() {
  std::uint64_t at = 0;
  for (const Variable& parameter : entry_.parameters) {
    at = RoundUp(at, parameter.align);
    kernel_.parameters.push_back(
        {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(parameter.size)});
    at += parameter.size;
  }
  kernel_.parameter_bytes = static_cast<std::uint32_t>(at);
}

// Static variables first, then the dynamic part, red zones between all of them.
void Decoder::LayOutShared() {
  std::uint64_t at = kSharedRedZone;
  std::uint64_t counted = 0;
  const auto place = [&](const Variable& variable) {
    if (variable.space != Space::kShared) return;
    if (variable.dynamic) {
      kernel_.uses_dynamic = true;
      return;
    }
    kernel_.shared.push_back(
        {variable.name, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(variable.size)});
    at = RoundUp(at + variable.size + kSharedRedZone, kSharedRedZone);
    counted = RoundUp(counted, variable.align) + variable.size;
  };
  // Every function that the entry could call; module-wide variables count only where somebody names
  // them.
  std::set<std::string> named;
  std::vector<const Function*> todo = {&entry_};
  std::set<const Function*> seen;
  const std::function<void(const Operand&)> look = [&](const Operand& operand) {
    if (operand.kind == Kind::kSymbol) {
      named.insert(operand.name);
      const auto callee = module_.functions.find(operand.name);
      if (callee != module_.functions.end()) todo.push_back(&callee->second);
    }
    for (const Operand& element : operand.elements) look(element);
  };
  while (!todo.empty()) {
    const Function* function = todo.back();
    todo.pop_back();
    if (!seen.insert(function).second) continue;
    for (const Variable& variable : function->variables) place(variable);
    for (const Statement& statement : function->statements) {
      for (const Operand& operand : statement.operands) look(operand);
    }
  }
  for (const Variable& variable : *symbols_.module_variables) {
    if (named.count(variable.name) != 0) place(variable);
  }
  kernel_.shared_bytes = static_cast<std::uint32_t>(counted);
  kernel_.dynamic_offset = static_cast<std::uint32_t>(RoundUp(at, 1024));
}

void Decoder::OpenFrame(const Function& function) {
  Frame& frame = *frames_.back();
  for (const RegisterDeclaration& declared : function.registers) {
    frame.registers.push_back(declared.width == 0 ? kernel_.predicates++
                                                  : NewRegister(declared.width));
  }
  for (const Variable& variable : function.variables) {
    std::uint64_t address = 0;
    if (variable.space == Space::kShared) {
      address = SharedAddress(variable.name);
    } else {
      address = LocalSpace(variable.size, variable.align);
    }
    frame.variables.push_back(static_cast<std::int64_t>(address));
  }
}

std::uint64_t Decoder::LocalSpace(std::uint64_t size, std::uint32_t align) {
  const std::uint64_t at = RoundUp(kernel_.local_bytes, std::max<std::uint32_t>(align, 8));
  kernel_.local_bytes = static_cast<std::uint32_t>(at + size);
  return kLocalWindow + at;
}

std::uint64_t Decoder::SharedAddress(const std::string& name) const {
  for (const SharedPlace& place : kernel_.shared) {
    if (place.name == name) return place.offset;
  }
  return kernel_.dynamic_offset;
}

std::uint32_t Decoder::NewRegister(int width) {
  const std::size_t at = kernel_.image.size();
  kernel_.image.resize(at + static_cast<std::size_t>(width) * kWarpSize, std::byte{kPoison});
  return static_cast<std::uint32_t>(at);
}

std::uint32_t Decoder::Scratch(int width) { return NewRegister(width); }

void Decoder::DecodeBody(Frame& frame) {
  const Function& function = *frame.function;
  std::vector<std::uint32_t> starts;
  for (const Statement& statement : function.statements) {
    starts.push_back(static_cast<std::uint32_t>(kernel_.code.size()));
    DecodeStatement(statement);
  }
  const auto end = static_cast<std::uint32_t>(kernel_.code.size());
  starts.push_back(end);
  for (const auto& [instruction, label] : frame.branches) {
    const int position = function.labels[static_cast<std::size_t>(label)].position;
    kernel_.code[instruction].target = starts[static_cast<std::size_t>(position)];
  }
  for (const std::size_t instruction : frame.exits) kernel_.code[instruction].target = end;
}

void Decoder::DecodeStatement(const Statement& statement) {
  statement_ = &statement;
  consumed_.assign(statement.opcode.size(), false);
  consumed_[0] = true;
  if (kernel_.code.size() > kMostInstructions) Refuse("the kernel is too large");
  if (opcode() == "call") return DecodeCall(statement);
  Instruction instruction;
  instruction.name = Intern(opcode());
  instruction.source = statement.source;
  if (statement.guard >= 0) {
    instruction.guard = static_cast<std::int32_t>(
        frames_.back()->registers[static_cast<std::size_t>(statement.guard)]);
    instruction.guard_negated = statement.guard_negated;
  }
  const OpcodeTables& tables = Tables();
  auto found = tables.floating.end();
  if (HasFloatType()) found = tables.floating.find(opcode());
  if (found == tables.floating.end()) {
    found = tables.general.find(opcode());
    if (found == tables.general.end()) Refuse("unknown opcode");
  }
  found->second(*this, instruction);
  if (opcode() == "bra") {
    frames_.back()->branches.emplace_back(kernel_.code.size(), operand(0).index);
  } else if (opcode() == "ret" && frames_.size() > 1) {
    instruction.kind = Instruction::Kind::kBranch;
    frames_.back()->exits.push_back(kernel_.code.size());
  }
  for (std::size_t i = 0; i < consumed_.size(); ++i) {
    if (!consumed_[i]) Refuse("unknown modifier '." + std::string(statement.opcode[i]) + "'");
  }
  kernel_.code.push_back(instruction);
}

void Decoder::DecodeCall(const Statement& statement) {
  Take("uni");
  if (consumed_.size() > 1 && !consumed_[1]) Refuse("unknown modifier");
  const Operand& callee = operand(1);
  if (callee.kind != Kind::kSymbol) Refuse("a call through a pointer");
  std::size_t skip = 0;
  if (statement.guard >= 0) {
    Instruction jump;
    jump.kind = Instruction::Kind::kBranch;
    jump.name = "call";
    jump.source = statement.source;
    jump.guard = static_cast<std::int32_t>(
        frames_.back()->registers[static_cast<std::size_t>(statement.guard)]);
    jump.guard_negated = !statement.guard_negated;
    skip = kernel_.code.size();
    kernel_.code.push_back(jump);
  }
  if (!DecodeKnownCall(callee.name, statement)) {
    const auto found = module_.functions.find(callee.name);
    if (found == module_.functions.end() || !found->second.defined)
      Refuse("call of unknown function " + callee.name);
    const Function& function = found->second;
    for (const Frame* open : frames_) {
      if (open->function == &function) Refuse("recursion in " + callee.name);
    }
    if (frames_.size() >= kMostDepth) Refuse("calls nested too deeply");
    Frame frame;
    frame.function = &function;
    const auto addresses = [&](const Operand& list, std::vector<std::uint64_t>& out) {
      for (const Operand& element : list.elements) out.push_back(AddressOf(element));
    };
    addresses(operand(0), frame.returns);
    addresses(operand(2), frame.parameters);
    if (frame.returns.size() != function.returns.size() ||
        frame.parameters.size() != function.parameters.size()) {
      Refuse("call of " + callee.name + " with a wrong number of arguments");
    }
    frames_.push_back(&frame);
    OpenFrame(function);
    DecodeBody(frame);
    frames_.pop_back();
  }
  if (statement.guard >= 0)
    kernel_.code[skip].target = static_cast<std::uint32_t>(kernel_.code.size());
}

bool Decoder::Take(std::string_view modifier) {
  for (std::size_t i = 1; i < consumed_.size(); ++i) {
    if (!consumed_[i] && statement_->opcode[i] == modifier) {
      consumed_[i] = true;
      return true;
    }
  }
  return false;
}

int Decoder::TakeOneOf(std::initializer_list<std::string_view> modifiers) {
  int index = 0;
  for (const std::string_view modifier : modifiers) {
    if (Take(modifier)) return index;
    ++index;
  }
  return -1;
}

Type Decoder::TakeType() {
  for (std::size_t i = 1; i < consumed_.size(); ++i) {
    const Type type = consumed_[i] ? Type::kNone : ParseType(statement_->opcode[i]);
    if (type != Type::kNone) {
      consumed_[i] = true;
      return type;
    }
  }
  return Type::kNone;
}

Type Decoder::NeedType() {
  const Type type = TakeType();
  if (type == Type::kNone) Refuse("a type is missing");
  return type;
}

bool Decoder::HasModifier(std::string_view modifier) const {
  const auto& parts = statement_->opcode;
  return std::find(parts.begin() + 1, parts.end(), modifier) != parts.end();
}

bool Decoder::HasFloatType() const {
  for (std::size_t i = 1; i < consumed_.size(); ++i) {
    if (!consumed_[i] && IsFloat(ParseType(statement_->opcode[i]))) return true;
  }
  return false;
}

void Decoder::Refuse(const std::string& why) const {
  std::string name;
  for (const std::string_view part : statement_->opcode)
    name += (name.empty() ? "" : ".") + std::string(part);
  throw PtxError(why + " in '" + name + "', kernel " + kernel_.name + ", " +
                 kernel_.Place(statement_->source) + ", PTX line " +
                 std::to_string(statement_->ptx_line));
}

const Operand& Decoder::operand(std::size_t i) const {
  if (i >= statement_->operands.size()) Refuse("too few operands");
  return statement_->operands[i];
}

std::uint32_t Decoder::Constant(std::uint64_t value, int width) {
  if (width < 8) value &= (std::uint64_t{1} << (8 * width)) - 1;
  const auto [place, fresh] = constants_.try_emplace({value, width}, 0);
  if (fresh) {
    place->second = NewRegister(width);
    for (int lane = 0; lane < kWarpSize; ++lane) {
      std::memcpy(kernel_.image.data() + place->second + lane * width, &value,
                  static_cast<std::size_t>(width));
    }
  }
  return place->second;
}

std::uint32_t Decoder::Special(const std::string& name) {
  using Which = SpecialRegister::Which;
  static const std::unordered_map<std::string_view, Which> kNames = {
      {"%tid.x", Which::kTidX},
      {"%tid.y", Which::kTidY},
      {"%tid.z", Which::kTidZ},
      {"%ntid.x", Which::kNtidX},
      {"%ntid.y", Which::kNtidY},
      {"%ntid.z", Which::kNtidZ},
      {"%ctaid.x", Which::kCtaidX},
      {"%ctaid.y", Which::kCtaidY},
      {"%ctaid.z", Which::kCtaidZ},
      {"%nctaid.x", Which::kNctaidX},
      {"%nctaid.y", Which::kNctaidY},
      {"%nctaid.z", Which::kNctaidZ},
      {"%laneid", Which::kLane},
      {"%warpid", Which::kWarp},
      {"%nwarpid", Which::kWarpCount},
      {"%lanemask_eq", Which::kMaskEq},
      {"%lanemask_lt", Which::kMaskLt},
      {"%lanemask_le", Which::kMaskLe},
      {"%lanemask_gt", Which::kMaskGt},
      {"%lanemask_ge", Which::kMaskGe},
      {"%smid", Which::kProcessor},
      {"%nsmid", Which::kProcessorCount},
      {"%dynamic_smem_size", Which::kDynamicShared},
      {"%total_smem_size", Which::kTotalShared}};
  const auto which = kNames.find(name);
  if (which == kNames.end()) Refuse("unknown special register " + name);
  const auto [place, fresh] = specials_.try_emplace(name, 0);
  if (fresh) {
    place->second = NewRegister(4);
    kernel_.specials.push_back({which->second, place->second});
  }
  return place->second;
}

std::uint64_t Decoder::AddressOf(const Operand& operand) {
  const Frame& frame = *frames_.back();
  const auto index = static_cast<std::size_t>(operand.index);
  switch (operand.kind) {
    case Kind::kVariable:
      return static_cast<std::uint64_t>(frame.variables[index]) + operand.value;
    case Kind::kParameter:
      return frames_.size() > 1 ? frame.parameters[index]
                                : kParamWindow + kernel_.parameters[index].offset;
    case Kind::kReturn:
      return frame.returns[index];
    case Kind::kSymbol:
      break;
    default:
      Refuse("an operand that is no address");
  }
  const auto global = symbols_.global.find(operand.name);
  if (global != symbols_.global.end()) return global->second + operand.value;
  for (const Variable& variable : *symbols_.module_variables) {
    if (variable.name == operand.name) return SharedAddress(operand.name) + operand.value;
  }
  Refuse("unknown name " + operand.name);
}

std::uint32_t Decoder::Source(const Operand& operand, int width) {
  switch (operand.kind) {
    case Kind::kRegister: {
      const int have = WidthOf(operand, width);
      if (have != width) {
        Refuse("a register of " + std::to_string(have) + " bytes where " + std::to_string(width) +
               " are meant");
      }
      return frames_.back()->registers[static_cast<std::size_t>(operand.index)];
    }
    case Kind::kInteger:
      return Constant(operand.value, width);
    case Kind::kFloat:
      if (width != 4) Refuse("a 4-byte float where another width is meant");
      return Constant(operand.value, 4);
    case Kind::kDouble:
      if (width != 8) Refuse("an 8-byte float where another width is meant");
      return Constant(operand.value, 8);
    case Kind::kSpecial:
      if (width != 4) Refuse("special register of 4 bytes where another width is meant");
      return Special(operand.name);
    case Kind::kSymbol:
      if (operand.name == "WARP_SZ") return Constant(kWarpSize, width);
      [[fallthrough]];
    case Kind::kVariable:
    case Kind::kParameter:
    case Kind::kReturn:
      return Constant(AddressOf(operand), width);
    default:
      Refuse("an odd operand");
  }
}

std::uint32_t Decoder::Destination(const Operand& operand, int width) {
  if (operand.kind == Kind::kSink) return Scratch(width);
  if (operand.kind != Kind::kRegister) Refuse("a destination that is no register");
  return Source(operand, width);
}

int Decoder::WidthOf(const Operand& operand, int otherwise) const {
  if (operand.kind != Kind::kRegister) return otherwise;
  return frames_.back()->function->registers[static_cast<std::size_t>(operand.index)].width;
}

std::uint32_t Decoder::PredicateSource(const Operand& operand, bool& negated) {
  negated = operand.negated;
  if (operand.kind == Kind::kInteger) return operand.value != 0 ? kPredicateTrue : kPredicateFalse;
  return Source(operand, 0);
}

std::uint32_t Decoder::PredicateDestination(const Operand& operand) {
  if (operand.kind == Kind::kSink) return kernel_.predicates++;
  if (operand.kind != Kind::kRegister) Refuse("a destination that is no predicate");
  return Source(operand, 0);
}

void Decoder::Address(const Operand& operand, Instruction& instruction, int slot) {
  if (operand.kind != Kind::kAddress) Refuse("an operand that is no address");
  const Operand& base = operand.elements[0];
  instruction.offset = static_cast<std::int64_t>(operand.value);
  const int width = WidthOf(base, 8);
  if (width == 4) {
    instruction.reg[slot] = Source(base, 4);
    instruction.narrow_address = true;
  } else {
    instruction.reg[slot] = Source(base, 8);
  }
  instruction.site =
      static_cast<std::uint16_t>(std::min<std::size_t>(kernel_.sites.size(), kMostSites - 1));
  if (kernel_.sites.size() < kMostSites) kernel_.sites.push_back(instruction.source);
}

bool Decoder::DecodeKnownCall(const std::string& name, const Statement& statement) {
  if (name != "__assertfail" && name != "vprintf") return false;
  if (name == "vprintf") Refuse("printf in a kernel");
  Instruction trap;
  trap.name = "assert";
  trap.source = statement.source;
  const auto& table = Tables().general;
  table.at("trap")(*this, trap);
  kernel_.code.push_back(trap);
  return true;
}

}  // namespace paluku::emulator
