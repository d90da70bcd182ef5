// Vocabulary: what a file says of its tokenizer, read and bounded, before anything is built from
// it.
//
// Tokens stand as stored: special ones as plain text, ordinary ones in the byte-level alphabet of
// GPT-2 (U+0120 for a space) or as SentencePiece has them (U+2581 for a space). A plain value; the
// readers are pure functions. The file is hostile: every index is checked against the number of
// tokens here, and nowhere else.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/base/error.h"

namespace paluku {

class ModelFile;

// The numbers are those of `tokenizer.ggml.token_type`.
enum class TokenType : std::uint8_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

enum class VocabularyKind : std::uint8_t {
  kByteLevel,      // pieces of a pre-tokenizer, merged from their bytes
  kSentencePiece,  // whole text, merged from its characters; bytes stand in for unknown ones
  kUnigram,        // likewise, but cut where the sum of the tokens' scores is best
};

// The space (U+2581) that a SentencePiece vocabulary puts before text.
enum class SpacePrefix : std::uint8_t {
  kNone,
  kAlways,       // before every stretch between special tokens
  kUnlessThere,  // likewise, but not where one stands already
  kAtStart,      // likewise, and only at the start of the whole text
};

// How an added token is found in text; bits that tokenizer.json says and GGUF does not.
enum AddedTokenFlag : std::uint8_t {
  kTakesSpaceBefore = 1,  // "lstrip"
  kTakesSpaceAfter = 2,   // "rstrip"
  kWholeWordOnly = 4,     // "single_word"
  kAfterNormalising = 8,  // "normalized": looked for in what the normaliser made, not before it
};

struct VocabularyLimits {
  std::size_t tokens = 1u << 20;
  std::size_t merges = 1u << 21;
  std::size_t token_bytes = 64u << 10;
  std::size_t text_bytes = 16u << 20;  // all tokens together; the largest real ones have 3 MiB
  std::size_t special_token_bytes = 256;
  std::size_t template_bytes = 256u << 10;
  std::size_t json_bytes = 32u << 20;   // a whole tokenizer.json; those of the families have 20 MB
  std::size_t json_values = 4u << 20;   // of , : [ and { in it, which bounds the memory it takes
  std::size_t split_work = 512u << 20;  // bytes looked at to find the merges of a file without any
};
inline constexpr VocabularyLimits kVocabularyLimits;

// A merge joins two tokens into a third; its rank is its place in the list.
struct Merge {
  std::string left;
  std::string right;
};

struct Vocabulary {
  std::string origin;  // the file, for error texts
  VocabularyKind kind = VocabularyKind::kByteLevel;
  std::string pre_tokenizer;        // a name of pretokenizer_patterns.h or an unknown one; a
                                    // SentencePiece vocabulary has none
  std::string chat_template;        // Jinja source; empty when the file has none
  std::vector<std::string> tokens;  // [n_vocab]
  std::vector<TokenType> types;     // [n_vocab]
  std::vector<Merge> merges;        // best rank first
  std::vector<float> scores;        // [n_vocab] or empty; without merges the token of the best
                                    // score, or the lowest id, is made first
  bool ignores_merges = false;      // a piece that is a token as a whole is that token
  SpacePrefix space_prefix = SpacePrefix::kNone;
  bool normaliser_marks_spaces = true;    // U+2581 is there before tokens "normalized" are found
  bool words_begin_at_spaces = false;     // SentencePiece: no token goes on over a space
  bool composes = false;                  // the text is brought into NFC first
  std::vector<std::uint8_t> added_flags;  // [n_vocab] of AddedTokenFlag, or empty: none
  // The token of characters that are none, in a unigram vocabulary without tokens of bytes.
  std::optional<std::int32_t> unknown;
  std::optional<std::int32_t> bos;  // all ids < n_vocab
  std::optional<std::int32_t> eos;
  std::optional<std::int32_t> pad;
  std::vector<std::int32_t> end_of_turn;  // further ids that end an answer (eot, eom)
  bool add_bos = true;
};

// Keys of our own, for what tokenizer.json says and GGUF has no key for. Other programs pass them
// over.
namespace vocabulary_keys {
inline constexpr char kAddedFlags[] = "tokenizer.paluku.added_token_flags";  // [n_vocab]
inline constexpr char kComposes[] = "tokenizer.paluku.nfc";
inline constexpr char kSpacePrefix[] = "tokenizer.paluku.space_prefix";
inline constexpr char kNormaliserMarksSpaces[] = "tokenizer.paluku.normalizer_marks_spaces";
inline constexpr char kWordsBeginAtSpaces[] = "tokenizer.paluku.words_begin_at_spaces";
inline constexpr char kEndOfTurn[] = "tokenizer.paluku.end_of_turn_ids";
}  // namespace vocabulary_keys

// Reads `tokenizer.*` of any GGUF with a byte-level BPE vocabulary (`tokenizer.ggml.model` gpt2) or
// a SentencePiece one of the BPE (llama) or the unigram kind (t5), whatever its architecture.
// Errors: kMissingKey, kBadValue, kLimitExceeded, kUnsupportedTokenizer.
Result<Vocabulary> VocabularyFromGguf(const ModelFile& file);

// Reads a Hugging Face tokenizer.json and, where they lie beside it, tokenizer_config.json (special
// ids, chat template), chat_template.jinja and generation_config.json (ids that end an answer).
// Errors: those of reading a file, kCancelled, and as above.
Result<Vocabulary> VocabularyFromTokenizerJson(const std::string& path,
                                               const std::stop_token& stop = {});

// Reads a tiktoken.model as Kimi's checkpoints have it, lines of a token in base64 and its rank,
// and the same files beside it. Errors as above.
Result<Vocabulary> VocabularyFromTiktoken(const std::string& path,
                                          const std::stop_token& stop = {});

// The merges of a byte-level vocabulary that lists none and tells them by its ids, as a list: for
// every token, in the order of ids, each way to cut it into two tokens, those of lower ids first.
// So Hugging Face's TikTokenConverter does it. Errors: those of Tokenizer::Create.
Result<std::vector<Merge>> MergesOfIds(Vocabulary vocabulary, const std::stop_token& stop);

}  // namespace paluku
