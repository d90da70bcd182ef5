#include "engine/text/jinja/template.h"

#include "engine/base/utf8.h"
#include "engine/text/jinja/evaluator.h"
#include "engine/text/jinja/parser.h"
#include "engine/text/jinja/template_error.h"

namespace paluku::jinja {
namespace {

tl::unexpected<Error> FailAt(const std::string& origin, int line, const std::string& reason) {
  return Fail(ErrorCode::kUnsupportedTemplate, origin,
              "line " + std::to_string(line) + ": " + PlainLine(reason, 256));
}

}  // namespace

Result<std::shared_ptr<const Template>> Template::Parse(std::string_view source,
                                                        const std::string& origin) {
  if (source.size() > kMaxSource)
    return Fail(ErrorCode::kLimitExceeded, origin, "length of the chat template");
  const auto parsed = std::make_shared<Template>();
  parsed->origin_ = origin;
  try {
    parsed->statements_ = jinja::Parse(RepairUtf8(source));
  } catch (const TemplateError& error) {
    return FailAt(origin, error.line, error.reason);
  }
  return std::shared_ptr<const Template>(parsed);
}

Result<Text> Template::Render(std::size_t message_bytes, const Fill& fill, std::time_t now) const {
  Budget budget(message_bytes);
  Heap heap(budget);
  Evaluator evaluator(heap, now);
  try {
    Dict& variables = *heap.NewDict();
    fill(heap, variables);
    Scope& globals = *heap.NewScope(nullptr);
    for (const auto& [name, value] : variables.entries)
      heap.SetVariable(globals, TextOf(name).bytes(), value);
    return evaluator.Run(statements_, *heap.NewScope(&globals));
  } catch (const TemplateError& error) {
    return FailAt(origin_, error.line > 0 ? error.line : evaluator.line(), error.reason);
  }
}

}  // namespace paluku::jinja
