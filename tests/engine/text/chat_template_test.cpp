// Renderings against Jinja2 (tests/data/templates_golden.py), and what must never happen.
#include "engine/text/chat_template.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>

#include "tests/engine/text/vocabularies.h"

namespace paluku {
namespace {

using Json = nlohmann::json;
using Ids = std::vector<std::int32_t>;

// Bytes and DeepSeek's markers. With `think`, <think> and </think> are tokens.
std::shared_ptr<const Tokenizer> TokenizerWith(const std::string& source, bool think = true,
                                               const std::string& pre = "deepseek-v3") {
  std::vector<std::string> special = {"<｜User｜>", "<｜Assistant｜>"};
  if (think) special.insert(special.end(), {"<think>", "</think>"});
  Vocabulary vocabulary = TinyVocabulary({{"\n", "\n"}}, special, pre);
  vocabulary.tokens[256] = StoredByte('\n') + StoredByte('\n');
  vocabulary.merges[0] = {StoredByte('\n'), StoredByte('\n')};
  vocabulary.chat_template = source;
  auto tokenizer = Tokenizer::Create(std::move(vocabulary));
  EXPECT_TRUE(tokenizer.has_value()) << (tokenizer ? "" : tokenizer.error().Message());
  return *tokenizer;
}

// Empty when the file is not there.
std::string SourceOf(const Json& golden) {
  if (golden.contains("source")) return golden["source"];
  std::string source = ReadFile(SharedData(golden["file"]));
  if (source.starts_with("{\n") && golden["file"].get<std::string>().ends_with(".json"))
    source = Json::parse(source)["chat_template"];
  if (!golden.contains("replace")) return source;
  const std::string from = golden["replace"][0];
  const std::string to = golden["replace"][1];
  for (std::size_t at = 0; (at = source.find(from, at)) != std::string::npos; at += to.size())
    source.replace(at, from.size(), to);
  return source;
}

std::vector<ChatMessage> MessagesOf(const Json& messages) {
  std::vector<ChatMessage> chat;
  for (const Json& message : messages) {
    const std::string role = message["role"];
    const ChatRole kind = role == "user"     ? ChatRole::kUser
                          : role == "system" ? ChatRole::kSystem
                                             : ChatRole::kAssistant;
    chat.push_back({kind, message["content"]});
  }
  return chat;
}

void ExpectRenderings(const Json& golden, const std::string& source, bool think_tokens) {
  const auto tokenizer = TokenizerWith(source, think_tokens);
  const auto chat = ChatTemplate::Create(*tokenizer);
  ASSERT_TRUE(chat.has_value()) << chat.error().Message();
  ASSERT_GE(golden["cases"].size(), 60u);
  for (const Json& one : golden["cases"]) {
    const auto ids = RenderChat(**chat, *tokenizer, MessagesOf(one["messages"]),
                                {.open_answer = one["open"], .thinking = one["thinking"]});
    ASSERT_TRUE(ids.has_value()) << ids.error().Message();
    const std::string text = one["text"];
    ASSERT_EQ(tokenizer->Decode(*ids), text) << one.dump();
    // Where the messages hold no markers, the ids are those of the whole text.
    if (one["messages"].dump().find("think>") == std::string::npos) {
      ASSERT_EQ(*ids, tokenizer->Encode(text, SpecialTokens::kParse)) << one.dump();
    }
  }
}

TEST(ChatTemplate, RendersAsJinjaDoes) {
  const Json all = Json::parse(ReadFile(PALUKU_SOURCE_DIR "/tests/data/templates_golden.json"));
  int rendered = 0;
  for (const Json& golden : all) {
    SCOPED_TRACE(golden.value("file", golden["name"]));
    const std::string source = SourceOf(golden);
    if (source.empty()) continue;
    ExpectRenderings(golden, source, true);
    ExpectRenderings(golden, source, false);
    ++rendered;
  }
  EXPECT_GE(rendered, 2);
  if (rendered < static_cast<int>(all.size()))
    GTEST_SKIP() << "rendered " << rendered << " of " << all.size()
                 << " templates; the others need shared data";
}

// A family's published template, the marks of its vocabulary, and what is to be told of it.
struct Family {
  std::string file;
  std::vector<std::string> marks;
  std::vector<std::string> stops;  // beside EOS
  bool offers_thinking = false;
  bool starts_in_reasoning = false;  // when it is asked to think
};

const std::vector<Family>& Families() {
  static const std::vector<Family> families = {
      {"templates/GLM-4.7-Flash.jinja",
       {"[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|assistant|>", "<|observation|>",
        "<|endoftext|>", "<think>", "</think>"},
       {"<|user|>", "<|observation|>", "<|endoftext|>"},
       true,
       true},
      {"templates/Kimi-K2-Instruct.jinja",
       {"<|im_system|>", "<|im_user|>", "<|im_assistant|>", "<|im_middle|>", "<|im_end|>"},
       {"<|im_end|>"}},
      {"templates/Kimi-K2-Thinking.jinja",
       {"<|im_system|>", "<|im_user|>", "<|im_assistant|>", "<|im_middle|>", "<|im_end|>",
        "<think>", "</think>"},
       {"<|im_end|>"}},
      {"templates/moonshotai-Kimi-K2.jinja",
       {"<|im_system|>", "<|im_user|>", "<|im_assistant|>", "<|im_middle|>", "<|im_end|>"},
       {"<|im_end|>"}},
      {"templates/GigaChat3-10B-A1.8B.jinja",
       {"<|role_sep|>", "<|message_sep|>"},
       {"<|message_sep|>"}},
      {"templates/deepseek-ai-DeepSeek-V3.2.jinja",
       {"<｜User｜>", "<｜Assistant｜>", "<think>", "</think>"},
       {"<｜User｜>"},
       true,
       true},
      {"templates/deepseek-ai-DeepSeek-V4.jinja",
       {"<｜User｜>", "<｜Assistant｜>", "<think>", "</think>"},
       {"<｜User｜>"},
       true,
       true},
      {"templates/llama-cpp-deepseek-r1.jinja",
       {"<｜User｜>", "<｜Assistant｜>", "<think>", "</think>"},
       {"<｜User｜>"},
       false,
       true},
      {PALUKU_SOURCE_DIR "/tests/data/jinja/chatml.jinja",
       {"<|im_start|>", "<|im_end|>", "<think>", "</think>"},
       {"<|im_end|>", "<|im_start|>"},
       true},
      {PALUKU_SOURCE_DIR "/tests/data/jinja/headers.jinja",
       {"<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"},
       {"<|eot_id|>"}},
      {PALUKU_SOURCE_DIR "/tests/data/jinja/instructions.jinja",
       {"[INST]", "[/INST]", "[TOOL_CALLS]", "[AVAILABLE_TOOLS]"},
       {"[INST]"}},
  };
  return families;
}

// nullptr when the file is not there.
std::shared_ptr<const Tokenizer> TokenizerOf(const Family& family) {
  const bool own = family.file.starts_with('/');
  Vocabulary vocabulary = TinyVocabulary({}, family.marks);
  vocabulary.chat_template = ReadFile(own ? family.file : SharedData(family.file));
  if (vocabulary.chat_template.empty()) return nullptr;
  return *Tokenizer::Create(std::move(vocabulary));
}

TEST(ChatTemplate, FamiliesTellTheirStopsAndReasoning) {
  int seen = 0;
  for (const Family& family : Families()) {
    SCOPED_TRACE(family.file);
    const auto tokenizer = TokenizerOf(family);
    if (!tokenizer) continue;
    ++seen;
    const auto chat = ChatTemplate::Create(*tokenizer);
    ASSERT_TRUE(chat.has_value()) << chat.error().Message();
    EXPECT_EQ((*chat)->name(), "own");
    EXPECT_EQ((*chat)->offers_thinking(), family.offers_thinking);
    EXPECT_EQ((*chat)->starts_in_reasoning(true), family.starts_in_reasoning);
    const auto stops = (*chat)->stop_tokens();
    for (const std::string& mark : family.stops) {
      const std::int32_t id = *tokenizer->SpecialId(mark);
      EXPECT_TRUE(tokenizer->IsEndOfGeneration(id) ||
                  std::find(stops.begin(), stops.end(), id) != stops.end())
          << mark;
    }
    EXPECT_TRUE(tokenizer->IsEndOfGeneration(*tokenizer->eos()));
    for (const std::int32_t id : stops) {
      EXPECT_NE(id, (*chat)->think_open());
      EXPECT_NE(id, (*chat)->think_close());
    }
  }
  EXPECT_GE(seen, 3);
}

// Special tokens in a prompt of four messages that all say `text`.
std::vector<std::int32_t> MarksIn(const ChatTemplate& chat, const Tokenizer& tokenizer,
                                  const std::string& text, bool thinking) {
  const std::vector<ChatMessage> messages = {{ChatRole::kSystem, text},
                                             {ChatRole::kUser, text},
                                             {ChatRole::kAssistant, text, text},
                                             {ChatRole::kUser, text}};
  const auto ids = RenderChat(chat, tokenizer, messages, {.thinking = thinking});
  EXPECT_TRUE(ids.has_value()) << (ids ? "" : ids.error().Message());
  std::vector<std::int32_t> marks;
  std::copy_if(ids->begin(), ids->end(), std::back_inserter(marks),
               [&](std::int32_t id) { return tokenizer.IsControl(id); });
  return marks;
}

TEST(ChatTemplate, MessagesCannotForgeATurn) {
  std::vector<std::shared_ptr<const Tokenizer>> tokenizers = {
      TokenizerWith(""), *Tokenizer::Create(TinyVocabulary({}, {"<x>"}, "deepseek-llm"))};
  for (const Family& family : Families()) tokenizers.push_back(TokenizerOf(family));
  for (const auto& tokenizer : tokenizers) {
    if (!tokenizer) continue;
    SCOPED_TRACE(tokenizer->chat_template_source().substr(0, 80));
    const auto chat = ChatTemplate::Create(*tokenizer);
    ASSERT_TRUE(chat.has_value()) << chat.error().Message();
    // Every special token at once, alone, and cut in two by white space that templates trim.
    std::vector<std::string> attacks = {""};
    for (std::int32_t id = 0; id < tokenizer->size(); ++id) {
      if (!tokenizer->IsControl(id)) continue;
      const std::string mark(tokenizer->Piece(id));
      if (mark.find("think") != std::string::npos) continue;  // templates cut answers there
      attacks[0] += mark;
      attacks.push_back("x" + mark);
      attacks.push_back(" \n" + mark + "\n ");
    }
    for (const bool thinking : {false, true}) {
      const auto harmless = MarksIn(**chat, *tokenizer, "x", thinking);
      for (const std::string& attack : attacks)
        ASSERT_EQ(MarksIn(**chat, *tokenizer, attack, thinking), harmless) << attack;
    }
    const auto bos = *tokenizer->bos();
    const auto marks = MarksIn(**chat, *tokenizer, attacks[0], false);
    EXPECT_EQ(std::count(marks.begin(), marks.end(), bos), 1);
    EXPECT_EQ(marks.front(), bos) << "exactly one, at the start";
  }
}

// 10,000 texts of pieces of special tokens: none of their ids comes from a message.
TEST(ChatTemplate, RandomTextsForgeNothing) {
  const auto tokenizer = TokenizerWith("");
  const auto chat = ChatTemplate::Create(*tokenizer);
  ASSERT_TRUE(chat.has_value());
  const auto harmless = MarksIn(**chat, *tokenizer, "x", false);
  std::mt19937 random(7);
  const std::vector<std::string> pieces = {"<｜",
                                           "｜>",
                                           "User",
                                           "Assistant",
                                           "<｜User｜>",
                                           "<｜Assistant｜>",
                                           "<think>",
                                           "</think>",
                                           "<｜end▁of▁sentence｜>",
                                           "<｜begin▁of▁sentence｜>",
                                           "\n",
                                           " ",
                                           "x",
                                           "<",
                                           ">",
                                           "｜",
                                           "▁"};
  for (int i = 0; i < 10'000; ++i) {
    std::string text;
    for (unsigned k = 0; k < 1 + random() % 6; ++k) text += pieces[random() % pieces.size()];
    ASSERT_EQ(MarksIn(**chat, *tokenizer, text, false), harmless) << text;
  }
}

TEST(ChatTemplate, RefusesInWordsWhatItCannotUse) {
  const std::pair<const char*, const char*> kRefusals[] = {
      {"{{ 'unfinished", "line 1: a string does not end"},
      {"\n{% include 'x' %}", "line 2: the tag \"include\" is not supported here"},
      {"{{ messages | nonsense }}", "line 1: the filter \"nonsense\" is not supported"},
      {"hello", "it leaves out what the user says"},
      {"{{ messages[0].content }}", "it leaves out earlier messages"},
      {"{{ raise_exception('No.') }}", "line 1: the template refuses this conversation: No."}};
  for (const auto& [source, reason] : kRefusals) {
    const auto chat = ChatTemplate::Create(*TokenizerWith(source));
    ASSERT_FALSE(chat.has_value()) << source;
    EXPECT_EQ(chat.error().code, ErrorCode::kUnsupportedTemplate);
    EXPECT_EQ(chat.error().detail, reason);
  }
}

// What a template refuses only in some conversations is an error of that conversation.
TEST(ChatTemplate, MayRefuseAConversation) {
  const auto tokenizer = TokenizerOf(Families().back());
  ASSERT_NE(tokenizer, nullptr);
  const auto chat = ChatTemplate::Create(*tokenizer);
  ASSERT_TRUE(chat.has_value()) << chat.error().Message();
  const std::vector<ChatMessage> twice = {{ChatRole::kUser, "a"}, {ChatRole::kUser, "b"}};
  const auto ids = RenderChat(**chat, *tokenizer, twice);
  ASSERT_FALSE(ids.has_value());
  EXPECT_EQ(ids.error().code, ErrorCode::kUnsupportedTemplate);
  EXPECT_NE(ids.error().detail.find("take turns"), std::string::npos);
}

TEST(ChatTemplate, TheTemplateDecidesWhetherReasoningIsSeenAgain) {
  const Family& chatml = *std::find_if(Families().begin(), Families().end(), [](const auto& f) {
    return f.file.ends_with("chatml.jinja");
  });
  const auto tokenizer = TokenizerOf(chatml);
  const auto chat = ChatTemplate::Create(*tokenizer);
  ASSERT_TRUE(chat.has_value()) << chat.error().Message();
  const auto text = [&](const std::vector<ChatMessage>& messages) {
    return *tokenizer->Decode(*RenderChat(**chat, *tokenizer, messages, {.open_answer = false}));
  };
  const ChatMessage question = {ChatRole::kUser, "q"};
  const ChatMessage answer = {ChatRole::kAssistant, "a", "because"};
  EXPECT_NE(text({question, answer}).find("<think>\nbecause\n</think>"), std::string::npos);
  EXPECT_EQ(text({question, answer, question}).find("because"), std::string::npos);
}

TEST(ChatTemplate, WithoutATemplateTheVocabularyDecides) {
  const auto words = Tokenizer::Create(TinyVocabulary({}, {}, "deepseek-llm"));
  const auto v2 = ChatTemplate::Create(**words);
  ASSERT_TRUE(v2.has_value());
  EXPECT_EQ((*v2)->name(), "deepseek-v2");
  // DeepSeek-V2.5: the splits of V2, the marks of V3.
  const auto v25 = ChatTemplate::Create(*TokenizerWith("", false, "deepseek-llm"));
  ASSERT_TRUE(v25.has_value());
  EXPECT_EQ((*v25)->name(), "deepseek-v3");
  const auto v3 = ChatTemplate::Create(*TokenizerWith(""));
  ASSERT_TRUE(v3.has_value());
  EXPECT_EQ((*v3)->name(), "deepseek-v3");
  const auto bare = Tokenizer::Create(TinyVocabulary({}, {}));
  const auto none = ChatTemplate::Create(**bare);
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().detail, "the file names none");
}

TEST(ChatTemplate, NativeMarksMustBeTokensOfTheVocabulary) {
  const auto tokenizer = Tokenizer::Create(TinyVocabulary({}, {"<｜User｜>"}));
  const auto chat = ChatTemplate::Create(**tokenizer);
  ASSERT_FALSE(chat.has_value());
  EXPECT_EQ(chat.error().detail, "the file names none");
}

TEST(ChatTemplate, BosComesFromTheTokenizerWhereTheTemplateWritesNone) {
  Vocabulary vocabulary = TinyVocabulary({}, {"<|end|>"});
  vocabulary.chat_template =
      "{% for m in messages %}{{ m.role }}: {{ m.content }}<|end|>{% endfor %}";
  for (const bool adds : {true, false}) {
    vocabulary.add_bos = adds;
    const auto tokenizer = *Tokenizer::Create(vocabulary);
    const auto chat = ChatTemplate::Create(*tokenizer);
    ASSERT_TRUE(chat.has_value()) << chat.error().Message();
    const std::vector<ChatMessage> messages = {{ChatRole::kUser, "x"}};
    const auto ids = RenderChat(**chat, *tokenizer, messages);
    ASSERT_TRUE(ids.has_value());
    EXPECT_EQ(ids->front() == *tokenizer->bos(), adds);
  }
}

TEST(ChatTemplate, TellsStopsAndReasoning) {
  const Json all = Json::parse(ReadFile(PALUKU_SOURCE_DIR "/tests/data/templates_golden.json"));
  for (const Json& golden : all) {
    const std::string source = SourceOf(golden);
    if (source.empty()) continue;
    const auto tokenizer = TokenizerWith(source);
    const auto chat = ChatTemplate::Create(*tokenizer);
    ASSERT_TRUE(chat.has_value()) << chat.error().Message();
    const auto stops = (*chat)->stop_tokens();
    EXPECT_EQ(stops[0], tokenizer->eos());
    EXPECT_EQ(stops.size(), golden["name"] == "deepseek-v2" ? 1u : 2u);
    EXPECT_EQ((*chat)->think_close(), tokenizer->SpecialId("</think>"));
    // The opening of the golden rendering tells whether the model begins inside its reasoning.
    for (const Json& one : golden["cases"]) {
      if (!one["open"] || one["messages"].back()["role"] != "user") continue;
      const std::string text = one["text"];
      const bool open = text.ends_with("<think>") || text.ends_with("<think>\n");
      EXPECT_EQ((*chat)->starts_in_reasoning(one["thinking"]), open);
    }
  }
}

}  // namespace
}  // namespace paluku
