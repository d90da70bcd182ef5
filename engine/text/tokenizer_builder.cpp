#include "engine/text/tokenizer_builder.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "engine/base/utf8.h"
#include "engine/text/byte_alphabet.h"
#include "engine/text/unicode.h"

namespace paluku {
namespace {

bool Encloses(std::string_view text, std::string_view open, std::string_view close) {
  return text.size() > open.size() + close.size() && text.starts_with(open) &&
         text.ends_with(close);
}

// Converters of 2024 typed some of DeepSeek's markers as ordinary tokens; their form tells them.
bool IsMarkerByForm(std::string_view text) {
  return Encloses(text, "<｜", "｜>") || Encloses(text, "<|", "|>");
}

// An added token in angle or square brackets (<think>, [PAD100015]) steers or fills; text from a
// user must not become it. Others (ü in DeepSeek-V2) are words that merges cannot make.
bool IsBracketed(std::string_view text) {
  return Encloses(text, "<", ">") || Encloses(text, "[", "]");
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// The byte that <0x41> stands for.
std::optional<unsigned char> ByteOfName(std::string_view name) {
  if (name.size() != 6 || !name.starts_with("<0x") || name[5] != '>') return std::nullopt;
  const int high = HexDigit(name[3]);
  const int low = HexDigit(name[4]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<unsigned char>(high * 16 + low);
}

// Ends of turns by family, and marks of turns that a model opens only when its own has ended (GLM).
constexpr std::string_view kEndMarkers[] = {"<|EOT|>",         "<|im_end|>",     "<|endoftext|>",
                                            "<|eot_id|>",      "<|eom_id|>",     "<|user|>",
                                            "<|observation|>", "<|end_of_text|>"};

}  // namespace

TokenizerBuilder::TokenizerBuilder(Vocabulary vocabulary, std::stop_token stop)
    : vocabulary_(std::move(vocabulary)), stop_(std::move(stop)) {}

// What follows a look at the stop takes a fraction of 250 ms, also for the largest vocabularies;
// what may take longer looks at it for every token.
Status TokenizerBuilder::Proceed() const {
  return stop_.stop_requested() ? Fail(ErrorCode::kCancelled) : Status();
}

Result<std::shared_ptr<const Tokenizer>> TokenizerBuilder::Build() {
  PALUKU_TRY(Check());
  PreTokenizer pre_tokenizer;
  if (!IsSentencePiece()) {
    PALUKU_ASSIGN_OR_RETURN(pre_tokenizer,
                            PreTokenizer::Create(vocabulary_.pre_tokenizer, vocabulary_.origin));
  }
  Classify();
  PALUKU_TRY(CheckSpecialTokens());
  PALUKU_ASSIGN_OR_RETURN(const auto byte_ids, ByteIds());
  if (IsSentencePiece()) {
    characters_ = Characters(byte_ids);
    PALUKU_TRY(Proceed());  // without some characters otherwise
  }
  std::optional<Unigram> unigram;
  if (IsUnigram()) {
    PALUKU_ASSIGN_OR_RETURN(unigram, UnigramModel(byte_ids));
  }
  PALUKU_ASSIGN_OR_RETURN(MergeTable merges, Merges());
  PALUKU_TRY(Proceed());
  std::shared_ptr<Tokenizer> tokenizer(
      new Tokenizer({std::move(pre_tokenizer), byte_ids, characters_, std::move(unigram),
                     std::move(merges), Matcher(false, true, true), Added(false), Added(true)}));
  tokenizer->composes_ = vocabulary_.composes;
  tokenizer->normaliser_marks_spaces_ = vocabulary_.normaliser_marks_spaces;
  FillPieces(*tokenizer);
  if (vocabulary_.ignores_merges) FillWhole(*tokenizer);
  FillEnds(*tokenizer);
  tokenizer->origin_ = vocabulary_.origin;
  tokenizer->pre_tokenizer_name_ = vocabulary_.pre_tokenizer;
  tokenizer->chat_template_source_ = vocabulary_.chat_template;
  tokenizer->bos_ = vocabulary_.bos;
  tokenizer->eos_ = vocabulary_.eos;
  tokenizer->add_bos_ = vocabulary_.add_bos;
  return std::shared_ptr<const Tokenizer>(std::move(tokenizer));
}

// The readers promise this; a Vocabulary made otherwise is checked all the same.
Status TokenizerBuilder::Check() const {
  const std::size_t n_vocab = vocabulary_.tokens.size();
  if (n_vocab == 0 || n_vocab > kVocabularyLimits.tokens || vocabulary_.types.size() != n_vocab)
    return Fail(ErrorCode::kBadValue, vocabulary_.origin, "number of tokens");
  std::size_t text_bytes = 0;
  for (const std::string& token : vocabulary_.tokens) text_bytes += token.size();
  if (text_bytes > kVocabularyLimits.text_bytes)
    return Fail(ErrorCode::kLimitExceeded, vocabulary_.origin, "length of the tokens");
  const auto inside = [&](std::int32_t id) {
    return id >= 0 && static_cast<std::size_t>(id) < n_vocab;
  };
  for (const auto& id : {vocabulary_.bos, vocabulary_.eos, vocabulary_.pad, vocabulary_.unknown})
    if (id && !inside(*id)) return Fail(ErrorCode::kBadValue, vocabulary_.origin, "special token");
  for (const std::int32_t id : vocabulary_.end_of_turn)
    if (!inside(id)) return Fail(ErrorCode::kBadValue, vocabulary_.origin, "special token");
  // Text without words would have to be compared with every token as a whole.
  if (IsSentencePiece() && vocabulary_.ignores_merges)
    return Fail(ErrorCode::kUnsupportedTokenizer, vocabulary_.origin,
                "SentencePiece with ignore_merges");
  if (!vocabulary_.added_flags.empty() && vocabulary_.added_flags.size() != n_vocab)
    return Fail(ErrorCode::kBadValue, vocabulary_.origin, "flags of added tokens");
  if ((IsUnigram() || !vocabulary_.scores.empty()) && vocabulary_.scores.size() != n_vocab)
    return Fail(ErrorCode::kBadValue, vocabulary_.origin, "number of scores");
  if (std::any_of(vocabulary_.scores.begin(), vocabulary_.scores.end(),
                  [](float score) { return !std::isfinite(score); }))
    return Fail(ErrorCode::kBadValue, vocabulary_.origin, "score of a token");
  return {};
}

void TokenizerBuilder::Classify() {
  const std::size_t n_vocab = vocabulary_.tokens.size();
  kinds_.assign(n_vocab, Kind::kLearned);
  for (std::size_t i = 0; i < n_vocab; ++i) {
    const std::string& text = vocabulary_.tokens[i];
    const TokenType type = vocabulary_.types[i];
    if (vocabulary_.unknown == static_cast<std::int32_t>(i)) {
      // Text of a user becomes it anyway.
      const bool added = type == TokenType::kControl || type == TokenType::kUserDefined;
      kinds_[i] = added ? Kind::kWord : Kind::kUnused;
    } else if (type == TokenType::kControl || IsMarkerByForm(text)) {
      kinds_[i] = Kind::kControl;
    } else if (type == TokenType::kUserDefined) {
      kinds_[i] = IsBracketed(text) ? Kind::kControl : Kind::kWord;
    } else if (type == TokenType::kUnused || type == TokenType::kUnknown) {
      kinds_[i] = Kind::kUnused;
    } else if (IsSentencePiece()) {
      if (type == TokenType::kByte) kinds_[i] = Kind::kByte;
      if (text.empty() || !IsValidUtf8(text)) kinds_[i] = Kind::kUnused;
    }
  }
  // These steer the model whatever the file calls them.
  for (const auto& id : {vocabulary_.bos, vocabulary_.eos})
    if (id) kinds_[static_cast<std::size_t>(*id)] = Kind::kControl;
  for (const std::int32_t id : vocabulary_.end_of_turn)
    kinds_[static_cast<std::size_t>(id)] = Kind::kControl;
  learned_.reserve(n_vocab);
  for (std::size_t i = 0; i < n_vocab; ++i)
    if (kinds_[i] == Kind::kLearned)
      learned_.emplace(vocabulary_.tokens[i], static_cast<std::int32_t>(i));
}

// At every place of a text the matcher, or the search for the best path, may read as far as the
// longest of them.
Status TokenizerBuilder::CheckSpecialTokens() const {
  if (vocabulary_.unknown &&
      kinds_[static_cast<std::size_t>(*vocabulary_.unknown)] == Kind::kControl)
    return Fail(ErrorCode::kBadValue, vocabulary_.origin, "unknown token");
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    const bool matched = kinds_[i] == Kind::kControl || kinds_[i] == Kind::kWord ||
                         (kinds_[i] == Kind::kLearned && IsUnigram());
    if (matched && vocabulary_.tokens[i].size() > kVocabularyLimits.special_token_bytes)
      return Fail(ErrorCode::kLimitExceeded, vocabulary_.origin, "length of a token");
  }
  return {};
}

Result<std::array<std::int32_t, 256>> TokenizerBuilder::ByteIds() const {
  std::array<std::int32_t, 256> ids;
  ids.fill(-1);
  if (IsUnigram() && vocabulary_.unknown) return ids;  // it stands in for them
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    const std::string& stored = vocabulary_.tokens[i];
    std::optional<unsigned char> byte;
    if (kinds_[i] == Kind::kByte) {
      byte = ByteOfName(stored);
    } else if (kinds_[i] == Kind::kLearned && !IsSentencePiece() && stored.size() <= 2) {
      // A character of the byte-level alphabet has one or two bytes.
      if (const auto bytes = BytesOfStoredToken(stored); bytes && bytes->size() == 1)
        byte = static_cast<unsigned char>((*bytes)[0]);
    }
    if (byte && ids[*byte] < 0) ids[*byte] = static_cast<std::int32_t>(i);
  }
  for (int byte = 0; byte < 256; ++byte) {
    const bool never_in_utf8 = byte == 0xC0 || byte == 0xC1 || byte >= 0xF5;
    if (ids[static_cast<std::size_t>(byte)] < 0 && !never_in_utf8)
      return Fail(ErrorCode::kBadValue, vocabulary_.origin,
                  "no token for byte " + std::to_string(byte));
  }
  return ids;
}

SentencePieces TokenizerBuilder::Characters(const std::array<std::int32_t, 256>& byte_ids) const {
  std::vector<SentencePieces::Token> tokens;
  tokens.reserve(learned_.size());
  for (const auto& [text, id] : learned_) tokens.push_back({text, id});
  return SentencePieces(tokens, byte_ids, vocabulary_.space_prefix,
                        vocabulary_.words_begin_at_spaces, stop_);
}

Result<Unigram> TokenizerBuilder::UnigramModel(
    const std::array<std::int32_t, 256>& byte_ids) const {
  std::vector<Unigram::Token> tokens;
  tokens.reserve(learned_.size());
  for (const auto& [text, id] : learned_)
    tokens.push_back({text, id, vocabulary_.scores[static_cast<std::size_t>(id)]});
  const float worst = *std::min_element(vocabulary_.scores.begin(), vocabulary_.scores.end());
  auto model = Unigram::Create(tokens, byte_ids, vocabulary_.unknown, worst, stop_);
  PALUKU_TRY(Proceed());
  if (!model) return Fail(ErrorCode::kLimitExceeded, vocabulary_.origin, "length of the tokens");
  return std::move(*model);
}

Result<MergeTable> TokenizerBuilder::Merges() const {
  std::vector<MergeTable::Rule> rules;
  if (IsUnigram()) return MergeTable(rules);
  if (vocabulary_.merges.empty()) {
    PALUKU_ASSIGN_OR_RETURN(rules, RulesOfTokens());
  } else {
    PALUKU_ASSIGN_OR_RETURN(rules, ListedRules());
  }
  return MergeTable(rules);
}

// A merge whose parts or result are special tokens is left out: it would let plain text become one.
Result<std::vector<MergeTable::Rule>> TokenizerBuilder::ListedRules() const {
  std::unordered_set<std::string_view, SeededHash> special;
  for (std::size_t i = 0; i < kinds_.size(); ++i)
    if (kinds_[i] != Kind::kLearned) special.insert(vocabulary_.tokens[i]);
  std::vector<MergeTable::Rule> rules;
  rules.reserve(vocabulary_.merges.size());
  for (std::size_t rank = 0; rank < vocabulary_.merges.size(); ++rank) {
    PALUKU_TRY(Proceed());
    const Merge& merge = vocabulary_.merges[rank];
    const std::string joined = merge.left + merge.right;
    const auto left = learned_.find(merge.left);
    const auto right = learned_.find(merge.right);
    const auto result = learned_.find(joined);
    if (left != learned_.end() && right != learned_.end() && result != learned_.end()) {
      rules.push_back(
          {left->second, right->second, result->second, static_cast<std::uint32_t>(rank)});
    } else if (!special.contains(merge.left) && !special.contains(merge.right) &&
               !special.contains(joined)) {
      return Fail(ErrorCode::kBadValue, vocabulary_.origin,
                  "merge " + std::to_string(rank) + " joins tokens that are not there");
    }
  }
  return rules;
}

// What SentencePiece and tiktoken do without a list: two neighbours may be joined when together
// they are a token, the best token first. A merge for every way to cut a token in two tokens.
Result<std::vector<MergeTable::Rule>> TokenizerBuilder::RulesOfTokens() const {
  const std::vector<std::uint32_t> ranks = Ranks();
  std::vector<MergeTable::Rule> rules;
  std::size_t work = 0;
  for (const auto& [text, id] : learned_) {
    PALUKU_TRY(Proceed());
    work += text.size() * (64 + text.size());  // looking a part up costs as much as 64 bytes
    if (work > kVocabularyLimits.split_work || rules.size() > 2 * kVocabularyLimits.merges)
      return Fail(ErrorCode::kLimitExceeded, vocabulary_.origin, "length of the tokens");
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
      const bool inside_a_character = (text[cut] & 0xC0) == 0x80;
      if (inside_a_character) continue;
      const auto left = learned_.find(text.substr(0, cut));
      if (left == learned_.end()) continue;
      const auto right = learned_.find(text.substr(cut));
      if (right == learned_.end()) continue;
      rules.push_back({left->second, right->second, id, ranks[static_cast<std::size_t>(id)]});
    }
  }
  return rules;
}

Result<std::vector<Merge>> TokenizerBuilder::ListMerges() {
  PALUKU_TRY(Check());
  Classify();
  PALUKU_ASSIGN_OR_RETURN(std::vector<MergeTable::Rule> rules, RulesOfTokens());
  std::sort(rules.begin(), rules.end(), [](const auto& a, const auto& b) {
    return std::tie(a.rank, a.left, a.right) < std::tie(b.rank, b.left, b.right);
  });
  if (rules.size() > kVocabularyLimits.merges)
    return Fail(ErrorCode::kLimitExceeded, vocabulary_.origin, "merges");
  const auto text = [&](std::int32_t id) {
    return vocabulary_.tokens[static_cast<std::size_t>(id)];
  };
  std::vector<Merge> merges;
  merges.reserve(rules.size());
  for (const MergeTable::Rule& rule : rules) merges.push_back({text(rule.left), text(rule.right)});
  return merges;
}

Result<std::vector<Merge>> MergesOfIds(Vocabulary vocabulary, const std::stop_token& stop) {
  return TokenizerBuilder(std::move(vocabulary), stop).ListMerges();
}

// Place of every token by score, best first, equal scores at the same place; without scores its id.
std::vector<std::uint32_t> TokenizerBuilder::Ranks() const {
  std::vector<std::uint32_t> order(kinds_.size());
  std::iota(order.begin(), order.end(), 0u);
  if (vocabulary_.scores.empty()) return order;
  const auto& scores = vocabulary_.scores;
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
  });
  std::vector<std::uint32_t> ranks(order.size());
  for (std::size_t place = 1; place < order.size(); ++place)
    ranks[order[place]] = scores[order[place]] == scores[order[place - 1]]
                              ? ranks[order[place - 1]]
                              : static_cast<std::uint32_t>(place);
  return ranks;
}

std::uint8_t TokenizerBuilder::FlagsOf(std::size_t id) const {
  return vocabulary_.added_flags.empty() ? std::uint8_t{0} : vocabulary_.added_flags[id];
}

// Added tokens, those that are looked for before or after the normaliser or both.
SpecialMatcher TokenizerBuilder::Matcher(bool ordinary_only, bool written, bool normalised) const {
  std::vector<SpecialMatcher::Token> tokens;
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    const bool after = (FlagsOf(i) & kAfterNormalising) != 0;
    const bool wanted = kinds_[i] == Kind::kWord || (kinds_[i] == Kind::kControl && !ordinary_only);
    if (!wanted || !(after ? normalised : written)) continue;
    tokens.push_back({written ? vocabulary_.tokens[i] : NormalisedText(i),
                      static_cast<std::int32_t>(i), FlagsOf(i)});
  }
  return SpecialMatcher(std::move(tokens));
}

Tokenizer::AddedTokens TokenizerBuilder::Added(bool ordinary_only) const {
  return {Matcher(ordinary_only, true, false), Matcher(ordinary_only, false, true)};
}

// What the normaliser makes of a token's text.
std::string TokenizerBuilder::NormalisedText(std::size_t id) const {
  const std::string& stored = vocabulary_.tokens[id];
  if (!IsValidUtf8(stored)) return stored;  // is never found
  const std::string text = vocabulary_.composes ? ComposeUtf8(stored) : stored;
  const bool marked = characters_ && vocabulary_.normaliser_marks_spaces;
  return marked ? characters_->Normalise(text, true) : text;
}

// The bytes that a token stands for.
std::string TokenizerBuilder::Bytes(std::size_t id) const {
  const std::string& stored = vocabulary_.tokens[id];
  if (kinds_[id] == Kind::kByte) {
    const auto byte = ByteOfName(stored);
    return byte ? std::string(1, static_cast<char>(*byte)) : stored;
  }
  if (kinds_[id] != Kind::kLearned) return stored;
  if (IsSentencePiece()) return BytesOfSentencePiece(stored);
  return BytesOfStoredToken(stored).value_or(stored);
}

void TokenizerBuilder::FillPieces(Tokenizer& tokenizer) const {
  tokenizer.piece_ends_.reserve(kinds_.size());
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    tokenizer.piece_bytes_ += Bytes(i);
    tokenizer.piece_ends_.push_back(tokenizer.piece_bytes_.size());
  }
}

void TokenizerBuilder::FillWhole(Tokenizer& tokenizer) const {
  tokenizer.whole_.reserve(learned_.size());
  for (std::int32_t id = 0; id < tokenizer.size(); ++id)
    if (kinds_[static_cast<std::size_t>(id)] == Kind::kLearned)
      tokenizer.whole_.emplace(tokenizer.Piece(id), id);
}

void TokenizerBuilder::FillEnds(Tokenizer& tokenizer) const {
  tokenizer.control_.resize(kinds_.size());
  tokenizer.ends_generation_.resize(kinds_.size());
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    tokenizer.control_[i] = kinds_[i] == Kind::kControl;
    for (const std::string_view marker : kEndMarkers)
      if (kinds_[i] == Kind::kControl && vocabulary_.tokens[i] == marker)
        tokenizer.ends_generation_[i] = true;
  }
  if (vocabulary_.eos)
    tokenizer.ends_generation_[static_cast<std::size_t>(*vocabulary_.eos)] = true;
  for (const std::int32_t id : vocabulary_.end_of_turn)
    tokenizer.ends_generation_[static_cast<std::size_t>(id)] = true;
}

}  // namespace paluku
