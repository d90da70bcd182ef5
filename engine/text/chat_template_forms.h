// ChatForm: a DeepSeek chat template as data, recognised from its Jinja source.
//
// The source is never run. It is taken apart into its string literals; a form is recognised when
// every literal is one that a published DeepSeek template holds, so that a template with a word of
// its own is refused and not rendered almost right. Pure functions, plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/error.h"

namespace paluku {

// Where system messages go.
enum class SystemRule : std::uint8_t {
  kInPlace,      // each at its place in the conversation (V2, the starter model)
  kJoinedFirst,  // all before the conversation, parted by an empty line (V3, V3.1)
  kLastFirst,    // the last one before the conversation (V2.5, R1)
};

// What is cut from earlier answers that hold "</think>".
enum class ReasoningRule : std::uint8_t { kKept, kBeforeFirstEnd, kBeforeLastEnd };

// Texts hold special tokens by their text; `kEndOfSentence` stands for the vocabulary's own EOS.
struct ChatForm {
  std::string name;  // "deepseek-v2", "deepseek-v3", "deepseek-r1", "deepseek-v3.1"
  SystemRule system = SystemRule::kInPlace;
  ReasoningRule reasoning = ReasoningRule::kKept;
  // The opening of an answer is left out after another answer, and no answer is opened unless the
  // last message is the user's (V3.1).
  bool answers_follow_users = false;
  std::string system_close;
  std::string user_open;
  std::string user_close;
  std::string history_open;  // before an earlier answer
  std::string answer_close;
  std::string answer_open;           // where the model goes on, without reasoning
  std::string answer_open_thinking;  // the same, with reasoning; equal when the form has no choice
};

inline constexpr std::string_view kEndOfSentence = "<｜end▁of▁sentence｜>";

// Error: kUnsupportedTemplate for `origin`, naming the first thing that is not known.
Result<ChatForm> RecogniseChatForm(std::string_view source, const std::string& origin);

// For files without a template.
ChatForm DeepSeekV2Form();
ChatForm DeepSeekV3Form();

}  // namespace paluku
