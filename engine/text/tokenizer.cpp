#include "engine/text/tokenizer.h"

#include <algorithm>
#include <bit>

#include "engine/base/check.h"
#include "engine/base/utf8.h"
#include "engine/text/tokenizer_builder.h"
#include "engine/text/unicode.h"

namespace paluku {
namespace {

// Remembers where the ids of a piece stand in the output, so that a word that comes again is
// copied. Lives for one call, points into the text of that call.
class WordCache {
 public:
  explicit WordCache(std::size_t text_bytes)
      : entries_(std::clamp<std::size_t>(std::bit_ceil(text_bytes / 16 + 1), 16, 1u << 14)) {}

  struct Entry {
    std::string_view piece;
    std::size_t begin = 0;  // in the ids
    std::size_t count = 0;
  };

  // The place of `piece`; it holds another piece when that one was seen later, or none.
  Entry& At(std::string_view piece) {
    return entries_[SeededHash()(piece) & (entries_.size() - 1)];
  }

 private:
  std::vector<Entry> entries_;
};

// Appends the tokens that `matcher` finds, and lets `encode` append what stands between them.
template <class Encode>
void ForEachStretch(const SpecialMatcher& matcher, std::string_view text,
                    std::vector<std::int32_t>& ids, const Encode& encode) {
  std::size_t done = 0;
  while (const auto match = matcher.Find(text, done)) {
    if (match->begin > done) encode(done, match->begin);
    ids.push_back(match->id);
    done = match->end;
  }
  if (done < text.size()) encode(done, text.size());
}

}  // namespace

Tokenizer::Tokenizer(Parts parts)
    : pre_tokenizer_(std::move(parts.pre_tokenizer)),
      byte_ids_(parts.byte_ids),
      sentence_pieces_(std::move(parts.sentence_pieces)),
      unigram_(std::move(parts.unigram)),
      merges_(std::move(parts.merges)),
      any_(std::move(parts.any)),
      all_(std::move(parts.all)),
      ordinary_(std::move(parts.ordinary)) {}

Result<std::shared_ptr<const Tokenizer>> Tokenizer::Create(Vocabulary vocabulary,
                                                           const std::stop_token& stop) {
  return TokenizerBuilder(std::move(vocabulary), stop).Build();
}

std::vector<std::int32_t> Tokenizer::Encode(std::string_view text, SpecialTokens special,
                                            bool at_start) const {
  std::string repaired;
  if (!IsValidUtf8(text)) {
    repaired = RepairUtf8(text);
    text = repaired;
  }
  const AddedTokens& added = special == SpecialTokens::kParse ? all_ : ordinary_;
  std::vector<std::int32_t> ids;
  ids.reserve(text.size() / 3 + 8);
  ForEachStretch(added.written, text, ids, [&](std::size_t begin, std::size_t end) {
    EncodeStretch(text.substr(begin, end - begin), added.normalised, at_start && begin == 0, ids);
  });
  return ids;
}

// What stands between two tokens that were found in the text as it is.
void Tokenizer::EncodeStretch(std::string_view text, const SpecialMatcher& normalised,
                              bool at_start, std::vector<std::int32_t>& ids) const {
  std::string normal;
  const auto replace = [&](std::string changed) {
    normal = std::move(changed);
    text = normal;
  };
  if (composes_) replace(ComposeUtf8(text));
  if (sentence_pieces_ && normaliser_marks_spaces_) {
    replace(sentence_pieces_->Normalise(text, at_start));
  }
  ForEachStretch(normalised, text, ids, [&](std::size_t begin, std::size_t end) {
    const std::string_view piece = text.substr(begin, end - begin);
    if (sentence_pieces_ && !normaliser_marks_spaces_) {
      EncodeText(sentence_pieces_->Normalise(piece, at_start && begin == 0), ids);
    } else {
      EncodeText(piece, ids);
    }
  });
}

std::vector<std::int32_t> Tokenizer::EncodePrompt(std::string_view text,
                                                  SpecialTokens special) const {
  std::vector<std::int32_t> ids = Encode(text, special);
  if (add_bos_ && bos_ && (ids.empty() || ids.front() != *bos_)) ids.insert(ids.begin(), *bos_);
  return ids;
}

void Tokenizer::EncodeText(std::string_view text, std::vector<std::int32_t>& ids) const {
  std::vector<std::size_t> ends;
  if (sentence_pieces_) {
    sentence_pieces_->Split(text, ends);
  } else {
    pre_tokenizer_.Split(text, ends);
  }
  WordCache cache(text.size());
  std::size_t begin = 0;
  const std::size_t first = ids.size();
  for (const std::size_t end : ends) {
    const std::string_view piece = text.substr(begin, end - begin);
    begin = end;
    WordCache::Entry& seen = cache.At(piece);
    const std::size_t out = ids.size();
    if (seen.piece == piece) {
      ids.resize(out + seen.count);
      std::copy_n(ids.begin() + static_cast<std::ptrdiff_t>(seen.begin), seen.count,
                  ids.begin() + static_cast<std::ptrdiff_t>(out));
    } else {
      EncodePiece(piece, ids);
      seen = {piece, out, ids.size() - out};
    }
    if (out > first && out < ids.size() && GoesOnUnknown(piece, ids[out - 1], ids[out])) {
      ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(out));
      if (seen.begin == out) seen = {};
    }
  }
}

// Unknown characters side by side are one token, also where the text was cut between them for
// speed; but not over the beginning of a word.
bool Tokenizer::GoesOnUnknown(std::string_view piece, std::int32_t last, std::int32_t next) const {
  if (!unigram_ || !unigram_->unknown() || last != next || next != *unigram_->unknown())
    return false;
  return !sentence_pieces_->BeginsWord(piece);
}

void Tokenizer::EncodePiece(std::string_view piece, std::vector<std::int32_t>& ids) const {
  if (const auto whole = whole_.find(piece); whole != whole_.end()) {
    ids.push_back(whole->second);
    return;
  }
  if (unigram_) return unigram_->Append(piece, ids);
  std::vector<std::int32_t> symbols;
  symbols.reserve(piece.size());
  if (sentence_pieces_) {
    sentence_pieces_->AppendSymbols(piece, symbols);
  } else {
    for (const char byte : piece) symbols.push_back(byte_ids_[static_cast<unsigned char>(byte)]);
  }
  merges_.Merge(symbols, ids);
}

Result<std::string> Tokenizer::Decode(std::span<const std::int32_t> ids) const {
  std::string bytes;
  for (const std::int32_t id : ids) {
    if (id < 0 || id >= size())
      return Fail(ErrorCode::kInvalidArgument, std::to_string(id),
                  "not a token of this vocabulary of " + std::to_string(size()));
    bytes += Piece(id);
  }
  if (sentence_pieces_ && sentence_pieces_->prefixes() && bytes.starts_with(' ')) bytes.erase(0, 1);
  return bytes;
}

std::string_view Tokenizer::Piece(std::int32_t id) const {
  const std::size_t index = Index(id);
  const std::size_t begin = index == 0 ? 0 : piece_ends_[index - 1];
  return std::string_view(piece_bytes_).substr(begin, piece_ends_[index] - begin);
}

std::size_t Tokenizer::Index(std::int32_t id) const {
  PALUKU_CHECK(id >= 0 && id < size());
  return static_cast<std::size_t>(id);
}

}  // namespace paluku
