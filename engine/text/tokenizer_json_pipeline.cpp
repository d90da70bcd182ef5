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
std::vector<Json> StepsOf(const Json& step, const char* list) {
  if (step.is_null()) return {};
  const Json& sequence = At(step, list);
  if (!sequence.is_array()) return {step};
  return {sequence.begin(), sequence.end()};
}

std::string NameOf(const Json& step) {
  const std::string type = StringAt(step, "type");
  return type.empty() ? "a step without a type" : PlainLine(type, 64);
}

Status ReadModel(const Json& model, Vocabulary& vocabulary) {
  const std::string type = StringAt(model, "type");
  if (type == "Unigram") {
    vocabulary.kind = VocabularyKind::kUnigram;
    if (At(model, "byte_fallback") == true) return {};
    const Json& unknown = At(model, "unk_id");
    if (!unknown.is_number_unsigned() || unknown.get<std::uint64_t>() >= At(model, "vocab").size())
      return tl::unexpected(Unsupported(vocabulary, "Unigram without byte_fallback and unk_id"));
    vocabulary.unknown = unknown.get<std::int32_t>();
    return {};
  }
  if (type != "BPE") return tl::unexpected(Unsupported(vocabulary, NameOf(model)));
  for (const char* option : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (!StringAt(model, option).empty())
      return tl::unexpected(Unsupported(vocabulary, std::string("BPE with ") + option));
  const Json& dropout = At(model, "dropout");
  if (dropout.is_number() && dropout != 0)
    return tl::unexpected(Unsupported(vocabulary, "BPE with dropout"));
  vocabulary.ignores_merges = At(model, "ignore_merges") == true;
  if (At(model, "byte_fallback") == true) vocabulary.kind = VocabularyKind::kSentencePiece;
  return {};
}

// A split whose matches become pieces. "Removed" with "invert" keeps the matches as well, and drops
// what is between them: nothing, in the patterns that are known with it.
bool IsIsolatingSplit(const Json& step) {
  const std::string behavior = StringAt(step, "behavior");
  const bool invert = At(step, "invert") == true;
  return (behavior == "Isolated" && !invert) || (behavior == "Removed" && invert);
}

// The splits in the order they run, as PreTokenizerOfSteps takes them. A step that Paluku does not
// have becomes the name.
std::string PreTokenizerName(const Json& root) {
  std::vector<std::string> steps;
  for (const Json& step : StepsOf(At(root, "pre_tokenizer"), "pretokenizers")) {
    const std::string type = StringAt(step, "type");
    if (type == "Split" && IsIsolatingSplit(step)) {
      steps.push_back(StringAt(At(step, "pattern"), "Regex"));
    } else if (type == "Digits" && At(step, "individual_digits") == true) {
      steps.emplace_back("digits");
    } else if (type == "ByteLevel" && At(step, "add_prefix_space") == false &&
               (steps.empty() || At(step, "use_regex") == false)) {
      if (At(step, "use_regex") != false) steps.emplace_back("gpt-2");
    } else {
      return NameOf(step);
    }
  }
  return PreTokenizerOfSteps(steps).value_or("a sequence of " + std::to_string(steps.size()) +
                                             " splits");
}

Status ReadByteLevel(const Json& root, Vocabulary& vocabulary) {
  for (const Json& step : StepsOf(At(root, "normalizer"), "normalizers")) {
    if (StringAt(step, "type") != "NFC")
      return tl::unexpected(Unsupported(vocabulary, "normalizer " + NameOf(step)));
    vocabulary.composes = true;
  }
  vocabulary.pre_tokenizer = PreTokenizerName(root);
  return {};
}

// When Metaspace puts a mark before text; files of before 2023 say it with a truth value.
std::optional<SpacePrefix> PrefixOf(const Json& metaspace) {
  const std::string scheme = StringAt(metaspace, "prepend_scheme");
  if (scheme.empty() && At(metaspace, "add_prefix_space") == false) return SpacePrefix::kNone;
  if (scheme.empty() || scheme == "always") return SpacePrefix::kUnlessThere;
  if (scheme == "first") return SpacePrefix::kAtStart;
  if (scheme == "never") return SpacePrefix::kNone;
  return std::nullopt;
}

// Spaces become U+2581, and one more may go before text; by normalisers (as Llama 2 has them) or by
// Metaspace.
Status ReadSentencePiece(const Json& root, Vocabulary& vocabulary) {
  bool marks_spaces = false;
  for (const Json& step : StepsOf(At(root, "normalizer"), "normalizers")) {
    const std::string type = StringAt(step, "type");
    if (type == "NFC") {
      vocabulary.composes = true;
    } else if (type == "Prepend" && StringAt(step, "prepend") == kSpaceMark && !marks_spaces &&
               vocabulary.space_prefix == SpacePrefix::kNone) {
      vocabulary.space_prefix = SpacePrefix::kAlways;
    } else if (type == "Replace" && StringAt(At(step, "pattern"), "String") == " " &&
               StringAt(step, "content") == kSpaceMark) {
      marks_spaces = true;
    } else {
      return tl::unexpected(Unsupported(vocabulary, "normalizer " + NameOf(step)));
    }
  }
  for (const Json& step : StepsOf(At(root, "pre_tokenizer"), "pretokenizers")) {
    const auto prefix = PrefixOf(step);
    if (StringAt(step, "type") != "Metaspace" || StringAt(step, "replacement") != kSpaceMark ||
        !prefix || marks_spaces)
      return tl::unexpected(Unsupported(vocabulary, "SentencePiece with " + NameOf(step)));
    vocabulary.space_prefix = *prefix;
    vocabulary.words_begin_at_spaces = At(step, "split") != false;
    vocabulary.normaliser_marks_spaces = false;
    marks_spaces = true;
  }
  if (!marks_spaces)
    return tl::unexpected(Unsupported(vocabulary, "SentencePiece without a mark for spaces"));
  return {};
}

// The template of special tokens begins with one.
bool PutsATokenFirst(const Json& step) {
  if (StringAt(step, "type") != "TemplateProcessing") return false;
  const Json& pattern = At(step, "single");
  return pattern.is_array() && !pattern.empty() && At(pattern[0], "SpecialToken").is_object();
}

}  // namespace

bool IsByteName(std::string_view text) {
  return text.size() == 6 && text.starts_with("<0x") && text[5] == '>' &&
         std::isxdigit(static_cast<unsigned char>(text[3])) != 0 &&
         std::isxdigit(static_cast<unsigned char>(text[4])) != 0;
}

Status ReadPipeline(const Json& root, Vocabulary& vocabulary) {
  PALUKU_TRY(ReadModel(At(root, "model"), vocabulary));
  if (vocabulary.kind != VocabularyKind::kByteLevel) {
    PALUKU_TRY(ReadSentencePiece(root, vocabulary));
  } else {
    PALUKU_TRY(ReadByteLevel(root, vocabulary));
    const auto traits = FindPreTokenizer(vocabulary.pre_tokenizer);
    vocabulary.add_bos = traits && traits->name.starts_with("deepseek");
  }
  for (const Json& step : StepsOf(At(root, "post_processor"), "processors"))
    vocabulary.add_bos = vocabulary.add_bos || PutsATokenFirst(step);
  return {};
}

}  // namespace paluku
