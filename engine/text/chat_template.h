// ChatTemplate: turns a conversation into the token ids that the model was trained on.
//
// The template is the model's own Jinja (jinja/), or a native one where the file has none. Special
// tokens are read only in text that the template wrote; text of messages is only ever plain text,
// so that no message can forge a turn. Made once per model; const afterwards and safe on any
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/text/jinja/template.h"
#include "engine/text/tokenizer.h"

namespace paluku {

enum class ChatRole : std::uint8_t { kSystem, kUser, kAssistant };

struct ChatMessage {
  ChatRole role = ChatRole::kUser;
  std::string text;            // of an answer: without its reasoning
  std::string reasoning = {};  // of an answer; the template decides whether the model sees it again
};

struct RenderOptions {
  bool open_answer = true;  // end where the model goes on
  bool thinking = false;    // let it reason first, where the model offers the choice
};

class ChatTemplate {
 public:
  // The template that the model's file names, or without one the native form of its vocabulary,
  // tried on a conversation. Error: kUnsupportedTemplate, naming the line and what is not known.
  static Result<std::shared_ptr<const ChatTemplate>> Create(const Tokenizer& tokenizer);

  // Of a native template; "own" for the file's.
  const std::string& name() const { return name_; }
  // RenderOptions::thinking makes a difference.
  bool offers_thinking() const { return offers_thinking_; }
  // An opened answer begins inside of its reasoning: its end comes from the model.
  bool starts_in_reasoning(bool thinking) const { return starts_in_reasoning_[thinking ? 1 : 0]; }
  // Tokens that end an answer in this template, beside Tokenizer::IsEndOfGeneration.
  std::span<const std::int32_t> stop_tokens() const { return stop_tokens_; }
  // <think> and </think> (or [THINK] and [/THINK]), where the vocabulary has them as tokens.
  std::optional<std::int32_t> think_open() const { return think_open_; }
  std::optional<std::int32_t> think_close() const { return think_close_; }

 private:
  friend Result<std::vector<std::int32_t>> RenderChat(const ChatTemplate& chat_template,
                                                      const Tokenizer& tokenizer,
                                                      std::span<const ChatMessage> messages,
                                                      const RenderOptions& options);
  Result<jinja::Text> Render(const Tokenizer& tokenizer, std::span<const ChatMessage> messages,
                             const RenderOptions& options) const;
  Status ProbeOpening(const Tokenizer& tokenizer);
  Status ProbeHistory(const Tokenizer& tokenizer);

  std::string name_;
  std::shared_ptr<const jinja::Template> template_;
  bool offers_thinking_ = false;
  bool starts_in_reasoning_[2] = {false, false};
  std::vector<std::int32_t> stop_tokens_;
  std::optional<std::int32_t> think_open_;
  std::optional<std::int32_t> think_close_;
};

// The prompt of `messages`, with exactly one BOS at its start where the model wants one. Error:
// kUnsupportedTemplate, when the template refuses these messages.
Result<std::vector<std::int32_t>> RenderChat(const ChatTemplate& chat_template,
                                             const Tokenizer& tokenizer,
                                             std::span<const ChatMessage> messages,
                                             const RenderOptions& options = {});

}  // namespace paluku
