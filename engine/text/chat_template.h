// ChatTemplate: turns a conversation into the token ids that the model was trained on.
//
// A template is a list of pieces, special tokens by id and plain text; text of messages is only
// ever plain text, so that no message can forge a turn. Made once per model; const afterwards and
// safe on any thread. Forms: chat_template_forms.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "engine/text/chat_template_forms.h"
#include "engine/text/tokenizer.h"

namespace paluku {

enum class ChatRole : std::uint8_t { kSystem, kUser, kAssistant };

struct ChatMessage {
  ChatRole role = ChatRole::kUser;
  std::string text;  // of an answer: without its reasoning
};

struct RenderOptions {
  bool open_answer = true;  // end where the model goes on
  bool thinking = false;    // let it reason first, where the model offers the choice
};

class ChatTemplate {
 public:
  // The template that the model's file names, or without one the form that its vocabulary was
  // trained with. Error: kUnsupportedTemplate, naming what is not known.
  static Result<std::shared_ptr<const ChatTemplate>> Create(const Tokenizer& tokenizer);

  const std::string& name() const { return form_.name; }
  // RenderOptions::thinking makes a difference.
  bool offers_thinking() const { return form_.answer_open != form_.answer_open_thinking; }
  // An opened answer begins inside of its reasoning: "</think>" comes from the model.
  bool starts_in_reasoning(bool thinking) const;
  // Tokens that end an answer in this form, beside Tokenizer::IsEndOfGeneration.
  std::span<const std::int32_t> stop_tokens() const { return stop_tokens_; }
  // <think> and </think>, where the vocabulary has them as tokens.
  std::optional<std::int32_t> think_open() const { return think_open_; }
  std::optional<std::int32_t> think_close() const { return think_close_; }

 private:
  friend class ChatRenderer;
  // A special token when `id` is set, plain text otherwise.
  struct Piece {
    std::optional<std::int32_t> id;
    std::string text;
  };
  using Pieces = std::vector<Piece>;

  Status Resolve(const Tokenizer& tokenizer);
  static Result<Pieces> PiecesOf(std::string_view text, const Tokenizer& tokenizer);

  ChatForm form_;
  Pieces system_close_, user_open_, user_close_, history_open_, answer_close_;
  Pieces answer_open_, answer_open_thinking_;
  std::vector<std::int32_t> stop_tokens_;
  std::optional<std::int32_t> think_open_;
  std::optional<std::int32_t> think_close_;
};

// The prompt of `messages`, with exactly one BOS where the model has one. Errors: none at present;
// the form of every message is known once the template exists.
Result<std::vector<std::int32_t>> RenderChat(const ChatTemplate& chat_template,
                                             const Tokenizer& tokenizer,
                                             std::span<const ChatMessage> messages,
                                             const RenderOptions& options = {});

}  // namespace paluku
