// How fast text becomes token ids: bytes of UTF-8 a second on one core, by language, for the
// published vocabularies of ../shared/data and a SentencePiece one of our own.
//
// PALUKU_BENCH_TEXTS names a folder with the files en, te and zh; each is encoded in one call, as
// a long document is. Without it our own sentences are used, repeated: then most words are copies
// and the figures say little.
#include <benchmark/benchmark.h>

#include <cstdlib>

#include "engine/loader/model_file.h"
#include "engine/text/tokenizer.h"
#include "tests/engine/text/vocabularies.h"

namespace paluku {
namespace {

Result<Vocabulary> ReadVocabulary(const std::string& path) {
  if (!path.ends_with(".gguf")) return VocabularyFromTokenizerJson(path);
  PALUKU_ASSIGN_OR_RETURN(const auto file, ModelFile::Open(path));
  return VocabularyFromGguf(*file);
}

std::shared_ptr<const Tokenizer> Load(const std::string& path) {
  if (!std::filesystem::exists(path)) return nullptr;
  auto vocabulary = ReadVocabulary(path);
  if (!vocabulary) return nullptr;
  auto tokenizer = Tokenizer::Create(std::move(*vocabulary));
  return tokenizer ? *tokenizer : nullptr;
}

std::string Text(const std::string& language) {
  if (const char* folder = std::getenv("PALUKU_BENCH_TEXTS"))
    return ReadFile((std::filesystem::path(folder) / language).string());
  const std::string sentence =
      language == "te"   ? "నమూనా మీ ప్రశ్నను చదివి, తరువాతి పదాన్ని ఆలోచించి రాస్తుంది. "
      : language == "zh" ? "模型读取问题，然后一个词一个词地写出回答。"
                         : "The model reads your question and writes down the next word. ";
  std::string text;
  while (text.size() < (1u << 20)) text += sentence;
  return text;
}

void Encode(benchmark::State& state, const Tokenizer& tokenizer, const std::string& text) {
  std::size_t tokens = 0;
  for (auto _ : state) tokens = tokenizer.Encode(text, SpecialTokens::kAsText).size();
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
  state.counters["bytes/token"] = static_cast<double>(text.size()) / static_cast<double>(tokens);
}

// One word of a megabyte: what a hostile text costs.
void EncodeWord(benchmark::State& state, const Tokenizer& tokenizer) {
  Encode(state, tokenizer, std::string(1u << 20, 'a'));
}

void Register() {
  const char* given = std::getenv("PALUKU_BENCH_TOKENIZER");
  const std::vector<std::pair<std::string, std::string>> vocabularies = {
      {"deepseek-v3", SharedData("tokenizers/deepseek-v3/tokenizer.json")},
      {"deepseek-llm", SharedData("tokenizers/deepseek-v2/ggml-vocab-deepseek-llm.gguf")},
      {"sentencepiece", PALUKU_SOURCE_DIR "/tests/data/tokenizers/minicpm3.gguf"},
      {"given", given == nullptr ? "" : given}};
  for (const auto& [name, path] : vocabularies) {
    const auto tokenizer = Load(path);
    if (!tokenizer) continue;
    for (const std::string language : {"en", "te", "zh"}) {
      const std::string text = Text(language);
      if (text.empty()) continue;
      benchmark::RegisterBenchmark((name + "/" + language).c_str(), [=](benchmark::State& state) {
        Encode(state, *tokenizer, text);
      })->Unit(benchmark::kMillisecond);
    }
    benchmark::RegisterBenchmark((name + "/word").c_str(), [=](benchmark::State& state) {
      EncodeWord(state, *tokenizer);
    })->Unit(benchmark::kMillisecond);
  }
}

}  // namespace
}  // namespace paluku

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  paluku::Register();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
