#include "engine/text/chat_template_forms.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "engine/text/jinja_literals.h"

namespace paluku {
namespace {

constexpr std::string_view kUser = "<｜User｜>";
constexpr std::string_view kAssistant = "<｜Assistant｜>";
constexpr std::string_view kThink = "<think>";
constexpr std::string_view kEndThink = "</think>";
constexpr std::string_view kEmptyThink = "<think></think>";

// Literals of the published templates: names of fields and roles, then what the forms below write,
// then what stands only in branches for tools, which are not taken without tools.
constexpr std::string_view kNames[] = {"role",      "content", "system", "user",
                                       "assistant", "",        "\n\n"};
constexpr std::string_view kV2Words[] = {"User: ", "Assistant: ", "Assistant:"};
constexpr std::string_view kTurnWords[] = {kUser,          kAssistant, "<｜Assistant｜><think>\n",
                                           kThink,         kEndThink,  kEmptyThink,
                                           kEndOfSentence, "prefix"};
constexpr std::string_view kToolWords[] = {
    "tool",
    "tools",
    "tool_calls",
    "function",
    "name",
    "arguments",
    "type",
    "\n",
    "```",
    "```json",
    "<｜tool▁calls▁begin｜>",
    "<｜tool▁calls▁end｜>",
    "<｜tool▁call▁begin｜>",
    "<｜tool▁call▁end｜>",
    "<｜tool▁sep｜>",
    "<｜tool▁output▁begin｜>",
    "\n<｜tool▁output▁begin｜>",
    "<｜tool▁output▁end｜>",
    "<｜tool▁outputs▁begin｜>",
    "<｜tool▁outputs▁end｜>",
    "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>",
    "<｜tool▁calls▁end｜><｜end▁of▁sentence｜>",
    "<｜tool▁outputs▁begin｜><｜tool▁output▁begin｜>",
    "<｜tool▁outputs▁end｜><｜end▁of▁sentence｜>",
    "<｜Assistant｜><｜tool▁calls▁begin｜>",
    "<｜Assistant｜><｜tool▁calls▁begin｜><｜tool▁call▁begin｜>",
    "<｜Assistant｜><think></think>",
    "<｜Assistant｜></think>"};

template <class Words>
bool Contains(const Words& words, std::string_view literal) {
  return std::find(std::begin(words), std::end(words), literal) != std::end(words);
}

bool Has(std::string_view source, std::string_view part) {
  return source.find(part) != std::string_view::npos;
}

bool HoldsMarker(std::string_view literal) {
  return literal.find('>', literal.find('<')) != std::string_view::npos;
}

// What a person can look for in the template: the marker in it, or its first words.
std::string Describe(std::string_view literal) {
  if (HoldsMarker(literal)) {
    const std::size_t open = literal.find('<');
    return std::string(literal.substr(open, literal.find('>', open) - open + 1));
  }
  std::string text(literal.substr(0, 40));
  std::replace(text.begin(), text.end(), '\n', ' ');
  return "the text \"" + text + "\"";
}

// How the answer is opened, from the literals after the last "Assistant" marker: nothing (V3, R1),
// an ended and an open reasoning (V3.1), or an end for an opening that begins one (R1 distilled).
bool ReadAnswerOpening(const std::vector<std::string>& literals, ChatForm& form) {
  const auto is_opening = [](const std::string& literal) {
    return literal == kAssistant || literal == "<｜Assistant｜><think>\n";
  };
  const auto last = std::find_if(literals.rbegin(), literals.rend(), is_opening).base();
  if (last == literals.begin()) return false;
  const std::string opening = *(last - 1);
  const std::vector<std::string> rest(last, literals.end());
  const bool reasons = opening != kAssistant;
  form.name = reasons ? "deepseek-r1" : "deepseek-v3";
  form.history_open = kAssistant;
  if (rest.empty()) {
    form.answer_open = form.answer_open_thinking = opening;
  } else if (reasons && rest.size() == 1 && rest[0] == kEndThink) {
    form.answer_open = opening + rest[0];
    form.answer_open_thinking = opening;
  } else if (!reasons && rest.size() == 2 && rest[1] == kThink &&
             (rest[0] == kEmptyThink || rest[0] == kEndThink)) {
    form.name = "deepseek-v3.1";
    form.answers_follow_users = true;
    form.answer_open = form.history_open = opening + rest[0];
    form.answer_open_thinking = opening + rest[1];
  } else {
    return false;
  }
  return true;
}

// A system message is written where it stands: a branch on its role and nothing but its content.
bool WritesSystemInPlace(std::string_view source) {
  std::string compact;
  for (const char c : source)
    if (c != ' ' && c != '\n' && c != '-') compact += c;
  return !Has(source, "system_prompt") && (Has(compact, "=='system'%}{{m['content']}}{%el") ||
                                           Has(compact, "=='system'%}{{message['content']}}{%el"));
}

Result<ChatForm> RecogniseTurns(std::string_view source, const std::vector<std::string>& literals,
                                const std::string& origin) {
  ChatForm form = DeepSeekV3Form();
  if (!ReadAnswerOpening(literals, form))
    return Fail(ErrorCode::kUnsupportedTemplate, origin, "how an answer begins");
  if (Has(source, "ns.system_prompt +")) {
    form.system = SystemRule::kJoinedFirst;
  } else if (Has(source, "ns.system_prompt = message['content']")) {
    form.system = SystemRule::kLastFirst;
  } else if (WritesSystemInPlace(source)) {
    form.system = SystemRule::kInPlace;
  } else {
    return Fail(ErrorCode::kUnsupportedTemplate, origin, "where system messages go");
  }
  if (Has(source, "content.split('</think>')[-1]")) {
    form.reasoning = ReasoningRule::kBeforeLastEnd;
  } else if (Has(source, "content.split('</think>', 1)[1]")) {
    form.reasoning = ReasoningRule::kBeforeFirstEnd;
  } else if (Has(source, "split(")) {
    return Fail(ErrorCode::kUnsupportedTemplate, origin, "how reasoning is cut");
  }
  const auto user = std::find(literals.begin(), literals.end(), kUser);
  if (literals.end() - user > 2 && user[2] == kEndOfSentence) form.user_close = kEndOfSentence;
  return form;
}

}  // namespace

ChatForm DeepSeekV2Form() {
  ChatForm form;
  form.name = "deepseek-v2";
  form.system_close = "\n\n";
  form.user_open = "User: ";
  form.user_close = "\n\n";
  form.history_open = "Assistant: ";
  form.answer_close = kEndOfSentence;
  // No space at the end: the first token of an answer brings its own.
  form.answer_open = form.answer_open_thinking = "Assistant:";
  return form;
}

ChatForm DeepSeekV3Form() {
  ChatForm form;
  form.name = "deepseek-v3";
  form.system = SystemRule::kJoinedFirst;
  form.user_open = kUser;
  form.history_open = kAssistant;
  form.answer_close = kEndOfSentence;
  form.answer_open = form.answer_open_thinking = kAssistant;
  return form;
}

Result<ChatForm> RecogniseChatForm(std::string_view source, const std::string& origin) {
  const JinjaLiterals parts = ReadJinjaLiterals(source);
  const bool by_words = Contains(parts.strings, "User: ");
  const bool by_turns = Contains(parts.strings, kUser) && !by_words;
  const auto known = [&](const std::string& literal) {
    return Contains(kNames, literal) || (by_words && Contains(kV2Words, literal)) ||
           (by_turns && (Contains(kTurnWords, literal) || Contains(kToolWords, literal)));
  };
  std::vector<std::string> unknown;
  std::copy_if(parts.strings.begin(), parts.strings.end(), std::back_inserter(unknown),
               [&](const std::string& literal) { return !known(literal); });
  if (!unknown.empty()) {
    // A marker tells a person more than a word; many families write theirs outside of tags.
    const auto marker = std::find_if(unknown.begin(), unknown.end(), HoldsMarker);
    const std::string& literal = marker == unknown.end() ? unknown.front() : *marker;
    return Fail(ErrorCode::kUnsupportedTemplate, origin,
                Describe(HoldsMarker(parts.text) ? parts.text : literal));
  }
  // Text outside of tags: only the words with which one R1 template describes tools.
  if (!parts.text.empty() && !parts.text.starts_with("You can call any of the following function"))
    return Fail(ErrorCode::kUnsupportedTemplate, origin, Describe(parts.text));
  if (by_turns) return RecogniseTurns(source, parts.strings, origin);
  if (by_words && Contains(parts.strings, "Assistant: ") && Contains(parts.strings, "Assistant:") &&
      Has(source, "message['content'] + eos_token"))
    return DeepSeekV2Form();
  return Fail(ErrorCode::kUnsupportedTemplate, origin, "marks of the user's turn");
}

}  // namespace paluku
