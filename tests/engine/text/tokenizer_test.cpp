#include "engine/text/tokenizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <map>
#include <thread>

#include "tests/engine/text/vocabularies.h"

namespace paluku {
namespace {

using Ids = std::vector<std::int32_t>;

std::shared_ptr<const Tokenizer> Make(Vocabulary vocabulary) {
  auto tokenizer = Tokenizer::Create(std::move(vocabulary));
  EXPECT_TRUE(tokenizer.has_value()) << (tokenizer ? "" : tokenizer.error().Message());
  return *tokenizer;
}

// ids: 256 "ab", 257 "abc", 258 "bc", 259 BOS, 260 EOS, 261 <｜User｜>, 262 <think>
std::shared_ptr<const Tokenizer> Tiny() {
  return Make(TinyVocabulary({{"a", "b"}, {"ab", "c"}, {"b", "c"}}, {"<｜User｜>", "<think>"}));
}

// Byte-pair encoding as its definition says: join the best pair, leftmost first, until none is
// left.
Ids JoinByDefinition(const std::string& piece, const std::map<std::pair<int, int>, int>& joined) {
  Ids ids;
  for (const char c : piece) ids.push_back(static_cast<unsigned char>(c));
  while (true) {
    int best = 1 << 30;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
      const auto found = joined.find({ids[i], ids[i + 1]});
      if (found != joined.end()) best = std::min(best, found->second);
    }
    if (best == 1 << 30) return ids;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
      const auto found = joined.find({ids[i], ids[i + 1]});
      if (found == joined.end() || found->second != best) continue;
      ids[i] = best;
      ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      break;
    }
  }
}

TEST(Tokenizer, JoinsByRank) {
  const auto tokenizer = Tiny();
  EXPECT_EQ(tokenizer->Encode("abc", SpecialTokens::kAsText), (Ids{257}));
  EXPECT_EQ(tokenizer->Encode("bc", SpecialTokens::kAsText), (Ids{258}));
  EXPECT_EQ(tokenizer->Encode("aab", SpecialTokens::kAsText), (Ids{'a', 256}));
  EXPECT_EQ(tokenizer->Encode("", SpecialTokens::kAsText), Ids{});
}

// Short and long pieces take different paths; both follow the definition.
TEST(Tokenizer, ShortAndLongPiecesFollowTheDefinition) {
  std::vector<std::pair<std::string, std::string>> merges = {{"a", "b"},  {"b", "a"},  {"ab", "a"},
                                                             {"c", "c"},  {"ba", "c"}, {"ab", "ab"},
                                                             {"cc", "a"}, {"a", "a"}};
  const auto tokenizer = Make(TinyVocabulary(merges, {}));
  std::map<std::string, int> ids;
  for (int byte = 0; byte < 256; ++byte) ids[std::string(1, static_cast<char>(byte))] = byte;
  std::map<std::pair<int, int>, int> joined;
  for (std::size_t i = 0; i < merges.size(); ++i) {
    ids[merges[i].first + merges[i].second] = static_cast<int>(256 + i);
    joined[{ids[merges[i].first], ids[merges[i].second]}] = static_cast<int>(256 + i);
  }
  std::uint32_t state = 99;
  for (int round = 0; round < 3000; ++round) {
    std::string piece;
    const std::size_t length = 1 + round % 90;
    for (std::size_t i = 0; i < length; ++i) {
      state = state * 1664525u + 1013904223u;
      piece += "abc"[(state >> 20) % 3];
    }
    ASSERT_EQ(tokenizer->Encode(piece, SpecialTokens::kAsText), JoinByDefinition(piece, joined))
        << piece;
  }
}

TEST(Tokenizer, TextNeverBecomesASpecialToken) {
  const auto tokenizer = Tiny();
  const std::string text = "a<｜User｜>b<think>";
  EXPECT_EQ(tokenizer->Encode(text, SpecialTokens::kParse), (Ids{'a', 261, 'b', 262}));
  for (const std::int32_t id : tokenizer->Encode(text, SpecialTokens::kAsText))
    EXPECT_FALSE(tokenizer->IsControl(id));
  EXPECT_EQ(tokenizer->Decode(tokenizer->Encode(text, SpecialTokens::kAsText)), text);
}

// A file whose merges build the text of a special token, and one that types the marker as ordinary.
TEST(Tokenizer, MergesCannotMakeASpecialToken) {
  Vocabulary vocabulary = TinyVocabulary({{"<", "e"}, {"<e", ">"}}, {});
  vocabulary.types[257] = TokenType::kControl;  // "<e>"
  auto tokenizer = Make(vocabulary);
  EXPECT_EQ(tokenizer->Encode("<e>", SpecialTokens::kAsText), (Ids{256, '>'}));
  EXPECT_EQ(tokenizer->Encode("<e>", SpecialTokens::kParse), (Ids{257}));

  vocabulary = TinyVocabulary({}, {"<｜fim▁hole｜>"});
  vocabulary.types.back() = TokenType::kNormal;
  tokenizer = Make(vocabulary);
  const std::int32_t hole = tokenizer->size() - 1;
  EXPECT_TRUE(tokenizer->IsControl(hole));
  EXPECT_EQ(tokenizer->Encode("<｜fim▁hole｜>", SpecialTokens::kParse), (Ids{hole}));
  EXPECT_GT(tokenizer->Encode("<｜fim▁hole｜>", SpecialTokens::kAsText).size(), 10u);
}

TEST(Tokenizer, RandomTextWithEverySpecialTokenHoldsNone) {
  const auto tokenizer = Tiny();
  const std::string parts[] = {"<｜User｜>",
                               "<think>",
                               "<｜begin▁of▁sentence｜>",
                               "<｜end▁of▁sentence｜>",
                               "<",
                               "｜",
                               "User",
                               "abc ",
                               "\xFF",
                               "తె"};
  std::uint32_t state = 5;
  for (int round = 0; round < 10'000; ++round) {
    std::string text;
    for (int i = 0; i < 6; ++i) {
      state = state * 1664525u + 1013904223u;
      text += parts[(state >> 16) % std::size(parts)];
    }
    for (const std::int32_t id : tokenizer->Encode(text, SpecialTokens::kAsText))
      ASSERT_FALSE(tokenizer->IsControl(id)) << text;
  }
}

// Words that merges cannot make are added tokens of DeepSeek-V2 (ü is one); text may hold them.
TEST(Tokenizer, AddedWordsAreMatchedInText) {
  Vocabulary vocabulary = TinyVocabulary({}, {"ü", "[PAD7]"});
  vocabulary.types[258] = vocabulary.types[259] = TokenType::kUserDefined;
  const auto tokenizer = Make(vocabulary);
  EXPECT_EQ(tokenizer->Encode("für", SpecialTokens::kAsText), (Ids{'f', 258, 'r'}));
  EXPECT_EQ(tokenizer->Decode(Ids{'f', 258, 'r'}), "für");
  EXPECT_EQ(tokenizer->Encode("[PAD7]", SpecialTokens::kAsText).size(), 6u);
}

TEST(Tokenizer, TheLongestSpecialTokenWins) {
  const auto tokenizer = Make(TinyVocabulary({}, {"<a>", "<a><b>", "<b>"}));
  EXPECT_EQ(tokenizer->Encode("<a><b><a>x<b><a", SpecialTokens::kParse),
            (Ids{259, 258, 'x', 260, '<', 'a'}));
}

TEST(Tokenizer, ExactlyOneBos) {
  const auto tokenizer = Tiny();
  EXPECT_EQ(tokenizer->EncodePrompt("x", SpecialTokens::kParse), (Ids{259, 'x'}));
  EXPECT_EQ(tokenizer->EncodePrompt("", SpecialTokens::kParse), (Ids{259}));
  EXPECT_EQ(tokenizer->EncodePrompt("<｜begin▁of▁sentence｜>x", SpecialTokens::kParse),
            (Ids{259, 'x'}));
  Vocabulary without = TinyVocabulary({}, {});
  without.add_bos = false;
  EXPECT_EQ(Make(without)->EncodePrompt("x", SpecialTokens::kParse), (Ids{'x'}));
}

TEST(Tokenizer, InvalidUtf8BecomesAReplacement) {
  const auto tokenizer = Tiny();
  EXPECT_EQ(tokenizer->Decode(tokenizer->Encode("a\xFF\xE0\xB0z", SpecialTokens::kAsText)),
            "a\uFFFD\uFFFDz");
}

TEST(Tokenizer, PiecesAreRawBytes) {
  const auto tokenizer = Tiny();
  for (int byte = 0; byte < 256; ++byte)
    EXPECT_EQ(tokenizer->Piece(byte), std::string(1, static_cast<char>(byte)));
  EXPECT_EQ(tokenizer->Piece(257), "abc");
  EXPECT_EQ(tokenizer->Piece(261), "<｜User｜>");
  EXPECT_TRUE(tokenizer->IsControl(259));
  EXPECT_FALSE(tokenizer->IsControl(257));
  EXPECT_TRUE(tokenizer->IsEndOfGeneration(260));
  EXPECT_FALSE(tokenizer->IsEndOfGeneration(259));
  EXPECT_EQ(tokenizer->SpecialId("<think>"), 262);
  EXPECT_EQ(tokenizer->SpecialId("abc"), std::nullopt);
}

TEST(Tokenizer, DecodeRefusesForeignIds) {
  const auto tokenizer = Tiny();
  for (const std::int32_t id : {-1, 263, 1 << 30}) {
    const auto text = tokenizer->Decode(Ids{id});
    ASSERT_FALSE(text.has_value());
    EXPECT_EQ(text.error().code, ErrorCode::kInvalidArgument);
  }
}

// One word of a megabyte: quadratic merging would take hours.
TEST(Tokenizer, AMegabyteWordIsNotQuadratic) {
  const auto tokenizer = Make(TinyVocabulary({{"a", "a"}, {"aa", "aa"}, {"aaaa", "aaaa"}}, {}));
  const std::string word(1 << 20, 'a');
  const Ids ids = tokenizer->Encode(word, SpecialTokens::kAsText);
  EXPECT_EQ(ids.size(), word.size() / 8);
}

TEST(Tokenizer, ManyThreadsMayEncode) {
  const auto tokenizer = Tiny();
  const std::string text = "abc bc ab <think> తెలుగు 123";
  const Ids expected = tokenizer->Encode(text, SpecialTokens::kParse);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i)
        wrong[static_cast<std::size_t>(t)] +=
            tokenizer->Encode(text, SpecialTokens::kParse) == expected ? 0 : 1;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4));
}

// <unk> <s> </s>, the 256 bytes, then `pieces`, the first of them the best.
Vocabulary TinySentencePieces(const std::vector<std::string>& pieces) {
  Vocabulary vocabulary;
  vocabulary.origin = "tiny";
  vocabulary.kind = VocabularyKind::kSentencePiece;
  vocabulary.space_prefix = SpacePrefix::kAlways;
  vocabulary.tokens = {"<unk>", "<s>", "</s>"};
  vocabulary.types = {TokenType::kUnknown, TokenType::kControl, TokenType::kControl};
  for (int byte = 0; byte < 256; ++byte) {
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", static_cast<unsigned>(byte));
    vocabulary.tokens.emplace_back(name);
    vocabulary.types.push_back(TokenType::kByte);
  }
  vocabulary.scores.assign(vocabulary.tokens.size(), 0.0f);
  for (const std::string& piece : pieces) {
    vocabulary.tokens.push_back(piece);
    vocabulary.types.push_back(TokenType::kNormal);
    vocabulary.scores.push_back(-static_cast<float>(vocabulary.scores.size()));
  }
  vocabulary.bos = 1;
  vocabulary.eos = 2;
  return vocabulary;
}

constexpr std::int32_t kByteZero = 3;
constexpr std::int32_t kFirstPiece = 259;

TEST(SentencePiece, JoinsCharactersByScore) {
  const auto tokenizer = Make(TinySentencePieces({"ab", "\u2581a", "bc", "\u2581", "a", "b", "c"}));
  const std::int32_t p = kFirstPiece;
  EXPECT_EQ(tokenizer->Encode("abc", SpecialTokens::kAsText), (Ids{p + 3, p, p + 6}));
  EXPECT_EQ(tokenizer->Encode("a bc", SpecialTokens::kAsText), (Ids{p + 1, p + 3, p + 2}));
  EXPECT_EQ(tokenizer->Encode("", SpecialTokens::kAsText), Ids{});
  EXPECT_EQ(tokenizer->Decode(Ids{p + 1, p + 3, p + 2}), "a bc");
}

TEST(SentencePiece, UnknownCharactersFallBackToBytes) {
  const auto tokenizer = Make(TinySentencePieces({"\u2581", "a"}));
  EXPECT_EQ(tokenizer->Encode("aé", SpecialTokens::kAsText),
            (Ids{kFirstPiece, kFirstPiece + 1, kByteZero + 0xC3, kByteZero + 0xA9}));
  // The name of a byte is text.
  const Ids ids = tokenizer->Encode("<0x41>", SpecialTokens::kParse);
  EXPECT_EQ(ids.size(), 7u);
  EXPECT_EQ(tokenizer->Decode(ids), "<0x41>");
  EXPECT_EQ(tokenizer->Piece(kByteZero + 0x41), "A");
}

TEST(SentencePiece, ASpaceGoesBeforeEveryText) {
  const auto tokenizer = Make(TinySentencePieces({"\u2581", "a", "\u2581a"}));
  EXPECT_EQ(tokenizer->Encode("a</s>a", SpecialTokens::kParse),
            (Ids{kFirstPiece + 2, 2, kFirstPiece + 2}));
  EXPECT_EQ(tokenizer->Encode(" a", SpecialTokens::kParse), (Ids{kFirstPiece, kFirstPiece + 2}));
  EXPECT_EQ(tokenizer->Decode(Ids{kFirstPiece, kFirstPiece + 2}), " a");
  Vocabulary without = TinySentencePieces({"\u2581", "a", "\u2581a"});
  without.space_prefix = SpacePrefix::kNone;
  EXPECT_EQ(Make(without)->Encode("a", SpecialTokens::kAsText), Ids{kFirstPiece + 1});
}

// A token that holds a space inside is found although text is cut at spaces elsewhere.
TEST(SentencePiece, TokensMayHoldSpaces) {
  const auto tokenizer = Make(TinySentencePieces({"a\u2581b", "a\u2581", "\u2581", "a", "b", "c"}));
  EXPECT_EQ(tokenizer->Encode("a b c", SpecialTokens::kAsText),
            (Ids{kFirstPiece + 2, kFirstPiece, kFirstPiece + 2, kFirstPiece + 5}));
}

TEST(SentencePiece, AMegabyteWordIsNotQuadratic) {
  const auto tokenizer = Make(TinySentencePieces({"aa", "aaaa", "aaaaaaaa", "\u2581", "a"}));
  EXPECT_EQ(tokenizer->Encode(std::string(1 << 20, 'a'), SpecialTokens::kAsText).size(),
            1 + (1u << 20) / 8);
}

// Equal scores: the leftmost pair first.
TEST(SentencePiece, TheLeftmostOfEqualScoresIsJoinedFirst) {
  Vocabulary vocabulary = TinySentencePieces({"bc", "ab", "\u2581", "a", "b", "c"});
  vocabulary.scores[kFirstPiece] = vocabulary.scores[kFirstPiece + 1];
  EXPECT_EQ(Make(vocabulary)->Encode("abc", SpecialTokens::kAsText),
            (Ids{kFirstPiece + 2, kFirstPiece + 1, kFirstPiece + 5}));
}

// Characters that no token is are one token together, within a word; a token that steers cannot
// stand in for them.
TEST(Unigram, UnknownCharactersSideBySideAreOne) {
  Vocabulary vocabulary;
  vocabulary.origin = "unigram";
  vocabulary.kind = VocabularyKind::kUnigram;
  vocabulary.tokens = {"<unk>", "</s>", "a", "b", "ab", "\u2581"};
  vocabulary.types = {TokenType::kUnknown, TokenType::kControl, TokenType::kNormal,
                      TokenType::kNormal,  TokenType::kNormal,  TokenType::kNormal};
  vocabulary.scores = {0, 0, -1, -1, -1.5f, -1};
  vocabulary.unknown = 0;
  vocabulary.eos = 1;
  const auto ids = [](const Vocabulary& made, std::string_view text) {
    return Make(made)->Encode(text, SpecialTokens::kAsText);
  };
  EXPECT_EQ(ids(vocabulary, "abxy"), (Ids{4, 0}));
  EXPECT_EQ(ids(vocabulary, "xyaxx xb x"), (Ids{0, 2, 0, 5, 0, 3, 5, 0}));
  EXPECT_EQ(ids(vocabulary, "xx xx xx"), (Ids{0, 5, 0, 5, 0}));
  vocabulary.tokens.back() = "c";  // the mark itself is unknown
  EXPECT_EQ(ids(vocabulary, "xx yy"), Ids{0});
  vocabulary.words_begin_at_spaces = true;
  EXPECT_EQ(ids(vocabulary, "xx yy"), (Ids{0, 0}));
  vocabulary.eos = 0;
  EXPECT_EQ(Tokenizer::Create(vocabulary).error().code, ErrorCode::kBadValue);
  vocabulary.eos = 1;
  vocabulary.unknown.reset();
  EXPECT_EQ(Tokenizer::Create(vocabulary).error().detail, "no token for byte 0");
}

// Wherever the tables of a kind take long.
TEST(Tokenizer, AStopEndsTheBuilding) {
  Vocabulary listed = TinyVocabulary({{"a", "b"}}, {});
  Vocabulary told = listed;
  told.merges.clear();
  const Vocabulary pieces = TinySentencePieces({"a", "b", "ab"});
  Vocabulary unigram = pieces;
  unigram.kind = VocabularyKind::kUnigram;
  std::stop_source stop;
  stop.request_stop();
  for (const Vocabulary& vocabulary : {listed, told, pieces, unigram}) {
    ASSERT_TRUE(Tokenizer::Create(vocabulary).has_value());
    EXPECT_EQ(Tokenizer::Create(vocabulary, stop.get_token()).error().code, ErrorCode::kCancelled);
  }
}

TEST(Tokenizer, AWholeTokenGoesBeforeTheMerges) {
  Vocabulary vocabulary = TinyVocabulary({{"a", "b"}}, {}, "llama-bpe");
  vocabulary.tokens.push_back("abc");
  vocabulary.types.push_back(TokenType::kNormal);
  const auto id = static_cast<std::int32_t>(vocabulary.tokens.size() - 1);
  EXPECT_EQ(Make(vocabulary)->Encode("abc", SpecialTokens::kAsText), (Ids{256, 'c'}));
  vocabulary.ignores_merges = true;
  EXPECT_EQ(Make(vocabulary)->Encode("abc", SpecialTokens::kAsText), Ids{id});
  EXPECT_EQ(Make(vocabulary)->Encode("abcd", SpecialTokens::kAsText), (Ids{256, 'c', 'd'}));
}

void ExpectRefused(Vocabulary vocabulary, ErrorCode code) {
  const auto tokenizer = Tokenizer::Create(std::move(vocabulary));
  ASSERT_FALSE(tokenizer.has_value());
  EXPECT_EQ(tokenizer.error().code, code) << tokenizer.error().Message();
}

TEST(HostileVocabulary, IsRefusedWithAReason) {
  ExpectRefused(Vocabulary{}, ErrorCode::kBadValue);
  Vocabulary vocabulary = TinyVocabulary({}, {});
  vocabulary.tokens['a'] = "zz";  // no token for a byte
  ExpectRefused(vocabulary, ErrorCode::kBadValue);
  vocabulary = TinyVocabulary({}, {});
  vocabulary.merges.push_back({"q", "nowhere"});
  ExpectRefused(vocabulary, ErrorCode::kBadValue);
  vocabulary = TinyVocabulary({}, {});
  vocabulary.merges.push_back({"q", "q"});  // the result is not a token
  ExpectRefused(vocabulary, ErrorCode::kBadValue);
  vocabulary = TinyVocabulary({}, {});
  vocabulary.bos = 1'000'000;
  ExpectRefused(vocabulary, ErrorCode::kBadValue);
  vocabulary = TinyVocabulary({}, {});
  vocabulary.end_of_turn = {-5};
  ExpectRefused(vocabulary, ErrorCode::kBadValue);
  vocabulary = TinyVocabulary({}, {});
  vocabulary.types.pop_back();
  ExpectRefused(vocabulary, ErrorCode::kBadValue);
  vocabulary = TinyVocabulary({}, {}, "superbpe");
  ExpectRefused(vocabulary, ErrorCode::kUnsupportedTokenizer);
}

// Looking for such a token at every place of a text would take minutes.
TEST(HostileVocabulary, GiganticSpecialTokensAreRefused) {
  ExpectRefused(TinyVocabulary({}, {std::string(257, 'a')}), ErrorCode::kLimitExceeded);
  const auto tokenizer = Make(TinyVocabulary({}, {std::string(255, 'a') + "b"}));
  EXPECT_EQ(tokenizer->Encode(std::string(1 << 16, 'a'), SpecialTokens::kParse).size(), 1u << 16);
}

TEST(HostileVocabulary, SentencePiecesAreRefusedWithAReason) {
  Vocabulary vocabulary = TinySentencePieces({"a"});
  vocabulary.tokens[kByteZero + 'x'] = "<0x-1>";  // no token for a byte
  ExpectRefused(vocabulary, ErrorCode::kBadValue);
  vocabulary = TinySentencePieces({"a"});
  vocabulary.scores.back() = std::numeric_limits<float>::quiet_NaN();
  ExpectRefused(vocabulary, ErrorCode::kBadValue);
  vocabulary = TinySentencePieces({"a"});
  vocabulary.scores.pop_back();
  ExpectRefused(vocabulary, ErrorCode::kBadValue);
  vocabulary = TinySentencePieces({"a"});
  vocabulary.ignores_merges = true;
  ExpectRefused(vocabulary, ErrorCode::kUnsupportedTokenizer);
  // Trying every cut of such tokens would take minutes.
  std::vector<std::string> long_tokens;
  for (int i = 0; i < 40; ++i) long_tokens.push_back(std::to_string(i) + std::string(60'000, 'a'));
  ExpectRefused(TinySentencePieces(long_tokens), ErrorCode::kLimitExceeded);
}

// Repeated, empty and broken tokens are passed over; the first of equal ones counts.
TEST(HostileVocabulary, OddSentencePiecesDoNoHarm) {
  const auto tokenizer = Make(TinySentencePieces({"a", "a", "", "\xFF", "\u2581", "aa", "aa"}));
  EXPECT_EQ(tokenizer->Encode("aaa", SpecialTokens::kAsText),
            (Ids{kFirstPiece + 4, kFirstPiece + 5, kFirstPiece}));
}

// Special tokens that are empty, cut characters, repeat or nest: encoding stays whole and valid.
TEST(HostileVocabulary, OddSpecialTokensDoNoHarm) {
  const auto tokenizer =
      Make(TinyVocabulary({}, {"", "\xE0", "\xB0\xA4", "<x>", "<x>", "<x><x>", "\xED\xA0\x80"}));
  const std::string text = "<x><x><x> తె \xE0 \xB0\xA4";
  for (const SpecialTokens special : {SpecialTokens::kParse, SpecialTokens::kAsText}) {
    const auto back = tokenizer->Decode(tokenizer->Encode(text, special));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(*back, RepairUtf8(text));
  }
}

}  // namespace
}  // namespace paluku
