#include "engine/text/tokenizer_builder.h"

#include "engine/text/byte_alphabet.h"

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

constexpr std::string_view kEndMarkers[] = {"<|EOT|>", "<|im_end|>", "<|endoftext|>"};

}  // namespace

TokenizerBuilder::TokenizerBuilder(Vocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {}

Result<std::shared_ptr<const Tokenizer>> TokenizerBuilder::Build() {
  PALUKU_TRY(Check());
  PALUKU_ASSIGN_OR_RETURN(PreTokenizer pre_tokenizer,
                          PreTokenizer::Create(vocabulary_.pre_tokenizer, vocabulary_.origin));
  Classify();
  PALUKU_ASSIGN_OR_RETURN(MergeTable merges, Merges());
  std::shared_ptr<Tokenizer> tokenizer(
      new Tokenizer({std::move(pre_tokenizer), std::move(merges), Matcher(false), Matcher(true)}));
  FillPieces(*tokenizer);
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
  const auto inside = [&](std::int32_t id) {
    return id >= 0 && static_cast<std::size_t>(id) < n_vocab;
  };
  for (const auto& id : {vocabulary_.bos, vocabulary_.eos, vocabulary_.pad})
    if (id && !inside(*id)) return Fail(ErrorCode::kBadValue, vocabulary_.origin, "special token");
  for (const std::int32_t id : vocabulary_.end_of_turn)
    if (!inside(id)) return Fail(ErrorCode::kBadValue, vocabulary_.origin, "special token");
  return {};
}

void TokenizerBuilder::Classify() {
  const std::size_t n_vocab = vocabulary_.tokens.size();
  kinds_.assign(n_vocab, Kind::kLearned);
  for (std::size_t i = 0; i < n_vocab; ++i) {
    const std::string& text = vocabulary_.tokens[i];
    const TokenType type = vocabulary_.types[i];
    if (type == TokenType::kControl || IsMarkerByForm(text)) {
      kinds_[i] = Kind::kControl;
    } else if (type == TokenType::kUserDefined) {
      kinds_[i] = IsBracketed(text) ? Kind::kControl : Kind::kWord;
    } else if (type == TokenType::kUnused || type == TokenType::kUnknown) {
      kinds_[i] = Kind::kUnused;
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

Result<std::array<std::int32_t, 256>> TokenizerBuilder::ByteIds() const {
  std::array<std::int32_t, 256> ids;
  ids.fill(-1);
  for (const auto& [stored, id] : learned_) {
    if (stored.size() > 2) continue;  // a character of the alphabet has one or two bytes
    const auto bytes = BytesOfStoredToken(stored);
    if (bytes && bytes->size() == 1) ids[static_cast<unsigned char>((*bytes)[0])] = id;
  }
  for (int byte = 0; byte < 256; ++byte) {
    const bool never_in_utf8 = byte == 0xC0 || byte == 0xC1 || byte >= 0xF5;
    if (ids[static_cast<std::size_t>(byte)] < 0 && !never_in_utf8)
      return Fail(ErrorCode::kBadValue, vocabulary_.origin,
                  "no token for byte " + std::to_string(byte));
  }
  return ids;
}

// A merge whose parts or result are special tokens is left out: it would let plain text become one.
Result<MergeTable> TokenizerBuilder::Merges() const {
  PALUKU_ASSIGN_OR_RETURN(const auto byte_ids, ByteIds());
  std::unordered_map<std::string_view, bool> special;
  for (std::size_t i = 0; i < kinds_.size(); ++i)
    if (kinds_[i] != Kind::kLearned) special.emplace(vocabulary_.tokens[i], true);
  std::vector<MergeTable::Rule> rules;
  rules.reserve(vocabulary_.merges.size());
  for (std::size_t rank = 0; rank < vocabulary_.merges.size(); ++rank) {
    const Merge& merge = vocabulary_.merges[rank];
    const std::string joined = merge.left + merge.right;
    const auto left = learned_.find(merge.left);
    const auto right = learned_.find(merge.right);
    const auto result = learned_.find(joined);
    if (left != learned_.end() && right != learned_.end() && result != learned_.end()) {
      rules.push_back({left->second, right->second, result->second});
    } else if (!special.contains(merge.left) && !special.contains(merge.right) &&
               !special.contains(joined)) {
      return Fail(ErrorCode::kBadValue, vocabulary_.origin,
                  "merge " + std::to_string(rank) + " joins tokens that are not there");
    }
  }
  auto table = MergeTable::Create(rules, byte_ids);
  if (!table) return Fail(ErrorCode::kBadValue, vocabulary_.origin, "merges");
  return std::move(*table);
}

SpecialMatcher TokenizerBuilder::Matcher(bool ordinary_only) const {
  std::vector<SpecialMatcher::Token> tokens;
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    const bool wanted = kinds_[i] == Kind::kWord || (kinds_[i] == Kind::kControl && !ordinary_only);
    if (wanted) tokens.push_back({vocabulary_.tokens[i], static_cast<std::int32_t>(i)});
  }
  return SpecialMatcher(std::move(tokens));
}

void TokenizerBuilder::FillPieces(Tokenizer& tokenizer) const {
  tokenizer.piece_ends_.reserve(kinds_.size());
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    const std::string& stored = vocabulary_.tokens[i];
    const auto bytes =
        kinds_[i] == Kind::kLearned ? BytesOfStoredToken(stored) : std::optional<std::string>();
    tokenizer.piece_bytes_ += bytes ? *bytes : stored;
    tokenizer.piece_ends_.push_back(tokenizer.piece_bytes_.size());
  }
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
