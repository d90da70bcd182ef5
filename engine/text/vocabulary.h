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
};

struct VocabularyLimits {
  std::size_t tokens = 1u << 20;
  std::size_t merges = 1u << 21;
  std::size_t token_bytes = 64u << 10;
  std::size_t text_bytes = 16u << 20;  // all tokens together; the largest real ones have 3 MiB
  std::size_t special_token_bytes = 256;
  std::size_t template_bytes = 256u << 10;
  std::size_t json_bytes = 64u << 20;   // a whole tokenizer.json
  std::size_t json_values = 2u << 20;   // keys and values in it, which bounds the memory they take
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
  bool prefix_space = false;        // SentencePiece: a space goes before every text
  std::optional<std::int32_t> bos;  // all ids < n_vocab
  std::optional<std::int32_t> eos;
  std::optional<std::int32_t> pad;
  std::vector<std::int32_t> end_of_turn;  // further ids that end an answer (eot, eom)
  bool add_bos = true;
};

// Reads `tokenizer.*` of any GGUF with a byte-level BPE vocabulary (`tokenizer.ggml.model` gpt2) or
// a SentencePiece one of the BPE kind (llama), whatever its architecture. Errors: kMissingKey,
// kBadValue, kLimitExceeded, kUnsupportedTokenizer.
Result<Vocabulary> VocabularyFromGguf(const ModelFile& file);

// Reads a Hugging Face tokenizer.json and, where it lies beside it, tokenizer_config.json (special
// ids, chat template). Errors: those of reading a file, and as above.
Result<Vocabulary> VocabularyFromTokenizerJson(const std::string& path);

}  // namespace paluku
