// Template: a chat template, parsed once and rendered as often as wanted.
//
// Renders as Jinja2 does with the settings and additions of Hugging Face's apply_chat_template, in
// bounded time and memory whatever the template holds (limits.h), and tells for every byte whether
// the template or a message wrote it. Const after Parse, safe on any thread.
#pragma once

#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "engine/text/jinja/ast.h"
#include "engine/text/jinja/value.h"

namespace paluku::jinja {

class Template {
 public:
  // `origin`: the file, for errors. Error: kUnsupportedTemplate, naming the line and what stands
  // there.
  static Result<std::shared_ptr<const Template>> Parse(std::string_view source,
                                                       const std::string& origin);

  // Puts the variables of a rendering into `variables`, made in `heap`.
  using Fill = std::function<void(Heap& heap, Dict& variables)>;

  // `message_bytes`: how much the messages hold; the limits grow with it. `now` is what
  // strftime_now tells, in local time. Error: kUnsupportedTemplate, naming the line.
  Result<Text> Render(std::size_t message_bytes, const Fill& fill, std::time_t now) const;

 private:
  std::string origin_;
  std::vector<Statement> statements_;
};

}  // namespace paluku::jinja
