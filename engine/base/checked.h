// Checked<T>: an unsigned integer that remembers overflow. Every size, count and offset that comes
// from a file is computed with it; raw + and * on such values are a defect. A value that ever
// overflowed stays invalid through all further arithmetic, so one test at the end suffices.
#pragma once

#include <optional>
#include <type_traits>

namespace paluku {

template <class T>
class Checked {
  static_assert(std::is_unsigned_v<T>);

 public:
  constexpr Checked(T value)
      : value_(value) {}  // NOLINT: implicit, so that expressions read plainly

  constexpr bool valid() const { return valid_; }
  // The value, or nothing when an operation on the way here overflowed.
  constexpr std::optional<T> Get() const {
    return valid_ ? std::optional<T>(value_) : std::nullopt;
  }

  friend constexpr Checked operator+(Checked a, Checked b) {
    T out = 0;
    const bool overflow = __builtin_add_overflow(a.value_, b.value_, &out);
    return Checked(out, a.valid_ && b.valid_ && !overflow);
  }
  friend constexpr Checked operator-(Checked a, Checked b) {
    T out = 0;
    const bool overflow = __builtin_sub_overflow(a.value_, b.value_, &out);
    return Checked(out, a.valid_ && b.valid_ && !overflow);
  }
  friend constexpr Checked operator*(Checked a, Checked b) {
    T out = 0;
    const bool overflow = __builtin_mul_overflow(a.value_, b.value_, &out);
    return Checked(out, a.valid_ && b.valid_ && !overflow);
  }
  // False when either side is invalid.
  friend constexpr bool operator<=(Checked a, Checked b) {
    return a.valid_ && b.valid_ && a.value_ <= b.value_;
  }

 private:
  constexpr Checked(T value, bool valid) : value_(value), valid_(valid) {}
  T value_;
  bool valid_ = true;
};

}  // namespace paluku
