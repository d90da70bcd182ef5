// A PTX module as the parser leaves it: names of registers, variables and labels resolved, opcodes
// cut at their dots, nothing interpreted yet. module.h turns it into instructions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace paluku::emulator {

// Widths in bytes; 0 is a predicate.
struct RegisterDeclaration {
  std::string name;
  int width = 0;
};

enum class Space { kGeneric, kGlobal, kShared, kLocal, kParam, kConst };

// A pointer inside an initialiser: 8 bytes at `offset` hold the address of `symbol` + `addend`.
struct Relocation {
  std::uint64_t offset;
  std::string symbol;
  std::int64_t addend;
};

struct Variable {
  std::string name;
  Space space = Space::kGlobal;
  std::uint64_t size = 0;
  std::uint32_t align = 1;
  bool dynamic = false;  // extern __shared__ x[]
  std::vector<unsigned char> initial;
  std::vector<Relocation> relocations;
};

struct SourceLine {
  std::uint32_t file = 0;
  std::uint32_t line = 0;
};

struct Operand {
  enum class Kind {
    kSink,       // _
    kRegister,   // index: of the function's registers
    kSpecial,    // name: %tid.x ...
    kInteger,    // value
    kFloat,      // value: bits of a 4-byte float
    kDouble,     // value: bits of an 8-byte float
    kVector,     // elements
    kAddress,    // [base + value]: elements[0] is the base (register, symbol or integer)
    kVariable,   // index: of the function's variables
    kParameter,  // index: of the function's parameters
    kReturn,     // index: of the function's return parameters
    kSymbol,     // name: module variable or function
    kLabel       // index: of the function's labels
  };
  Kind kind = Kind::kSink;
  int index = -1;
  std::uint64_t value = 0;
  bool negated = false;  // !%p
  std::string name;
  std::vector<Operand> elements;  // %p|%q is a vector too
};

struct Statement {
  int guard = -1;  // predicate register
  bool guard_negated = false;
  std::vector<std::string_view> opcode;  // {"ld", "global", "nc", "u32"}
  std::vector<Operand> operands;
  SourceLine source;
  int ptx_line = 0;
};

struct Label {
  std::string name;
  int position = -1;  // index of the statement that follows
};

struct Function {
  std::string name;
  bool entry = false;
  bool defined = false;
  std::vector<Variable> parameters;
  std::vector<Variable> returns;
  std::vector<RegisterDeclaration> registers;
  std::vector<Variable> variables;  // .shared, .local and the .param of calls
  std::vector<Label> labels;
  std::vector<Statement> statements;
  std::uint32_t max_threads = 0;       // .maxntid, 0: none
  std::uint32_t required_threads = 0;  // .reqntid
};

struct PtxModule {
  int arch = 0;  // 80 for sm_80
  std::map<std::string, Function> functions;
  std::vector<Variable> variables;  // .global, .const and module-wide .shared
  std::map<std::uint32_t, std::string> files;
};

}  // namespace paluku::emulator
