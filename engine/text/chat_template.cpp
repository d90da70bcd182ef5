#include "engine/text/chat_template.h"

#include <algorithm>
#include <ctime>
#include <string_view>
#include <utility>

#include "engine/base/utf8.h"
#include "engine/text/native_templates.h"

namespace paluku {
namespace {

using jinja::Origin;
using jinja::Text;

// Marks of reasoning by family; the second is Mistral's.
constexpr std::pair<std::string_view, std::string_view> kThinkMarks[] = {{"<think>", "</think>"},
                                                                         {"[THINK]", "[/THINK]"}};

// What the probes say; no template writes it.
constexpr std::string_view kProbeUser = "qzuserqz";
constexpr std::string_view kProbeAnswer = "qzanswerqz";
constexpr std::string_view kProbeQuestion = "qzquestionqz";

// What the limits of a rendering count for a message beside its text.
constexpr std::size_t kBytesOfMessage = 500;

std::string_view RoleName(ChatRole role) {
  return role == ChatRole::kSystem ? "system" : role == ChatRole::kUser ? "user" : "assistant";
}

// Names and roles are the program's own words, texts are not.
jinja::Value MessageValue(const ChatMessage& message, jinja::Heap& heap) {
  jinja::Dict* const dict = heap.NewDict();
  const auto set = [&](std::string_view name, std::string_view text, Origin origin) {
    heap.Set(*dict, heap.NewText(name, Origin::kTemplate), heap.NewText(RepairUtf8(text), origin));
  };
  set("role", RoleName(message.role), Origin::kTemplate);
  set("content", message.text, Origin::kMessage);
  if (!message.reasoning.empty()) {
    // Under the names that transformers gives it.
    set("reasoning_content", message.reasoning, Origin::kMessage);
    set("thinking", message.reasoning, Origin::kMessage);
  }
  return dict;
}

std::optional<SpecialMatcher::Match> FindSpecial(const Text& text, std::size_t from,
                                                 const Tokenizer& tokenizer) {
  const std::string_view bytes = text.bytes();
  std::size_t begin = 0;
  for (const Text::Run& run : text.runs()) {
    const std::size_t start = std::max(begin, from);
    if (run.origin == Origin::kTemplate && start < run.end) {
      if (auto match = tokenizer.FindSpecial(bytes.substr(0, run.end), start)) return match;
    }
    begin = run.end;
  }
  return std::nullopt;
}

// Special tokens where the template wrote them, all else as plain text. What lies between two of
// them is encoded at once, because merges cross the border of template and message.
std::vector<std::int32_t> Encode(const Text& text, const Tokenizer& tokenizer) {
  const std::string_view bytes = text.bytes();
  std::vector<std::int32_t> ids;
  std::size_t done = 0;
  const auto encode_until = [&](std::size_t end) {
    const auto plain =
        tokenizer.Encode(bytes.substr(done, end - done), SpecialTokens::kAsText, done == 0);
    ids.insert(ids.end(), plain.begin(), plain.end());
  };
  while (const auto special = FindSpecial(text, done, tokenizer)) {
    encode_until(special->begin);
    ids.push_back(special->id);
    done = special->end;
  }
  encode_until(bytes.size());
  return ids;
}

// The rendering ends between an opening mark of reasoning and its closing one.
bool EndsInReasoning(std::string_view rendering) {
  return std::any_of(std::begin(kThinkMarks), std::end(kThinkMarks), [&](const auto& marks) {
    const std::size_t open = rendering.rfind(marks.first);
    return open != std::string_view::npos &&
           rendering.find(marks.second, open) == std::string_view::npos;
  });
}

}  // namespace

Result<std::shared_ptr<const ChatTemplate>> ChatTemplate::Create(const Tokenizer& tokenizer) {
  const auto chat = std::make_shared<ChatTemplate>();
  std::string_view source = tokenizer.chat_template_source();
  chat->name_ = "own";
  if (source.empty()) {
    const NativeTemplate* const native = FindNativeTemplate(
        tokenizer.pre_tokenizer(),
        [&](std::string_view text) { return tokenizer.SpecialId(text).has_value(); });
    if (native == nullptr)
      return Fail(ErrorCode::kUnsupportedTemplate, tokenizer.origin(), "the file names none");
    chat->name_ = native->name;
    source = native->source;
  }
  PALUKU_ASSIGN_OR_RETURN(chat->template_, jinja::Template::Parse(source, tokenizer.origin()));
  for (const auto& [open, close] : kThinkMarks) {
    if (chat->think_open_) break;
    chat->think_open_ = tokenizer.SpecialId(open);
    chat->think_close_ = tokenizer.SpecialId(close);
  }
  PALUKU_TRY(chat->ProbeOpening(tokenizer));
  PALUKU_TRY(chat->ProbeHistory(tokenizer));
  return std::shared_ptr<const ChatTemplate>(chat);
}

// How an answer is opened, with and without reasoning.
Status ChatTemplate::ProbeOpening(const Tokenizer& tokenizer) {
  const ChatMessage question = {ChatRole::kUser, std::string(kProbeUser)};
  std::string renderings[2];
  for (const bool thinking : {false, true}) {
    PALUKU_ASSIGN_OR_RETURN(const Text text,
                            Render(tokenizer, {&question, 1}, {.thinking = thinking}));
    const std::size_t said = text.bytes().find(kProbeUser);
    if (said == std::string::npos)
      return Fail(ErrorCode::kUnsupportedTemplate, tokenizer.origin(),
                  "it leaves out what the user says");
    starts_in_reasoning_[thinking ? 1 : 0] = EndsInReasoning(text.bytes().substr(said));
    renderings[thinking ? 1 : 0] = text.bytes();
  }
  offers_thinking_ = renderings[0] != renderings[1];
  return {};
}

// What follows an earlier answer is what ends one: a mark of its end, or of the next turn.
Status ChatTemplate::ProbeHistory(const Tokenizer& tokenizer) {
  const ChatMessage history[] = {{ChatRole::kUser, std::string(kProbeUser)},
                                 {ChatRole::kAssistant, std::string(kProbeAnswer)},
                                 {ChatRole::kUser, std::string(kProbeQuestion)}};
  PALUKU_ASSIGN_OR_RETURN(const Text text, Render(tokenizer, history, {}));
  const std::size_t answer = text.bytes().find(kProbeAnswer);
  const std::size_t question = text.bytes().find(kProbeQuestion);
  if (answer == std::string::npos || question == std::string::npos || answer > question)
    return Fail(ErrorCode::kUnsupportedTemplate, tokenizer.origin(),
                "it leaves out earlier messages");
  if (const auto eos = tokenizer.eos()) stop_tokens_.push_back(*eos);
  // The first mark ends the answer; marks that open the user's turn may follow it.
  std::size_t from = answer + kProbeAnswer.size();
  while (const auto mark = FindSpecial(text, from, tokenizer)) {
    if (mark->begin >= question) break;
    from = mark->end;
    if (mark->id == think_open_ || mark->id == think_close_) continue;
    if (std::find(stop_tokens_.begin(), stop_tokens_.end(), mark->id) == stop_tokens_.end())
      stop_tokens_.push_back(mark->id);
  }
  return {};
}

Result<Text> ChatTemplate::Render(const Tokenizer& tokenizer, std::span<const ChatMessage> messages,
                                  const RenderOptions& options) const {
  std::size_t bytes = 0;
  for (const ChatMessage& message : messages)
    bytes += message.text.size() + message.reasoning.size();
  const auto fill = [&](jinja::Heap& heap, jinja::Dict& variables) {
    const auto set = [&](std::string_view name, jinja::Value value) {
      heap.Set(variables, heap.NewText(name, Origin::kTemplate), std::move(value));
    };
    jinja::List* const list = heap.NewList();
    for (const ChatMessage& message : messages) heap.Append(*list, MessageValue(message, heap));
    set("messages", list);
    set("tools", jinja::None{});
    set("documents", jinja::None{});
    set("add_generation_prompt", options.open_answer);
    set("enable_thinking", options.thinking);
    set("thinking", options.thinking);
    const auto set_token = [&](std::string_view name, std::optional<std::int32_t> id) {
      if (id) set(name, heap.NewText(RepairUtf8(tokenizer.Piece(*id)), Origin::kTemplate));
    };
    set_token("bos_token", tokenizer.bos());
    set_token("eos_token", tokenizer.eos());
  };
  return template_->Render(bytes + messages.size() * kBytesOfMessage, fill, std::time(nullptr));
}

Result<std::vector<std::int32_t>> RenderChat(const ChatTemplate& chat_template,
                                             const Tokenizer& tokenizer,
                                             std::span<const ChatMessage> messages,
                                             const RenderOptions& options) {
  PALUKU_ASSIGN_OR_RETURN(const Text text, chat_template.Render(tokenizer, messages, options));
  std::vector<std::int32_t> ids = Encode(text, tokenizer);
  // Some templates leave the BOS to the tokenizer.
  const auto bos = tokenizer.bos();
  if (bos && tokenizer.adds_bos() && (ids.empty() || ids.front() != *bos))
    ids.insert(ids.begin(), *bos);
  return ids;
}

}  // namespace paluku
