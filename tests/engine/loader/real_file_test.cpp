// The starter model, cut and flipped: 1,000 truncations and 1,000 flipped bits of its header
// through the whole of Engine::Load and a forward pass. Never a crash, and:
//   cut anywhere: an error or the same answer;
//   a bit of the structure (counts, lengths, kinds, tensor names, shapes, types, places): the same;
//   a bit of a key's name: an error, or the answer of the file without that key, which is valid;
//   a bit of a value (a number, a text, a token): an error or a finite answer, because a file with
//   another base of rotation or another token is as good a file as this one.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>

#include "engine/session/engine.h"
#include "tests/engine/loader/gguf_builder.h"

namespace paluku::test {
namespace {

using Bytes = std::vector<std::byte>;

Bytes ReadAll(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  Bytes bytes(std::filesystem::file_size(path));
  stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

enum class Part { kStructure, kLengthInArray, kKey, kValue, kElement };
struct Stretch {
  Part part;
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t entry = 0;  // of kKey: which
};
struct Entry {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// Where the parts of a good header lie, read without a look at Paluku's parser.
class Header {
 public:
  explicit Header(const Bytes& file) : file_(file) {
    Mark(Part::kStructure, 8);
    const std::size_t tensors = Number<std::uint64_t>();
    const std::size_t count = Number<std::uint64_t>();
    for (std::size_t i = 0; i < count; ++i) ReadEntry();
    for (std::size_t i = 0; i < tensors; ++i) {
      Mark(Part::kStructure, Number<std::uint64_t>());              // name
      Mark(Part::kStructure, 8 * Number<std::uint32_t>() + 4 + 8);  // shape, type, place
    }
    end = at_;
  }

  std::vector<Stretch> stretches;
  std::vector<Entry> entries;
  std::size_t end = 0;

  // Every bit of one kind of part.
  std::vector<std::size_t> Bits(Part part) const {
    std::vector<std::size_t> bits;
    for (const Stretch& stretch : stretches) {
      if (stretch.part != part) continue;
      for (std::size_t bit = 8 * stretch.begin; bit < 8 * stretch.end; ++bit) bits.push_back(bit);
    }
    return bits;
  }

 private:
  void Mark(Part part, std::size_t bytes) {
    stretches.push_back({part, at_, at_ + bytes, entries.size()});
    at_ += bytes;
  }
  template <class T>
  T Number(Part part = Part::kStructure) {
    T value;
    std::memcpy(&value, file_.data() + at_, sizeof value);
    Mark(part, sizeof value);
    return value;
  }

  void ReadEntry() {
    const std::size_t begin = at_;
    Mark(Part::kKey, Number<std::uint64_t>());
    ReadValue(static_cast<ValueType>(Number<std::uint32_t>()));
    entries.push_back({begin, at_});
  }

  void ReadValue(ValueType type) {
    if (type == ValueType::kString) return Mark(Part::kValue, Number<std::uint64_t>());
    if (type != ValueType::kArray) return Mark(Part::kValue, WidthOf(type));
    const auto of = static_cast<ValueType>(Number<std::uint32_t>());
    const auto count = Number<std::uint64_t>();
    if (of != ValueType::kString) return Mark(Part::kElement, count * WidthOf(of));
    for (std::size_t i = 0; i < count; ++i) {
      Mark(Part::kElement, Number<std::uint64_t>(Part::kLengthInArray));
    }
  }

  static std::size_t WidthOf(ValueType type) {
    switch (type) {
      case ValueType::kU8:
      case ValueType::kI8:
      case ValueType::kBool:
        return 1;
      case ValueType::kU16:
      case ValueType::kI16:
        return 2;
      case ValueType::kU64:
      case ValueType::kI64:
      case ValueType::kF64:
        return 8;
      default:
        return 4;
    }
  }

  const Bytes& file_;
  std::size_t at_ = 0;
};

// What a model says of the first token of an answer: nothing when the file is refused.
using Answer = std::optional<std::vector<float>>;

class RealFile : public testing::Test {
 protected:
  RealFile()
      : whole_(ReadAll(PALUKU_SOURCE_DIR "/resources/starter/paluku-starter.gguf")),
        header_(whole_),
        path_(WriteFile("real.gguf", whole_)),
        engine_(Engine::Create({.backend = "cpu", .threads = 1}).value()),
        good_(AnswerOf(path_)) {}

  void TearDown() override {
    if (std::filesystem::file_size(path_) == whole_.size()) {
      EXPECT_EQ(AnswerOf(path_), good_);
    }
  }

  Answer AnswerOf(const std::string& path) const {
    if (!engine_->Load(path, {.context_tokens = 64}, {}, {})) return std::nullopt;
    const auto model = engine_->model();
    if (!model->chat_template) return std::nullopt;
    const ChatMessage question = {.text = "How are you?"};
    const auto ids = RenderChat(*model->chat_template, *model->tokenizer, {&question, 1});
    if (!ids) return std::nullopt;
    const auto logits = engine_->Logits(*ids, false);
    return logits ? Answer(*logits) : std::nullopt;
  }

  // Of the file with one bit changed.
  Answer Flipped(std::size_t bit) const {
    const std::byte old = whole_[bit / 8];
    Patch(bit / 8, old ^ (std::byte{1} << (bit % 8)));
    Answer answer = AnswerOf(path_);
    Patch(bit / 8, old);
    return answer;
  }

  // Of the file without the metadata entry `index`.
  Answer Without(std::size_t index) const {
    const auto [begin, end] = header_.entries[index];
    ByteWriter out;
    const auto all = std::span(whole_);
    out.Raw(all.first(16)).U64(header_.entries.size() - 1).Raw(all.subspan(24, begin - 24));
    out.Raw(all.subspan(end, header_.end - end)).PadTo(32);
    const std::size_t weights = (header_.end + 31) / 32 * 32;
    return AnswerOf(WriteFile("without.gguf", out.Raw(all.subspan(weights)).bytes()));
  }

  // `count` bits spread evenly over those of `part`.
  std::vector<std::size_t> Spread(Part part, std::size_t count) const {
    const std::vector<std::size_t> bits = header_.Bits(part);
    std::vector<std::size_t> chosen;
    for (std::size_t i = 0; i < count; ++i) chosen.push_back(bits[i * (bits.size() - 1) / count]);
    return chosen;
  }

  // Which part of the header the bit lies in, for messages.
  const Stretch& StretchOf(std::size_t bit) const {
    return *std::find_if(header_.stretches.begin(), header_.stretches.end(),
                         [&](const Stretch& s) { return bit / 8 >= s.begin && bit / 8 < s.end; });
  }

  const Bytes whole_;
  const Header header_;
  const std::string path_;
  const std::unique_ptr<Engine> engine_;
  const Answer good_;

 private:
  void Patch(std::size_t at, std::byte value) const {
    std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(value));
  }
};

TEST_F(RealFile, CutAtAThousandPlacesIsAnErrorOrTheSameAnswer) {
  ASSERT_TRUE(good_);
  // Half of the places in the header, half in the weights; from the end, so that one file does.
  for (std::size_t i = 0; i < 1000; ++i) {
    const std::size_t size = i < 500 ? whole_.size() - 1 - i * (whole_.size() - header_.end) / 500
                                     : header_.end - (i - 500) * header_.end / 500;
    std::filesystem::resize_file(path_, size);
    const Answer answer = AnswerOf(path_);
    ASSERT_TRUE(!answer || answer == good_) << "cut to " << size;
  }
}

TEST_F(RealFile, AFlippedBitOfTheStructureIsAnErrorOrTheSameAnswer) {
  ASSERT_TRUE(good_);
  int same = 0;
  for (const auto& [part, count] :
       {std::pair(Part::kStructure, 600u), {Part::kLengthInArray, 50u}}) {
    for (const std::size_t bit : Spread(part, count)) {
      const Answer answer = Flipped(bit);
      EXPECT_TRUE(!answer || answer == good_) << "byte " << bit / 8 << ", bit " << bit % 8;
      same += answer ? 1 : 0;
    }
  }
  std::printf("  %d of 650 changed nothing\n", same);
}

TEST_F(RealFile, AFlippedBitOfAKeyIsAnErrorOrTheFileWithoutThatKey) {
  ASSERT_TRUE(good_);
  std::map<std::size_t, Answer> without;  // by entry
  for (const std::size_t bit : Spread(Part::kKey, 150)) {
    const Answer answer = Flipped(bit);
    if (!answer || answer == good_) continue;
    const std::size_t entry = StretchOf(bit).entry;
    if (!without.contains(entry)) without[entry] = Without(entry);
    EXPECT_EQ(answer, without[entry]) << "byte " << bit / 8 << ", bit " << bit % 8;
  }
}

TEST_F(RealFile, AFlippedBitOfAValueIsAnErrorOrAFiniteAnswer) {
  ASSERT_TRUE(good_);
  int answers = 0;
  for (const auto& [part, count] : {std::pair(Part::kValue, 150u), {Part::kElement, 50u}}) {
    for (const std::size_t bit : Spread(part, count)) {
      const Answer answer = Flipped(bit);
      if (!answer) continue;
      ++answers;
      EXPECT_EQ(answer->size(), good_->size());
      EXPECT_TRUE(std::all_of(answer->begin(), answer->end(),
                              [](float logit) { return std::isfinite(logit); }))
          << "byte " << bit / 8 << ", bit " << bit % 8;
    }
  }
  EXPECT_GT(answers, 20);
  std::printf("  %d of 200 still answer\n", answers);
}

}  // namespace
}  // namespace paluku::test
