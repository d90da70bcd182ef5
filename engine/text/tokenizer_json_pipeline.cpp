#include "engine/text/tokenizer_json_pipeline.h"

#include <cctype>

#include "engine/base/utf8.h"
#include "engine/text/pretokenizer.h"
#include "engine/text/pretokenizer_patterns.h"

namespace paluku {
namespace {

constexpr char kSpaceMark[] = "\u2581";

Error Unsupported(const Vocabulary& vocabulary, const std::string& what) {
  return {ErrorCode::kUnsupportedTokenizer, vocabulary.origin, what};
}

// The steps of a Sequence, or the one step that stands in its place.
std::vector<JsonValue> StepsOf(const JsonValue& step, std::string_view list) {
  if (step.IsNothing()) return {};
  const auto sequence = step.At(list).Array();
  if (!sequence) return {step};
  return {sequence->begin(), sequence->end()};
}

std::string NameOf(const JsonValue& step) {
  const std::string type = StringAt(step, "type");
  return type.empty() ? "a step without a type" : PlainLine(type, 64);
}

Status ReadModel(const JsonValue& model, Vocabulary& vocabulary) {
  const std::string type = StringAt(model, "type");
  if (type == "Unigram") {
    vocabulary.kind = VocabularyKind::kUnigram;
    if (model.At("byte_fallback").Is(true)) return {};
    const auto unknown = model.At("unk_id").Unsigned();
    const auto words = model.At("vocab").Array();
    if (!unknown || !words || *unknown >= words->size())
      return tl::unexpected(Unsupported(vocabulary, "Unigram without byte_fallback and unk_id"));
    vocabulary.unknown = static_cast<std::int32_t>(*unknown);
    return {};
  }
  if (type != "BPE") return tl::unexpected(Unsupported(vocabulary, NameOf(model)));
  for (const char* option : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (!StringAt(model, option).empty())
      return tl::unexpected(Unsupported(vocabulary, std::string("BPE with ") + option));
  if (model.At("dropout").Number().value_or(0) != 0)
    return tl::unexpected(Unsupported(vocabulary, "BPE with dropout"));
  vocabulary.ignores_merges = model.At("ignore_merges").Is(true);
  if (model.At("byte_fallback").Is(true)) vocabulary.kind = VocabularyKind::kSentencePiece;
  return {};
}

// A split whose matches become pieces. "Removed" with "invert" keeps the matches as well, and drops
// what is between them: nothing, in the patterns that are known with it.
bool IsIsolatingSplit(const JsonValue& step) {
  const std::string behavior = StringAt(step, "behavior");
  const bool invert = step.At("invert").Is(true);
  return (behavior == "Isolated" && !invert) || (behavior == "Removed" && invert);
}

// The splits in the order they run, as PreTokenizerOfSteps takes them. A step that Paluku does not
// have becomes the name.
std::string PreTokenizerName(const JsonValue& root) {
  std::vector<std::string> steps;
  for (const JsonValue& step : StepsOf(root.At("pre_tokenizer"), "pretokenizers")) {
    const std::string type = StringAt(step, "type");
    if (type == "Split" && IsIsolatingSplit(step)) {
      steps.push_back(StringAt(step.At("pattern"), "Regex"));
    } else if (type == "Digits" && step.At("individual_digits").Is(true)) {
      steps.emplace_back("digits");
    } else if (type == "ByteLevel" && step.At("add_prefix_space").Is(false) &&
               (steps.empty() || step.At("use_regex").Is(false))) {
      if (!step.At("use_regex").Is(false)) steps.emplace_back("gpt-2");
    } else {
      return NameOf(step);
    }
  }
  return PreTokenizerOfSteps(steps).value_or("a sequence of " + std::to_string(steps.size()) +
                                             " splits");
}

Status ReadByteLevel(const JsonValue& root, Vocabulary& vocabulary) {
  for (const JsonValue& step : StepsOf(root.At("normalizer"), "normalizers")) {
    if (StringAt(step, "type") != "NFC")
      return tl::unexpected(Unsupported(vocabulary, "normalizer " + NameOf(step)));
    vocabulary.composes = true;
  }
  vocabulary.pre_tokenizer = PreTokenizerName(root);
  return {};
}

// When Metaspace puts a mark before text; files of before 2023 say it with a truth value.
std::optional<SpacePrefix> PrefixOf(const JsonValue& metaspace) {
  const std::string scheme = StringAt(metaspace, "prepend_scheme");
  if (scheme.empty() && metaspace.At("add_prefix_space").Is(false)) return SpacePrefix::kNone;
  if (scheme.empty() || scheme == "always") return SpacePrefix::kUnlessThere;
  if (scheme == "first") return SpacePrefix::kAtStart;
  if (scheme == "never") return SpacePrefix::kNone;
  return std::nullopt;
}

// Spaces become U+2581, and one more may go before text; by normalisers (as Llama 2 has them) or by
// Metaspace.
Status ReadSentencePiece(const JsonValue& root, Vocabulary& vocabulary) {
  bool marks_spaces = false;
  for (const JsonValue& step : StepsOf(root.At("normalizer"), "normalizers")) {
    const std::string type = StringAt(step, "type");
    if (type == "NFC") {
      vocabulary.composes = true;
    } else if (type == "Prepend" && StringAt(step, "prepend") == kSpaceMark && !marks_spaces &&
               vocabulary.space_prefix == SpacePrefix::kNone) {
      vocabulary.space_prefix = SpacePrefix::kAlways;
    } else if (type == "Replace" && StringAt(step.At("pattern"), "String") == " " &&
               StringAt(step, "content") == kSpaceMark) {
      marks_spaces = true;
    } else {
      return tl::unexpected(Unsupported(vocabulary, "normalizer " + NameOf(step)));
    }
  }
  for (const JsonValue& step : StepsOf(root.At("pre_tokenizer"), "pretokenizers")) {
    const auto prefix = PrefixOf(step);
    if (StringAt(step, "type") != "Metaspace" || StringAt(step, "replacement") != kSpaceMark ||
        !prefix || marks_spaces)
      return tl::unexpected(Unsupported(vocabulary, "SentencePiece with " + NameOf(step)));
    vocabulary.space_prefix = *prefix;
    vocabulary.words_begin_at_spaces = !step.At("split").Is(false);
    vocabulary.normaliser_marks_spaces = false;
    marks_spaces = true;
  }
  if (!marks_spaces)
    return tl::unexpected(Unsupported(vocabulary, "SentencePiece without a mark for spaces"));
  return {};
}

// The template of special tokens begins with one.
bool PutsATokenFirst(const JsonValue& step) {
  if (StringAt(step, "type") != "TemplateProcessing") return false;
  const auto pattern = step.At("single").Array();
  return pattern && pattern->begin() != pattern->end() &&
         JsonValue(*pattern->begin()).At("SpecialToken").Object().has_value();
}

}  // namespace

bool IsByteName(std::string_view text) {
  return text.size() == 6 && text.starts_with("<0x") && text[5] == '>' &&
         std::isxdigit(static_cast<unsigned char>(text[3])) != 0 &&
         std::isxdigit(static_cast<unsigned char>(text[4])) != 0;
}

Status ReadPipeline(const JsonValue& root, Vocabulary& vocabulary) {
  PALUKU_TRY(ReadModel(root.At("model"), vocabulary));
  if (vocabulary.kind != VocabularyKind::kByteLevel) {
    PALUKU_TRY(ReadSentencePiece(root, vocabulary));
  } else {
    PALUKU_TRY(ReadByteLevel(root, vocabulary));
    const auto traits = FindPreTokenizer(vocabulary.pre_tokenizer);
    vocabulary.add_bos = traits && traits->name.starts_with("deepseek");
  }
  for (const JsonValue& step : StepsOf(root.At("post_processor"), "processors"))
    vocabulary.add_bos = vocabulary.add_bos || PutsATokenFirst(step);
  return {};
}

}  // namespace paluku
