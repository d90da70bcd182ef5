#include "tests/fuzz/checks.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/backend/registry.h"
#include "engine/base/check.h"
#include "engine/base/utf8.h"
#include "engine/model/memory_plan.h"
#include "engine/session/session.h"
#include "engine/text/chat_template.h"
#include "engine/text/tokenizer.h"

namespace paluku::test {
namespace {

constexpr std::array<const char*, 4> kTexts = {
    "", "The model's 1234 words,  \n\n  x = [0]; <|end|></s>", "తెలుగు 漢字かな한글 ▁ \u0301A😀",
    "\xFF\xE0\xB0 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

// Gives every text back: nothing is composed, and no token takes in white space.
bool IsLossless(const Vocabulary& vocabulary) {
  const auto takes_space = [](std::uint8_t flags) {
    return (flags & (kTakesSpaceBefore | kTakesSpaceAfter)) != 0;
  };
  return vocabulary.kind == VocabularyKind::kByteLevel && !vocabulary.composes &&
         std::none_of(vocabulary.added_flags.begin(), vocabulary.added_flags.end(), takes_space);
}

void Encode(const Tokenizer& tokenizer, bool lossless) {
  for (const char* text : kTexts) {
    for (const SpecialTokens special : {SpecialTokens::kAsText, SpecialTokens::kParse}) {
      const auto back = tokenizer.Decode(tokenizer.Encode(text, special));
      PALUKU_CHECK(back.has_value());
      PALUKU_CHECK(!lossless || *back == RepairUtf8(text));
    }
    for (const std::int32_t id : tokenizer.Encode(text, SpecialTokens::kAsText))
      PALUKU_CHECK(!tokenizer.IsControl(id));
    for (const std::int32_t id : tokenizer.EncodePrompt(text, SpecialTokens::kParse))
      PALUKU_CHECK(id >= 0 && id < tokenizer.size());
  }
}

void Converse(const Tokenizer& tokenizer) {
  const auto chat = ChatTemplate::Create(tokenizer);
  if (!chat) return CheckShown(chat.error());
  for (const std::int32_t id : (*chat)->stop_tokens()) PALUKU_CHECK(id < tokenizer.size());
  const std::array<ChatMessage, 3> messages = {{{ChatRole::kSystem, kTexts[1]},
                                                {ChatRole::kAssistant, kTexts[2], kTexts[3]},
                                                {ChatRole::kUser, kTexts[2]}}};
  const auto ids = RenderChat(**chat, tokenizer, messages);
  if (!ids) return CheckShown(ids.error());
  for (const std::int32_t id : *ids) PALUKU_CHECK(id >= 0 && id < tokenizer.size());
}

}  // namespace

void CheckShown(std::string_view text) {
  constexpr std::size_t kScreen = 1024;
  PALUKU_CHECK(text.size() < kScreen);
  PALUKU_CHECK(PlainLine(text, kScreen) == text);
}

void CheckShown(const Error& error) {
  PALUKU_CHECK(!error.Message().empty());
  CheckShown(error.Message());
}

void CheckCard(const ModelCard& card) {
  for (const std::string& text : {card.name, card.architecture, card.format, card.type_name,
                                  card.tokenizer, card.chat_template}) {
    CheckShown(text);
  }
  for (const auto& [type, count] : card.tensor_types) CheckShown(type);
  for (const Error& reason : card.unsupported) CheckShown(reason);
  for (const ModelNote& note : card.notes) CheckShown(note.Message());
}

void CheckModel(std::shared_ptr<const ModelFile> file) {
  constexpr int kContext = 8;
  constexpr std::int64_t kMostBytes = 64 << 20;
  static const std::unique_ptr<Backend> processor = [] {
    setenv("PALUKU_CPU", "scalar", 1);  // sanitizers do not look into the vector kernels
    return CreateBackend({.name = "cpu", .threads = 1}).value();
  }();
  const auto config = ModelConfig::Parse(*file);
  if (!config) return CheckShown(config.error());
  const auto plan = PlanMemory(*file, *config, {.context_tokens = kContext});
  if (!plan) return CheckShown(plan.error());
  if (plan->BytesAt(MemoryHome::kProcessor) > kMostBytes) return;
  const auto session =
      Session::Create(*processor, std::move(file), *config, {.context_tokens = kContext}, {}, {});
  if (!session) return CheckShown(session.error());
  LatentSequence sequence((*session)->cache());
  const std::vector<std::int32_t> first = {0, config->vocabulary - 1, 0};
  for (const auto& ids : {first, {0}}) {
    const int before = sequence.length();
    const std::array<std::int32_t, 1> last = {static_cast<std::int32_t>(ids.size()) - 1};
    const auto step = (*session)->Step(sequence, ids, last, {});
    if (!step) return CheckShown(step.error());
    PALUKU_CHECK(sequence.length() == before + last[0] + 1);
  }
}

void CheckVocabulary(Vocabulary vocabulary) {
  const bool lossless = IsLossless(vocabulary);
  if (vocabulary.kind == VocabularyKind::kByteLevel && vocabulary.merges.empty()) {
    const auto merges = MergesOfIds(vocabulary, {});
    if (!merges) CheckShown(merges.error());
  }
  const auto tokenizer = Tokenizer::Create(std::move(vocabulary));
  if (!tokenizer) return CheckShown(tokenizer.error());
  Encode(**tokenizer, lossless);
  Converse(**tokenizer);
}

}  // namespace paluku::test
