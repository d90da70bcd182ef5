// ConfigReader: reads the keys of one architecture from a file's metadata, each within its range,
// keeps the first error, and notes every value that is taken for an absent key.
//
// Used while a ModelConfig is parsed; refers to the file and to the notes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "engine/loader/model_file.h"
#include "engine/loader/model_note.h"

namespace paluku {

class ConfigReader {
 public:
  // Keys are `architecture`.name.
  ConfigReader(const ModelFile& file, std::string_view architecture, std::vector<ModelNote>& notes)
      : file_(file), prefix_(std::string(architecture) + "."), notes_(notes) {}

  bool Has(std::string_view name) const { return file_.Has(Key(name)); }
  const ModelFile& file() const { return file_; }

  int Integer(std::string_view name, std::uint64_t min, std::uint64_t max) {
    return static_cast<int>(Keep(file_.Integer(Key(name), min, max)));
  }
  // ...Or: the absence of the key says what `fallback` says, so nothing is noted.
  int IntegerOr(std::string_view name, std::uint64_t fallback, std::uint64_t min,
                std::uint64_t max) {
    return static_cast<int>(Keep(file_.IntegerOr(Key(name), fallback, min, max)));
  }
  double NumberOr(std::string_view name, double fallback, double min, double max) {
    const double value = Keep(file_.NumberOr(Key(name), fallback));
    if (value < min || value > max) Bad(name, std::to_string(value));
    return value;
  }
  std::string StringOr(std::string_view name, std::string_view fallback) {
    return std::string(Keep(file_.StringOr(Key(name), fallback)));
  }
  // ...Assumed: files should have the key. `as_in` names whose value it is, where that is known.
  double NumberAssumed(std::string_view name, double fallback, double min, double max,
                       std::string_view as_in = {}) {
    if (!Has(name)) Assume(name, Digits(fallback), as_in);
    return NumberOr(name, fallback, min, max);
  }
  bool BoolAssumed(std::string_view name, bool fallback) {
    if (!Has(name)) Assume(name, fallback ? "yes" : "no");
    return Keep(file_.BoolOr(Key(name), fallback));
  }

  void Assume(std::string_view name, std::string value, std::string_view as_in = {}) {
    if (!as_in.empty()) value += " (" + std::string(as_in) + ")";
    notes_.push_back({ModelNoteCode::kValueAssumed, Key(name), std::move(value)});
  }
  void Bad(std::string_view name, const std::string& why) {
    if (status_) status_ = Fail(ErrorCode::kBadValue, file_.path(), Key(name) + ": " + why);
  }
  void MissingTensor(std::string_view name) {
    if (status_) status_ = Fail(ErrorCode::kMissingTensor, file_.path(), std::string(name));
  }
  const Status& status() const { return status_; }

 private:
  std::string Key(std::string_view name) const { return prefix_ + std::string(name); }
  // 10000, 0.0625
  static std::string Digits(double value) {
    std::string text = std::to_string(value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
  }
  template <class T>
  T Keep(Result<T> result) {
    if (result) return *result;
    if (status_) status_ = tl::unexpected(std::move(result).error());
    return T{};
  }

  const ModelFile& file_;
  std::string prefix_;
  std::vector<ModelNote>& notes_;
  Status status_;
};

}  // namespace paluku
