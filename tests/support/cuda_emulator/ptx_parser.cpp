#include "tests/support/cuda_emulator/ptx_parser.h"

#include <charconv>
#include <cstring>
#include <string>
#include <unordered_map>
#include <utility>

#include "tests/support/cuda_emulator/ptx_lexer.h"

namespace paluku::emulator {
namespace {

using Kind = Operand::Kind;

constexpr std::uint64_t kMostVariableBytes = std::uint64_t{1} << 31;

bool IsNumber(const Token& token) { return token.kind == Token::Kind::kNumber; }

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) {}

  PtxModule Run();

 private:
  // What a name means inside a pair of braces.
  struct Scope {
    std::unordered_map<std::string_view, int> registers;
    std::unordered_map<std::string_view, int> variables;
    std::unordered_map<std::string_view, int> labels;
  };

  void ParseTopLevel();
  void ParseFile();
  void ParseSection();
  void ParseFunction(bool entry);
  void ParseDirectives(Function& function);
  std::vector<Variable> ParseParameters();
  Variable ParseVariable(Space space);
  void ParseInitialiser(Variable& variable, int width);
  void ParseInitialValue(Variable& variable, int width, std::uint64_t offset);
  void ParseBody();
  void ParseLocation();
  void ParseRegisters();
  void ParseStatement();
  void ParseCallOperands(Statement& statement);
  Operand ParseOperand();
  Operand ParseNumber();
  Operand ParseAddress();
  Operand ParseVector();
  Operand ResolveWord(std::string_view word);
  int LabelIndex(std::string_view name);
  std::uint64_t ParseUnsigned();

  PtxLexer lexer_;
  PtxModule module_;
  Function* function_ = nullptr;
  std::vector<Scope> scopes_;
  SourceLine source_;
};

PtxModule Parser::Run() {
  while (lexer_.Peek().kind != Token::Kind::kEnd) ParseTopLevel();
  return std::move(module_);
}

void Parser::ParseTopLevel() {
  const Token token = lexer_.Next();
  if (token.Is(".version")) {
    lexer_.SkipLine();
  } else if (token.Is(".address_size")) {
    if (ParseUnsigned() != 64) lexer_.Fail("addresses of other than 64 bits before this");
  } else if (token.Is(".target")) {
    const std::string_view target = lexer_.Next().text;
    if (target.substr(0, 3) != "sm_") lexer_.Fail("unknown target");
    std::from_chars(target.data() + 3, target.data() + target.size(), module_.arch);
    while (lexer_.Accept(",")) lexer_.Next();
  } else if (token.Is(".file")) {
    ParseFile();
  } else if (token.Is(".section")) {
    ParseSection();
  } else if (token.Is(".visible") || token.Is(".weak") || token.Is(".extern") ||
             token.Is(".common") || token.Is(";")) {
    // linking directives say nothing here: there is one module
  } else if (token.Is(".entry") || token.Is(".func")) {
    ParseFunction(token.Is(".entry"));
  } else if (token.Is(".global") || token.Is(".const") || token.Is(".shared")) {
    const Space space = token.Is(".global")  ? Space::kGlobal
                        : token.Is(".const") ? Space::kConst
                                             : Space::kShared;
    module_.variables.push_back(ParseVariable(space));
    lexer_.Expect(";");
  } else if (token.Is(".pragma")) {
    lexer_.Next();
    lexer_.Expect(";");
  } else {
    lexer_.Fail("unknown directive '" + std::string(token.text) + "'");
  }
}

void Parser::ParseFile() {
  const std::uint64_t number = ParseUnsigned();
  const std::string_view path = lexer_.Next().text;
  module_.files[static_cast<std::uint32_t>(number)] = path.substr(path.rfind('/') + 1);
  if (lexer_.Accept(",")) lexer_.SkipLine();
}

void Parser::ParseSection() {
  while (!lexer_.Accept("{")) lexer_.Next();
  while (!lexer_.Accept("}")) {
    if (lexer_.Next().kind == Token::Kind::kEnd) lexer_.Fail(".section without end");
  }
}

std::uint64_t Parser::ParseUnsigned() {
  const Token token = lexer_.Next();
  std::uint64_t value = 0;
  if (!IsNumber(token)) lexer_.Fail("expected a number before this");
  const bool hex = token.text.size() > 2 && (token.text[1] == 'x' || token.text[1] == 'X');
  const char* from = token.text.data() + (hex ? 2 : 0);
  const char* end = token.text.data() + token.text.size();
  if (end[-1] == 'U') --end;
  if (std::from_chars(from, end, value, hex ? 16 : 10).ptr != end)
    lexer_.Fail("odd number before this");
  return value;
}

Operand Parser::ParseNumber() {
  Operand operand;
  const bool negative = lexer_.Accept("-");
  const std::string_view text = lexer_.Peek().text;
  const char mark = text.size() > 2 && text[0] == '0' ? text[1] : '\0';
  if (mark == 'f' || mark == 'F' || mark == 'd' || mark == 'D') {
    lexer_.Next();
    operand.kind = mark == 'f' || mark == 'F' ? Kind::kFloat : Kind::kDouble;
    std::from_chars(text.data() + 2, text.data() + text.size(), operand.value, 16);
    if (negative) lexer_.Fail("negative float literal before this");
    return operand;
  }
  operand.kind = Kind::kInteger;
  operand.value = ParseUnsigned();
  if (negative) operand.value = ~operand.value + 1;
  return operand;
}

Operand Parser::ParseVector() {
  Operand vector;
  vector.kind = Kind::kVector;
  do {
    vector.elements.push_back(ParseOperand());
  } while (lexer_.Accept(","));
  lexer_.Expect("}");
  return vector;
}

Operand Parser::ParseAddress() {
  Operand address;
  address.kind = Kind::kAddress;
  address.elements.push_back(ParseOperand());
  while (lexer_.Peek().Is("+") || lexer_.Peek().Is("-")) {
    const bool minus = lexer_.Next().Is("-");
    const std::uint64_t value = ParseNumber().value;
    address.value += minus ? ~value + 1 : value;
  }
  lexer_.Expect("]");
  return address;
}

Operand Parser::ParseOperand() {
  if (lexer_.Accept("{")) return ParseVector();
  if (lexer_.Accept("[")) return ParseAddress();
  if (lexer_.Accept("!")) {
    Operand operand = ParseOperand();
    operand.negated = true;
    return operand;
  }
  if (lexer_.Peek().Is("-") || IsNumber(lexer_.Peek())) return ParseNumber();
  const Token token = lexer_.Next();
  if (token.kind != Token::Kind::kWord) lexer_.Fail("odd operand before this");
  Operand operand = ResolveWord(token.text);
  if (lexer_.Accept("|")) {
    Operand pair;
    pair.kind = Kind::kVector;
    pair.elements = {operand, ParseOperand()};
    return pair;
  }
  if (operand.kind == Kind::kVariable || operand.kind == Kind::kSymbol) {
    if (lexer_.Accept("+")) operand.value = ParseUnsigned();  // mov.u64 %rd, name+8
  }
  return operand;
}

Operand Parser::ResolveWord(std::string_view word) {
  Operand operand;
  if (word == "_") return operand;
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    if (const auto found = scope->registers.find(word); found != scope->registers.end()) {
      operand.kind = Kind::kRegister;
      operand.index = found->second;
      return operand;
    }
    if (const auto found = scope->variables.find(word); found != scope->variables.end()) {
      operand.kind = Kind::kVariable;
      operand.index = found->second;
      return operand;
    }
  }
  operand.name = word;
  if (word[0] == '%') {
    operand.kind = Kind::kSpecial;
    return operand;
  }
  const auto index_of = [&](const std::vector<Variable>& list) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list[i].name == word) return static_cast<int>(i);
    }
    return -1;
  };
  operand.index = index_of(function_->parameters);
  operand.kind = Kind::kParameter;
  if (operand.index >= 0) return operand;
  operand.index = index_of(function_->returns);
  operand.kind = Kind::kReturn;
  if (operand.index >= 0) return operand;
  operand.kind = Kind::kSymbol;
  return operand;
}

int Parser::LabelIndex(std::string_view name) {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    const auto found = scope->labels.find(name);
    if (found != scope->labels.end()) return found->second;
  }
  // Not seen yet: it belongs to the function's own braces unless an inner pair declares it before
  // closing.
  const int index = static_cast<int>(function_->labels.size());
  function_->labels.push_back({std::string(name), -1});
  scopes_.back().labels[name] = index;
  return index;
}

Variable Parser::ParseVariable(Space space) {
  Variable variable;
  variable.space = space;
  int width = -1;
  std::uint64_t vector = 1;
  while (lexer_.Peek().kind == Token::Kind::kWord && lexer_.Peek().text[0] == '.') {
    const std::string_view word = lexer_.Next().text;
    if (word == ".align") {
      variable.align = static_cast<std::uint32_t>(ParseUnsigned());
    } else if (word == ".v2" || word == ".v4") {
      vector = static_cast<std::uint64_t>(word[2] - '0');
    } else if (word == ".ptr") {
      while (lexer_.Peek().Is(".global") || lexer_.Peek().Is(".shared")) lexer_.Next();
    } else if (TypeWidth(word.substr(1)) > 0) {
      width = TypeWidth(word.substr(1));
    } else {
      lexer_.Fail("unknown word '" + std::string(word) + "' in a declaration");
    }
  }
  if (width < 0) lexer_.Fail("a variable without type");
  variable.name = lexer_.Next().text;
  variable.size = static_cast<std::uint64_t>(width) * vector;
  if (variable.align < static_cast<std::uint32_t>(width))
    variable.align = static_cast<std::uint32_t>(width);
  while (lexer_.Accept("[")) {
    if (lexer_.Accept("]")) {
      variable.dynamic = space == Space::kShared;
      variable.size = 0;
      break;
    }
    variable.size *= ParseUnsigned();
    lexer_.Expect("]");
    if (variable.size > kMostVariableBytes) lexer_.Fail("a variable over 2 GiB before this");
  }
  if (lexer_.Accept("=")) ParseInitialiser(variable, width);
  return variable;
}

void Parser::ParseInitialiser(Variable& variable, int width) {
  variable.initial.assign(variable.size, 0);
  if (!lexer_.Accept("{")) {
    ParseInitialValue(variable, width, 0);
    return;
  }
  std::uint64_t offset = 0;
  int depth = 1;
  while (depth > 0) {  // nested braces only group
    if (lexer_.Accept("{")) {
      ++depth;
    } else if (lexer_.Accept("}")) {
      --depth;
    } else if (!lexer_.Accept(",")) {
      ParseInitialValue(variable, width, offset);
      offset += static_cast<std::uint64_t>(width);
    }
  }
}

void Parser::ParseInitialValue(Variable& variable, int width, std::uint64_t offset) {
  if (offset + static_cast<std::uint64_t>(width) > variable.size)
    lexer_.Fail("initialiser too long before this");
  if (lexer_.Peek().kind == Token::Kind::kWord) {
    Relocation relocation{offset, std::string(lexer_.Next().text), 0};
    if (relocation.symbol == "generic") {
      lexer_.Expect("(");
      relocation.symbol = lexer_.Next().text;
      lexer_.Expect(")");
    }
    if (lexer_.Accept("+")) relocation.addend = static_cast<std::int64_t>(ParseUnsigned());
    if (width != 8) lexer_.Fail("an address in a narrow variable before this");
    variable.relocations.push_back(std::move(relocation));
    return;
  }
  const std::uint64_t value = ParseNumber().value;
  std::memcpy(variable.initial.data() + offset, &value, static_cast<std::size_t>(width));
}

std::vector<Variable> Parser::ParseParameters() {
  std::vector<Variable> parameters;
  if (!lexer_.Accept("(")) return parameters;
  while (!lexer_.Accept(")")) {
    lexer_.Expect(".param");
    parameters.push_back(ParseVariable(Space::kParam));
    lexer_.Accept(",");
  }
  return parameters;
}

void Parser::ParseDirectives(Function& function) {
  while (lexer_.Peek().kind == Token::Kind::kWord) {
    const std::string_view word = lexer_.Next().text;
    if (word == ".maxntid" || word == ".reqntid") {
      std::uint64_t threads = ParseUnsigned();
      while (lexer_.Accept(",")) threads *= ParseUnsigned();
      (word == ".maxntid" ? function.max_threads : function.required_threads) =
          static_cast<std::uint32_t>(threads);
    } else if (word == ".minnctapersm" || word == ".maxnreg") {
      ParseUnsigned();  // hints for the register allocator
    } else if (word == ".pragma") {
      lexer_.Next();
      lexer_.Expect(";");
    } else if (word != ".noreturn") {
      lexer_.Fail("unknown directive '" + std::string(word) + "' of a function");
    }
  }
}

void Parser::ParseFunction(bool entry) {
  Function function;
  function.entry = entry;
  if (!entry) function.returns = ParseParameters();
  function.name = lexer_.Next().text;
  function.parameters = ParseParameters();
  ParseDirectives(function);
  if (lexer_.Accept(";")) {  // a declaration: keep an earlier definition
    module_.functions.try_emplace(function.name, std::move(function));
    return;
  }
  lexer_.Expect("{");
  function.defined = true;
  function_ = &function;
  ParseBody();
  for (const Label& label : function.labels) {
    if (label.position < 0)
      lexer_.Fail("label " + label.name + " is missing in " + function.name + " before this");
  }
  module_.functions[function.name] = std::move(function);
}

void Parser::ParseBody() {
  scopes_.assign(1, {});
  source_ = {};
  while (!scopes_.empty()) {
    if (lexer_.Accept("{")) {
      scopes_.emplace_back();
    } else if (lexer_.Accept("}")) {
      // Labels that an inner block names but does not hold belong further out.
      const auto labels = std::move(scopes_.back().labels);
      scopes_.pop_back();
      if (scopes_.empty()) return;
      for (const auto& [name, index] : labels) {
        if (function_->labels[static_cast<std::size_t>(index)].position < 0)
          scopes_.back().labels[name] = index;
      }
    } else {
      ParseStatement();
    }
  }
}

void Parser::ParseLocation() {
  source_.file = static_cast<std::uint32_t>(ParseUnsigned());
  source_.line = static_cast<std::uint32_t>(ParseUnsigned());
  ParseUnsigned();              // column
  while (lexer_.Accept(",")) {  // function_name L, inlined_at F L C
    const std::string_view word = lexer_.Next().text;
    if (word == "inlined_at") {
      ParseUnsigned();
      ParseUnsigned();
      ParseUnsigned();
    } else {
      lexer_.Next();
      if (lexer_.Accept("+")) ParseUnsigned();
    }
  }
}

void Parser::ParseRegisters() {
  const std::string_view type = lexer_.Next().text;
  const int width = TypeWidth(type.substr(1));
  if (width < 0 || width > 8) lexer_.Fail("registers of type " + std::string(type));
  do {
    const std::string_view name = lexer_.Next().text;
    const auto declare = [&](std::string_view full) {
      scopes_.back().registers[full] = static_cast<int>(function_->registers.size());
      function_->registers.push_back({std::string(full), width});
    };
    if (!lexer_.Accept("<")) {
      declare(name);
      continue;
    }
    const std::uint64_t count = ParseUnsigned();
    lexer_.Expect(">");
    if (count > 1'000'000) lexer_.Fail("too many registers");
    static thread_local std::map<std::string, int>
        names;  // keeps the generated names alive for the views
    for (std::uint64_t i = 0; i < count; ++i) {
      declare(names.try_emplace(std::string(name) + std::to_string(i)).first->first);
    }
  } while (lexer_.Accept(","));
  lexer_.Expect(";");
}

void Parser::ParseCallOperands(Statement& statement) {
  // call (ret), name, (params);  or  call name, (params);  or  call name;
  Operand returns;
  Operand arguments;
  returns.kind = arguments.kind = Kind::kVector;
  const auto list = [&](Operand& out) {
    while (!lexer_.Accept(")")) {
      out.elements.push_back(ParseOperand());
      lexer_.Accept(",");
    }
  };
  if (lexer_.Accept("(")) {
    list(returns);
    lexer_.Expect(",");
  }
  Operand callee = ParseOperand();
  if (lexer_.Accept(",")) {
    lexer_.Expect("(");
    list(arguments);
    if (lexer_.Accept(","))
      callee.kind = Kind::kSink, lexer_.Next();  // a prototype: an indirect call
  }
  statement.operands = {returns, callee, arguments};
}

void Parser::ParseStatement() {
  Token token = lexer_.Next();
  if (token.Is(";")) return;
  if (token.Is(".loc")) return ParseLocation();
  if (token.Is(".reg")) return ParseRegisters();
  if (token.Is(".pragma")) {
    lexer_.Next();
    return lexer_.Expect(";");
  }
  if (token.Is(".local") || token.Is(".shared") || token.Is(".param")) {
    const Space space = token.Is(".local")    ? Space::kLocal
                        : token.Is(".shared") ? Space::kShared
                                              : Space::kParam;
    function_->variables.push_back(ParseVariable(space));
    scopes_.back().variables[function_->variables.back().name] =
        static_cast<int>(function_->variables.size()) - 1;
    return lexer_.Expect(";");
  }
  Statement statement;
  statement.source = source_;
  statement.ptx_line = token.line;
  if (token.Is("@")) {
    statement.guard_negated = lexer_.Accept("!");
    const Operand guard = ResolveWord(lexer_.Next().text);
    if (guard.kind != Kind::kRegister) lexer_.Fail("unknown guard before this");
    statement.guard = guard.index;
    token = lexer_.Next();
  }
  if (token.kind != Token::Kind::kWord) lexer_.Fail("odd statement before this");
  if (lexer_.Accept(":")) {
    const int label = LabelIndex(token.text);
    function_->labels[static_cast<std::size_t>(label)].position =
        static_cast<int>(function_->statements.size());
    return;
  }
  for (std::string_view rest = token.text; !rest.empty();) {
    const std::size_t dot = rest.find('.');
    statement.opcode.push_back(rest.substr(0, dot));
    rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
  }
  if (statement.opcode[0] == "bra") {
    Operand target;
    target.kind = Kind::kLabel;
    target.index = LabelIndex(lexer_.Next().text);
    statement.operands.push_back(target);
  } else if (statement.opcode[0] == "call") {
    ParseCallOperands(statement);
  } else if (!lexer_.Peek().Is(";")) {
    do {
      statement.operands.push_back(ParseOperand());
    } while (lexer_.Accept(","));
  }
  lexer_.Expect(";");
  function_->statements.push_back(std::move(statement));
}

}  // namespace

PtxModule ParsePtx(std::string_view text) { return Parser(text).Run(); }

int TypeWidth(std::string_view type) {
  if (type == "pred") return 0;
  if (type.size() < 2) return -1;
  const std::string_view bits = type.substr(type.substr(0, 2) == "bf" ? 2 : 1);
  if (std::string_view("busf").find(type[0]) == std::string_view::npos) return -1;
  if (bits == "8") return 1;
  if (bits == "16") return 2;
  if (bits == "32" || type == "f16x2" || type == "bf16x2" || type == "u16x2" || type == "s16x2")
    return 4;
  if (bits == "64" || type == "f32x2") return 8;
  if (bits == "128") return 16;
  return -1;
}

}  // namespace paluku::emulator
