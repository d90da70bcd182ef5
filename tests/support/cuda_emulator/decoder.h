// Turns parsed functions into instructions. The files opcodes_*.cpp know one family of opcodes each
// and use a Decoder to consume modifiers and operands; a modifier that nobody consumed refuses the
// module.
//
// Functions that a kernel calls are expanded in place (there is no call stack); recursion and calls
// through pointers are refused.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tests/support/cuda_emulator/instruction.h"
#include "tests/support/cuda_emulator/ptx_syntax.h"

namespace paluku::emulator {

enum class Type {
  kNone,
  kPred,
  kU8,
  kU16,
  kU32,
  kU64,
  kS8,
  kS16,
  kS32,
  kS64,
  kB8,
  kB16,
  kB32,
  kB64,
  kF16,
  kBf16,
  kF16x2,
  kBf16x2,
  kF32,
  kF64
};

int Width(Type type);  // bytes; 0 for kPred
bool IsSigned(Type type);
bool IsFloat(Type type);

// Addresses of module variables, known when the module is loaded.
struct SymbolTable {
  std::unordered_map<std::string, std::uint64_t> global;  // .global and .const
  const std::vector<Variable>* module_variables = nullptr;
};

class Decoder {
 public:
  Decoder(const PtxModule& module, const SymbolTable& symbols, const Function& entry);
  Kernel Run();

  // The statement being decoded.
  std::string_view opcode() const { return statement_->opcode[0]; }
  // Consumes a modifier if it is there.
  bool Take(std::string_view modifier);
  // Consumes one of the modifiers; returns its index, or -1.
  int TakeOneOf(std::initializer_list<std::string_view> modifiers);
  // Consumes the first type that is left. kNone when there is none.
  Type TakeType();
  Type NeedType();
  bool HasModifier(std::string_view modifier) const;
  // A modifier that is a floating-point type is left.
  bool HasFloatType() const;
  [[noreturn]] void Refuse(const std::string& why) const;

  std::size_t operand_count() const { return statement_->operands.size(); }
  const Operand& operand(std::size_t i) const;
  // Offset of an operand that must have `width` bytes (immediates take any).
  std::uint32_t Source(const Operand& operand, int width);
  std::uint32_t Source(std::size_t i, int width) { return Source(operand(i), width); }
  std::uint32_t Destination(const Operand& operand, int width);
  std::uint32_t Destination(std::size_t i, int width) { return Destination(operand(i), width); }
  // Width of a register operand; `otherwise` for immediates and addresses.
  int WidthOf(const Operand& operand, int otherwise) const;
  // Number of a predicate; p|q pairs are vectors. `negated` receives the '!'.
  std::uint32_t PredicateSource(const Operand& operand, bool& negated);
  std::uint32_t PredicateDestination(const Operand& operand);
  // A register that always holds `value` in every lane.
  std::uint32_t Constant(std::uint64_t value, int width);
  // A register nobody reads: where results go that the program does not want.
  std::uint32_t Scratch(int width);
  // Sets space-dependent base register (reg[slot], 8 bytes a lane) and offset of a memory operand.
  // Symbols become constants. Registers the instruction as a memory site.
  void Address(const Operand& operand, Instruction& instruction, int slot);

 private:
  // How the names of one function map to one expansion of it.
  struct Frame {
    const Function* function = nullptr;
    std::vector<std::uint32_t> registers;   // offsets, or predicate numbers
    std::vector<std::int64_t> variables;    // addresses in their space
    std::vector<std::uint64_t> parameters;  // local addresses of arguments (expanded functions)
    std::vector<std::uint64_t> returns;
    std::vector<std::pair<std::size_t, int>> branches;  // instruction, label
    std::vector<std::size_t> exits;  // instructions that go to the end of the expansion
  };

  void LayOutParameters();
  void LayOutShared();
  void OpenFrame(const Function& function);
  void DecodeBody(Frame& frame);
  void DecodeStatement(const Statement& statement);
  void DecodeCall(const Statement& statement);
  bool DecodeKnownCall(const std::string& name, const Statement& statement);
  std::uint32_t Special(const std::string& name);
  std::uint32_t NewRegister(int width);
  std::uint64_t AddressOf(const Operand& operand);
  std::uint64_t LocalSpace(std::uint64_t size, std::uint32_t align);
  std::uint64_t SharedAddress(const std::string& name) const;

  const PtxModule& module_;
  const SymbolTable& symbols_;
  const Function& entry_;
  Kernel kernel_;
  std::vector<Frame*> frames_;
  const Statement* statement_ = nullptr;
  std::vector<bool> consumed_;
  std::map<std::pair<std::uint64_t, int>, std::uint32_t> constants_;
  std::map<std::string, std::uint32_t> specials_;
};

using DecodeFunction = void (*)(Decoder&, Instruction&);

// Opcodes by name. Where a name serves floats and others ("add"), `floating` is asked first for
// float types.
struct OpcodeTables {
  std::unordered_map<std::string_view, DecodeFunction> general;
  std::unordered_map<std::string_view, DecodeFunction> floating;
};

// The forms of add, sub and mad that set the carry (opcodes_carry.cpp).
void DecodeAddWithCarry(Decoder& decoder, Instruction& instruction);
void DecodeSubtractWithCarry(Decoder& decoder, Instruction& instruction);
void DecodeMultiplyAddWithCarry(Decoder& decoder, Instruction& instruction);

// Each adds the opcodes of its file.
void AddCarryOpcodes(OpcodeTables& tables);
void AddIntegerOpcodes(OpcodeTables& tables);
void AddBitOpcodes(OpcodeTables& tables);
void AddFloatOpcodes(OpcodeTables& tables);
void AddHalfOpcodes(OpcodeTables& tables);
void AddConvertOpcodes(OpcodeTables& tables);
void AddMoveOpcodes(OpcodeTables& tables);
void AddCompareOpcodes(OpcodeTables& tables);
void AddMemoryOpcodes(OpcodeTables& tables);
void AddAtomicOpcodes(OpcodeTables& tables);
void AddAsyncCopyOpcodes(OpcodeTables& tables);
void AddControlOpcodes(OpcodeTables& tables);
void AddWarpOpcodes(OpcodeTables& tables);
void AddMatrixOpcodes(OpcodeTables& tables);

}  // namespace paluku::emulator
