// Native templates: the chat templates of models whose files name none, told by their vocabulary.
// Jinja like any other, so that there is one way to render a conversation. Pure functions.
#pragma once

#include <functional>
#include <string_view>

namespace paluku {

struct NativeTemplate {
  std::string_view name;    // "deepseek-v2", "deepseek-v3"
  std::string_view source;  // Jinja
};

// nullptr: this vocabulary tells of none. `has_token` tells whether a text is a token.
const NativeTemplate* FindNativeTemplate(std::string_view pre_tokenizer,
                                         const std::function<bool(std::string_view)>& has_token);

}  // namespace paluku
