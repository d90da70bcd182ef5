#include "engine/text/chat_template.h"

namespace paluku {
namespace {

constexpr std::string_view kThinkOpen = "<think>";
constexpr std::string_view kThinkClose = "</think>";

std::string_view WithoutReasoning(std::string_view answer, ReasoningRule rule) {
  if (rule == ReasoningRule::kKept) return answer;
  const std::size_t end =
      rule == ReasoningRule::kBeforeFirstEnd ? answer.find(kThinkClose) : answer.rfind(kThinkClose);
  return end == std::string_view::npos ? answer : answer.substr(end + kThinkClose.size());
}

Result<ChatForm> FormOf(const Tokenizer& tokenizer) {
  if (!tokenizer.chat_template_source().empty())
    return RecogniseChatForm(tokenizer.chat_template_source(), tokenizer.origin());
  if (tokenizer.pre_tokenizer() == "deepseek-llm") return DeepSeekV2Form();
  if (tokenizer.SpecialId(DeepSeekV3Form().user_open)) return DeepSeekV3Form();
  return Fail(ErrorCode::kUnsupportedTemplate, tokenizer.origin(), "the file names none");
}

}  // namespace

Result<std::shared_ptr<const ChatTemplate>> ChatTemplate::Create(const Tokenizer& tokenizer) {
  const auto chat = std::make_shared<ChatTemplate>();
  PALUKU_ASSIGN_OR_RETURN(chat->form_, FormOf(tokenizer));
  PALUKU_TRY(chat->Resolve(tokenizer));
  return std::shared_ptr<const ChatTemplate>(chat);
}

Status ChatTemplate::Resolve(const Tokenizer& tokenizer) {
  PALUKU_ASSIGN_OR_RETURN(system_close_, PiecesOf(form_.system_close, tokenizer));
  PALUKU_ASSIGN_OR_RETURN(user_open_, PiecesOf(form_.user_open, tokenizer));
  PALUKU_ASSIGN_OR_RETURN(user_close_, PiecesOf(form_.user_close, tokenizer));
  PALUKU_ASSIGN_OR_RETURN(history_open_, PiecesOf(form_.history_open, tokenizer));
  PALUKU_ASSIGN_OR_RETURN(answer_close_, PiecesOf(form_.answer_close, tokenizer));
  PALUKU_ASSIGN_OR_RETURN(answer_open_, PiecesOf(form_.answer_open, tokenizer));
  PALUKU_ASSIGN_OR_RETURN(answer_open_thinking_, PiecesOf(form_.answer_open_thinking, tokenizer));
  if (const auto eos = tokenizer.eos()) stop_tokens_.push_back(*eos);
  // A model that opens the user's turn by itself has ended its own.
  for (const Piece& piece : user_open_) {
    if (const auto id = piece.id) stop_tokens_.push_back(*id);
  }
  think_open_ = tokenizer.SpecialId(kThinkOpen);
  think_close_ = tokenizer.SpecialId(kThinkClose);
  return {};
}

// Cuts a text of the form at its markers <...>. The marks of turns must be tokens of the
// vocabulary; the reasoning marks are plain text in vocabularies that lack them.
Result<ChatTemplate::Pieces> ChatTemplate::PiecesOf(std::string_view text,
                                                    const Tokenizer& tokenizer) {
  Pieces pieces;
  while (!text.empty()) {
    const bool marker = text[0] == '<';
    const std::size_t end = marker ? text.find('>') + 1 : std::min(text.find('<'), text.size());
    const std::string part(text.substr(0, end));
    std::optional<std::int32_t> id;
    if (marker) id = tokenizer.SpecialId(part);
    if (!id && part == kEndOfSentence) id = tokenizer.eos();
    if (marker && !id && part != kThinkOpen && part != kThinkClose)
      return Fail(ErrorCode::kUnsupportedTemplate, tokenizer.origin(),
                  "the vocabulary lacks " + part);
    pieces.push_back({id, part});
    text.remove_prefix(end);
  }
  return pieces;
}

bool ChatTemplate::starts_in_reasoning(bool thinking) const {
  const std::string& opening = thinking ? form_.answer_open_thinking : form_.answer_open;
  return opening.find(kThinkOpen) != std::string::npos &&
         opening.find(kThinkClose) == std::string::npos;
}

// One rendering. Neighbouring plain text is gathered and encoded at once, because merges cross the
// border between what the form says and what a message says.
class ChatRenderer {
 public:
  ChatRenderer(const ChatTemplate& chat, const Tokenizer& tokenizer)
      : chat_(chat), form_(chat.form_), tokenizer_(tokenizer) {}

  std::vector<std::int32_t> Render(std::span<const ChatMessage> messages,
                                   const RenderOptions& options) {
    if (const auto bos = tokenizer_.bos()) ids_.push_back(*bos);
    if (form_.system != SystemRule::kInPlace) text_ += SystemPrompt(messages);
    bool after_user = false;
    for (const ChatMessage& message : messages) {
      Add(message, after_user);
      if (message.role != ChatRole::kSystem) after_user = message.role == ChatRole::kUser;
    }
    if (options.open_answer && (after_user || !form_.answers_follow_users))
      Add(options.thinking ? chat_.answer_open_thinking_ : chat_.answer_open_);
    EncodeText();
    return std::move(ids_);
  }

 private:
  std::string SystemPrompt(std::span<const ChatMessage> messages) const {
    std::string prompt;
    bool first = true;
    for (const ChatMessage& message : messages) {
      if (message.role != ChatRole::kSystem) continue;
      if (form_.system == SystemRule::kLastFirst) prompt.clear();
      if (form_.system == SystemRule::kJoinedFirst && !first) prompt += "\n\n";
      prompt += message.text;
      first = false;
    }
    return prompt;
  }

  void Add(const ChatMessage& message, bool after_user) {
    switch (message.role) {
      case ChatRole::kSystem:
        if (form_.system != SystemRule::kInPlace) return;
        text_ += message.text;
        return Add(chat_.system_close_);
      case ChatRole::kUser:
        Add(chat_.user_open_);
        text_ += message.text;
        return Add(chat_.user_close_);
      case ChatRole::kAssistant:
        if (after_user || !form_.answers_follow_users) Add(chat_.history_open_);
        text_ += WithoutReasoning(message.text, form_.reasoning);
        return Add(chat_.answer_close_);
    }
  }

  void Add(const ChatTemplate::Pieces& pieces) {
    for (const ChatTemplate::Piece& piece : pieces) {
      if (!piece.id) {
        text_ += piece.text;
        continue;
      }
      EncodeText();
      ids_.push_back(*piece.id);
    }
  }

  void EncodeText() {
    const auto ids = tokenizer_.Encode(text_, SpecialTokens::kAsText);
    ids_.insert(ids_.end(), ids.begin(), ids.end());
    text_.clear();
  }

  const ChatTemplate& chat_;
  const ChatForm& form_;
  const Tokenizer& tokenizer_;
  std::vector<std::int32_t> ids_;
  std::string text_;
};

Result<std::vector<std::int32_t>> RenderChat(const ChatTemplate& chat_template,
                                             const Tokenizer& tokenizer,
                                             std::span<const ChatMessage> messages,
                                             const RenderOptions& options) {
  return ChatRenderer(chat_template, tokenizer).Render(messages, options);
}

}  // namespace paluku
