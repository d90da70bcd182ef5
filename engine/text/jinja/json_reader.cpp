#include <charconv>
#include <string>
#include <string_view>

#include "engine/base/utf8.h"
#include "engine/text/jinja/json.h"
#include "engine/text/jinja/template_error.h"

namespace paluku::jinja {
namespace {

class JsonReader {
 public:
  JsonReader(const Text& text, Heap& heap) : text_(text), in_(text.bytes()), heap_(heap) {}

  Value Read() {
    const Value value = ReadValue(0);
    SkipSpace();
    if (at_ != in_.size()) Fail();
    return value;
  }

 private:
  [[noreturn]] static void Fail() { Throw("from_json reads what is not JSON"); }

  void SkipSpace() {
    while (at_ < in_.size() && std::string_view(" \t\n\r").find(in_[at_]) != std::string_view::npos)
      ++at_;
  }

  bool Skip(std::string_view word) {
    SkipSpace();
    if (!in_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  void Expect(std::string_view word) {
    if (!Skip(word)) Fail();
  }

  Value ReadValue(int depth) {
    if (depth > kMaxDataDepth) Throw("from_json reads data that is nested too deeply");
    heap_.budget().Spend(1);
    if (Skip("{")) return ReadDict(depth);
    if (Skip("[")) return ReadList(depth);
    if (Skip("\"")) return ReadString();
    if (Skip("null")) return None{};
    if (Skip("true")) return true;
    if (Skip("false")) return false;
    return ReadNumber();
  }

  Value ReadList(int depth) {
    List* const list = heap_.NewList();
    if (Skip("]")) return list;
    do {
      heap_.Append(*list, ReadValue(depth + 1));
    } while (Skip(","));
    Expect("]");
    return list;
  }

  Value ReadDict(int depth) {
    Dict* const dict = heap_.NewDict();
    if (Skip("}")) return dict;
    do {
      Expect("\"");
      const Value key = ReadString();
      Expect(":");
      heap_.Set(*dict, key, ReadValue(depth + 1));
    } while (Skip(","));
    Expect("}");
    return dict;
  }

  Value ReadNumber() {
    const char* const begin = in_.data() + at_;
    std::size_t length = 0;
    while (at_ + length < in_.size() &&
           std::string_view("+-.0123456789eE").find(begin[length]) != std::string_view::npos)
      ++length;
    const bool whole =
        std::string_view(begin, length).find_first_of(".eE") == std::string_view::npos;
    at_ += length;
    std::int64_t integer = 0;
    double number = 0;
    const auto read = whole ? std::from_chars(begin, begin + length, integer)
                            : std::from_chars(begin, begin + length, number);
    if (read.ec != std::errc() || read.ptr != begin + length) Fail();
    return whole ? Value(integer) : Value(number);
  }

  // Behind its opening quote.
  Value ReadString() {
    Text out;
    while (true) {
      const std::size_t end = in_.find_first_of("\"\\", at_);
      if (end == std::string_view::npos) Fail();
      heap_.budget().SpendBytes(end - at_);
      out.Append(text_, at_, end);
      at_ = end + 1;
      if (in_[end] == '"') return heap_.NewText(std::move(out));
      ReadEscape(out);
    }
  }

  void ReadEscape(Text& out) {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (at_ >= in_.size()) Fail();
    const Origin origin = text_.OriginAt(at_);
    const char letter = in_[at_++];
    if (const std::size_t known = kLetters.find(letter); known != std::string_view::npos)
      return out.Append(kMeanings.substr(known, 1), origin);
    if (letter != 'u') Fail();
    char32_t c = ReadUnit();
    if (c >= 0xD800 && c < 0xDC00) {
      if (!in_.substr(at_).starts_with("\\u")) Fail();
      at_ += 2;
      const char32_t low = ReadUnit();
      if (low < 0xDC00 || low > 0xDFFF) Fail();
      c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    } else if (c >= 0xDC00 && c <= 0xDFFF) {
      Fail();
    }
    std::string bytes;
    AppendUtf8(bytes, c);
    out.Append(bytes, origin);
  }

  char32_t ReadUnit() {
    std::uint32_t unit = 0;
    const std::string_view digits = in_.substr(at_, 4);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
    if (digits.size() < 4 || read.ptr != digits.data() + 4) Fail();
    at_ += 4;
    return unit;
  }

  const Text& text_;
  std::string_view in_;
  Heap& heap_;
  std::size_t at_ = 0;
};

}  // namespace

Value ReadJson(const Text& text, Heap& heap) { return JsonReader(text, heap).Read(); }

}  // namespace paluku::jinja
