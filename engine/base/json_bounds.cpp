#include "engine/base/json_bounds.h"

#include <nlohmann/json.hpp>

namespace paluku {
namespace {

// Ends the parse where a bound is passed.
class Counter : public nlohmann::json_sax<nlohmann::json> {
 public:
  Counter(std::size_t depth, std::size_t values) : depth_left_(depth), values_left_(values) {}

  const char* excess() const { return excess_; }

  bool null() override { return Count(); }
  bool boolean(bool) override { return Count(); }
  bool number_integer(number_integer_t) override { return Count(); }
  bool number_unsigned(number_unsigned_t) override { return Count(); }
  bool number_float(number_float_t, const string_t&) override { return Count(); }
  bool string(string_t&) override { return Count(); }
  bool binary(binary_t&) override { return Count(); }
  bool key(string_t&) override { return Count(); }
  bool start_object(std::size_t) override { return Count() && Descend(); }
  bool start_array(std::size_t) override { return Count() && Descend(); }
  bool end_object() override { return Ascend(); }
  bool end_array() override { return Ascend(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
    return false;
  }

 private:
  bool Count() {
    if (values_left_ == 0) excess_ = "number of values in the JSON";
    return values_left_-- > 0;
  }
  bool Descend() {
    if (depth_left_ == 0) excess_ = "depth of the JSON";
    return depth_left_-- > 0;
  }
  bool Ascend() {
    ++depth_left_;
    return true;
  }

  std::size_t depth_left_;
  std::size_t values_left_;
  const char* excess_ = nullptr;
};

}  // namespace

const char* JsonExcess(std::string_view text, std::size_t depth, std::size_t values) {
  Counter counter(depth, values);
  nlohmann::json::sax_parse(text, &counter);
  return counter.excess();
}

}  // namespace paluku
