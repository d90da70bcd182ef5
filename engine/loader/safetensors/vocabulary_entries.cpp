#include "engine/loader/safetensors/vocabulary_entries.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/text/vocabulary.h"

namespace paluku {
namespace {

namespace fs = std::filesystem;
namespace keys = vocabulary_keys;

constexpr float kNeverMade = -1e9f;  // the score of a token that no merge makes

class Writer {
 public:
  explicit Writer(ModelFile::Contents& out) : out_(out) {}

  void Text(const char* key, std::string_view text) { out_.entries[key] = Keep(text); }
  void Flag(const char* key, bool value) { out_.entries[key] = value; }
  void Id(const char* key, std::int32_t id) { out_.entries[key] = static_cast<std::uint64_t>(id); }
  void Texts(const char* key, const std::vector<std::string>& texts) {
    std::vector<std::string_view> views;
    views.reserve(texts.size());
    for (const std::string& text : texts) views.push_back(Keep(text));
    out_.entries[key] = std::move(views);
  }
  template <class T>
  void Numbers(const char* key, ValueType type, const std::vector<T>& numbers) {
    const std::string_view raw(reinterpret_cast<const char*>(numbers.data()),
                               numbers.size() * sizeof(T));
    const std::string_view kept = Keep(raw);
    out_.entries[key] = NumberArray{type, std::as_bytes(std::span(kept)), numbers.size()};
  }

 private:
  std::string_view Keep(std::string_view text) { return out_.owned.emplace_back(text); }

  ModelFile::Contents& out_;
};

void AddTokens(const Vocabulary& vocabulary, Writer& out) {
  out.Texts("tokenizer.ggml.tokens", vocabulary.tokens);
  std::vector<std::int32_t> types;
  types.reserve(vocabulary.types.size());
  for (const TokenType type : vocabulary.types) types.push_back(static_cast<std::int32_t>(type));
  out.Numbers("tokenizer.ggml.token_type", ValueType::kI32, types);
}

void AddMerges(const Vocabulary& vocabulary, Writer& out) {
  std::vector<std::string> merges;
  merges.reserve(vocabulary.merges.size());
  for (const Merge& merge : vocabulary.merges) merges.push_back(merge.left + " " + merge.right);
  out.Texts("tokenizer.ggml.merges", merges);
}

// GGUF tells the order of a SentencePiece vocabulary's merges by the scores of what they make.
void AddScores(const Vocabulary& vocabulary, Writer& out) {
  std::vector<float> scores(vocabulary.tokens.size(), kNeverMade);
  std::map<std::string_view, std::size_t> ids;  // hostile texts cannot slow a tree down
  for (std::size_t i = 0; i < vocabulary.tokens.size(); ++i) ids.emplace(vocabulary.tokens[i], i);
  for (std::size_t rank = 0; rank < vocabulary.merges.size(); ++rank) {
    const auto made = ids.find(vocabulary.merges[rank].left + vocabulary.merges[rank].right);
    if (made == ids.end()) continue;
    scores[made->second] = std::max(scores[made->second], -static_cast<float>(rank));
  }
  out.Numbers("tokenizer.ggml.scores", ValueType::kF32,
              vocabulary.scores.empty() ? scores : vocabulary.scores);
}

// How a SentencePiece vocabulary treats spaces.
void AddSpaces(const Vocabulary& vocabulary, Writer& out) {
  out.Flag("tokenizer.ggml.add_space_prefix", vocabulary.space_prefix != SpacePrefix::kNone);
  out.Id(keys::kSpacePrefix, static_cast<std::int32_t>(vocabulary.space_prefix));
  out.Flag(keys::kNormaliserMarksSpaces, vocabulary.normaliser_marks_spaces);
  out.Flag(keys::kWordsBeginAtSpaces, vocabulary.words_begin_at_spaces);
}

// What GGUF has no keys for, where it differs from what a file without them means.
void AddOwnEntries(const Vocabulary& vocabulary, Writer& out) {
  if (vocabulary.composes) out.Flag(keys::kComposes, true);
  const auto& flags = vocabulary.added_flags;
  if (std::any_of(flags.begin(), flags.end(), [](std::uint8_t one) { return one != 0; }))
    out.Numbers(keys::kAddedFlags, ValueType::kU8, flags);
  if (vocabulary.end_of_turn.size() > 2)
    out.Numbers(keys::kEndOfTurn, ValueType::kI32, vocabulary.end_of_turn);
}

void AddSpecialTokens(const Vocabulary& vocabulary, Writer& out) {
  if (vocabulary.unknown) out.Id("tokenizer.ggml.unknown_token_id", *vocabulary.unknown);
  if (vocabulary.bos) out.Id("tokenizer.ggml.bos_token_id", *vocabulary.bos);
  if (vocabulary.eos) out.Id("tokenizer.ggml.eos_token_id", *vocabulary.eos);
  if (vocabulary.pad) out.Id("tokenizer.ggml.padding_token_id", *vocabulary.pad);
  const std::vector<std::int32_t>& ends = vocabulary.end_of_turn;
  if (!ends.empty()) out.Id("tokenizer.ggml.eot_token_id", ends[0]);
  if (ends.size() > 1) out.Id("tokenizer.ggml.eom_token_id", ends[1]);
  out.Flag("tokenizer.ggml.add_bos_token", vocabulary.add_bos);
  if (!vocabulary.chat_template.empty()) {
    out.Text("tokenizer.chat_template", vocabulary.chat_template);
  }
}

// Every row of the embedding has a token, and no token is empty, as readers of GGUF expect.
void FillGaps(const ModelFile::Contents& model, Vocabulary& vocabulary) {
  const auto named = model.entries.find("general.architecture");
  if (named == model.entries.end()) return;
  const std::string architecture(std::get<std::string_view>(named->second));
  const auto rows = model.entries.find(architecture + ".vocab_size");
  if (rows == model.entries.end()) return;
  const std::uint64_t wanted = std::get<std::uint64_t>(rows->second);
  if (wanted > vocabulary.tokens.size() && wanted <= kVocabularyLimits.tokens) {
    vocabulary.tokens.resize(wanted);
    vocabulary.types.resize(wanted, TokenType::kUnused);
  }
  vocabulary.added_flags.resize(vocabulary.tokens.size());
  if (!vocabulary.scores.empty()) vocabulary.scores.resize(vocabulary.tokens.size(), kNeverMade);
  for (std::size_t i = 0; i < vocabulary.tokens.size(); ++i) {
    if (vocabulary.tokens[i].empty()) {
      vocabulary.tokens[i] = "[unused" + std::to_string(i) + "]";
    }
  }
}

}  // namespace

Status AddVocabularyEntries(const std::string& directory, ModelFile::Contents& out,
                            const std::stop_token& stop) {
  const fs::path json = fs::path(directory) / "tokenizer.json";
  const fs::path tiktoken = fs::path(directory) / "tiktoken.model";
  std::error_code error;
  const bool has_json = fs::exists(json, error);
  if (!has_json && !fs::exists(tiktoken, error)) return {};
  Result<Vocabulary> vocabulary = has_json ? VocabularyFromTokenizerJson(json.string(), stop)
                                           : VocabularyFromTiktoken(tiktoken.string(), stop);
  Writer writer(out);
  if (!vocabulary) {
    if (vocabulary.error().code != ErrorCode::kUnsupportedTokenizer) {
      return tl::unexpected(vocabulary.error());
    }
    writer.Text("tokenizer.ggml.model", vocabulary.error().detail);
    return {};
  }
  FillGaps(out, *vocabulary);
  AddTokens(*vocabulary, writer);
  if (vocabulary->kind == VocabularyKind::kByteLevel) {
    writer.Text("tokenizer.ggml.model", "gpt2");
    writer.Text("tokenizer.ggml.pre", vocabulary->pre_tokenizer);
    if (has_json) AddMerges(*vocabulary, writer);  // tiktoken tells them by the ids
  } else {
    const bool unigram = vocabulary->kind == VocabularyKind::kUnigram;
    writer.Text("tokenizer.ggml.model", unigram ? "t5" : "llama");
    AddScores(*vocabulary, writer);
    AddSpaces(*vocabulary, writer);
  }
  AddSpecialTokens(*vocabulary, writer);
  AddOwnEntries(*vocabulary, writer);
  return {};
}

}  // namespace paluku
