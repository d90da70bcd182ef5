// Tokenizer: text to token ids and back, by byte-pair encoding (byte-level or SentencePiece's) or a
// unigram model.
//
// Built once per model from a Vocabulary; const afterwards and safe on any thread. Text of a user
// is encoded with SpecialTokens::kAsText and then never yields a control token, whatever it holds.
// Source: Sennrich et al. 2016 (BPE); the byte-level form of GPT-2; special tokens are matched
// before the pre-tokenizer, leftmost and longest first, those "normalized" after all others, as
// Hugging Face tokenizers does.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/base/error.h"
#include "engine/text/merge_table.h"
#include "engine/text/pretokenizer.h"
#include "engine/text/seeded_hash.h"
#include "engine/text/sentence_pieces.h"
#include "engine/text/special_matcher.h"
#include "engine/text/unigram.h"
#include "engine/text/vocabulary.h"

namespace paluku {

enum class SpecialTokens : std::uint8_t {
  kParse,   // the text of a special token becomes that token: trusted text only
  kAsText,  // it stays text
};

class Tokenizer {
 public:
  // Errors: kUnsupportedTokenizer (its pre-tokenizer), kBadValue (no token for a byte, a merge of
  // unknown tokens, a size that does not fit), kCancelled within 250 ms of the stop request.
  static Result<std::shared_ptr<const Tokenizer>> Create(Vocabulary vocabulary,
                                                         const std::stop_token& stop = {});

  // Invalid UTF-8 in `text` becomes U+FFFD first. Adds no BOS. `at_start`: nothing stands before
  // `text`, which matters to vocabularies that put a space before a whole text.
  std::vector<std::int32_t> Encode(std::string_view text, SpecialTokens special,
                                   bool at_start = true) const;
  // The same with exactly one BOS before it where the model wants one, also when the text already
  // begins with it.
  std::vector<std::int32_t> EncodePrompt(std::string_view text, SpecialTokens special) const;

  // The raw bytes of `ids` one after the other, special tokens as their text, without the space
  // that a SentencePiece vocabulary puts before every text. Not always valid UTF-8. Error:
  // kInvalidArgument, an id outside the vocabulary.
  Result<std::string> Decode(std::span<const std::int32_t> ids) const;
  // Raw bytes of one token, 0 <= id < size().
  std::string_view Piece(std::int32_t id) const;

  // A token that steers the model and is never shown.
  bool IsControl(std::int32_t id) const { return control_[Index(id)]; }
  // A token that ends an answer.
  bool IsEndOfGeneration(std::int32_t id) const { return ends_generation_[Index(id)]; }
  // The id of the special (added) token with this text.
  std::optional<std::int32_t> SpecialId(std::string_view text) const { return any_.IdOf(text); }
  // The first special token in `text` (valid UTF-8) that begins at or after `from`.
  std::optional<SpecialMatcher::Match> FindSpecial(std::string_view text, std::size_t from) const {
    return any_.Find(text, from);
  }

  std::int32_t size() const { return static_cast<std::int32_t>(piece_ends_.size()); }
  std::optional<std::int32_t> bos() const { return bos_; }
  std::optional<std::int32_t> eos() const { return eos_; }
  bool adds_bos() const { return add_bos_; }
  const std::string& pre_tokenizer() const { return pre_tokenizer_name_; }
  // Jinja source as the file gives it, empty when it has none.
  const std::string& chat_template_source() const { return chat_template_source_; }
  const std::string& origin() const { return origin_; }

 private:
  friend class TokenizerBuilder;
  struct Parts;
  explicit Tokenizer(Parts parts);
  // Added tokens that are looked for in text as it is, and in what the normaliser made of it.
  struct AddedTokens {
    SpecialMatcher written;
    SpecialMatcher normalised;
  };

  std::size_t Index(std::int32_t id) const;
  void EncodeStretch(std::string_view text, const SpecialMatcher& normalised, bool at_start,
                     std::vector<std::int32_t>& ids) const;
  void EncodeText(std::string_view text, std::vector<std::int32_t>& ids) const;
  void EncodePiece(std::string_view piece, std::vector<std::int32_t>& ids) const;
  bool GoesOnUnknown(std::string_view piece, std::int32_t last, std::int32_t next) const;

  std::string origin_;
  std::string pre_tokenizer_name_;
  std::string chat_template_source_;
  std::string piece_bytes_;              // all pieces one after the other
  std::vector<std::size_t> piece_ends_;  // [n_vocab]
  std::vector<bool> control_;            // [n_vocab]
  std::vector<bool> ends_generation_;    // [n_vocab]
  std::optional<std::int32_t> bos_;
  std::optional<std::int32_t> eos_;
  bool add_bos_ = false;
  PreTokenizer pre_tokenizer_;
  std::array<std::int32_t, 256> byte_ids_;  // the token of every byte that UTF-8 text may hold
  std::optional<SentencePieces> sentence_pieces_;  // in place of the two above
  std::optional<Unigram> unigram_;                 // in place of the merges
  bool composes_ = false;
  bool normaliser_marks_spaces_ = false;
  // Raw bytes to id, where a piece that is a token as a whole is that token; else empty.
  std::unordered_map<std::string_view, std::int32_t, SeededHash> whole_;
  MergeTable merges_;
  SpecialMatcher any_;    // every added token, for what a template wrote
  AddedTokens all_;       // every added token
  AddedTokens ordinary_;  // those that are plain words, which user text may become
};

}  // namespace paluku
