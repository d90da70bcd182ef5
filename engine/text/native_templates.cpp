#include "engine/text/native_templates.h"

namespace paluku {
namespace {

// DeepSeek-V2, V2-Lite, Coder-V2: words for turns, system messages where they stand. No space at
// the end: the first token of an answer brings its own.
constexpr NativeTemplate kDeepSeekV2 = {.name = "deepseek-v2", .source = R"({{ bos_token }}
{%- for message in messages %}
  {%- if message.role == 'user' %}{{ 'User: ' + message.content + '\n\n' }}
  {%- elif message.role == 'assistant' %}{{ 'Assistant: ' + message.content + eos_token }}
  {%- else %}{{ message.content + '\n\n' }}
  {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ 'Assistant:' }}{% endif %})"};

// DeepSeek-V3: marks for turns, system messages before all of them.
constexpr NativeTemplate kDeepSeekV3 = {.name = "deepseek-v3", .source = R"({{ bos_token }}
{{- messages | selectattr('role', 'eq', 'system') | map(attribute='content') | join('\n\n') }}
{%- for message in messages %}
  {%- if message.role == 'user' %}{{ '<｜User｜>' + message.content }}
  {%- elif message.role == 'assistant' %}{{ '<｜Assistant｜>' + message.content + eos_token }}
  {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<｜Assistant｜>' }}{% endif %})"};

}  // namespace

const NativeTemplate* FindNativeTemplate(std::string_view pre_tokenizer,
                                         const std::function<bool(std::string_view)>& has_token) {
  if (has_token("<｜User｜>") && has_token("<｜Assistant｜>")) return &kDeepSeekV3;
  return pre_tokenizer == "deepseek-llm" ? &kDeepSeekV2 : nullptr;
}

}  // namespace paluku
