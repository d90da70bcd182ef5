// Integer arithmetic: add, sub, mul, mad, div, rem, min, max, abs, neg, sad, dot products.
// Carries: opcodes_carry.cpp.
#include <algorithm>
#include <limits>
#include <type_traits>

#include "tests/support/cuda_emulator/decoder.h"
#include "tests/support/cuda_emulator/lanes.h"
#include "tests/support/cuda_emulator/report.h"

namespace paluku::emulator {
namespace {

template <class T>
using Bits = std::make_unsigned_t<T>;

// Twice the width of T.
template <class T>
struct WiderOf;
template <>
struct WiderOf<std::uint16_t> {
  using type = std::uint32_t;
};
template <>
struct WiderOf<std::int16_t> {
  using type = std::int32_t;
};
template <>
struct WiderOf<std::uint32_t> {
  using type = std::uint64_t;
};
template <>
struct WiderOf<std::int32_t> {
  using type = std::int64_t;
};
template <>
struct WiderOf<std::uint64_t> {
  using type = unsigned __int128;
};
template <>
struct WiderOf<std::int64_t> {
  using type = __int128;
};
template <class T>
using Wider = typename WiderOf<T>::type;

template <class T>
T WrapMultiply(T a, T b) {
  // Unsigned and at least 32 bits wide: no overflow that the language leaves open.
  using W = std::conditional_t<sizeof(T) < 4, std::uint32_t, Bits<T>>;
  return static_cast<T>(static_cast<W>(a) * static_cast<W>(b));
}

struct Add {
  template <class T>
  static T Apply(T a, T b) {
    return static_cast<T>(static_cast<Bits<T>>(a) + static_cast<Bits<T>>(b));
  }
};
struct AddSaturated {
  static std::int32_t Apply(std::int32_t a, std::int32_t b) {
    const std::int64_t sum = std::int64_t{a} + b;
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(sum, INT32_MIN, INT32_MAX));
  }
};
struct Subtract {
  template <class T>
  static T Apply(T a, T b) {
    return static_cast<T>(static_cast<Bits<T>>(a) - static_cast<Bits<T>>(b));
  }
};
struct SubtractSaturated {
  static std::int32_t Apply(std::int32_t a, std::int32_t b) {
    const std::int64_t difference = std::int64_t{a} - b;
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(difference, INT32_MIN, INT32_MAX));
  }
};
struct MultiplyLow {
  template <class T>
  static T Apply(T a, T b) {
    return WrapMultiply(a, b);
  }
};
struct MultiplyHigh {
  template <class T>
  static T Apply(T a, T b) {
    return static_cast<T>(static_cast<Wider<T>>(a) * static_cast<Wider<T>>(b) >> (8 * sizeof(T)));
  }
};
struct MultiplyWide {
  template <class T>
  static Wider<T> Apply(T a, T b) {
    return static_cast<Wider<T>>(a) * static_cast<Wider<T>>(b);
  }
};
struct MultiplyAddLow {
  template <class T>
  static T Apply(T a, T b, T c) {
    return Add::Apply(WrapMultiply(a, b), c);
  }
};
struct MultiplyAddHigh {
  template <class T>
  static T Apply(T a, T b, T c) {
    return Add::Apply(MultiplyHigh::Apply(a, b), c);
  }
};
struct MultiplyAddWide {
  template <class T>
  static Wider<T> Apply(T a, T b, Wider<T> c) {
    return Add::Apply(MultiplyWide::Apply(a, b), c);
  }
};
struct Minimum {
  template <class T>
  static T Apply(T a, T b) {
    return a < b ? a : b;
  }
};
struct Maximum {
  template <class T>
  static T Apply(T a, T b) {
    return a < b ? b : a;
  }
};
struct Absolute {
  template <class T>
  static T Apply(T a) {
    return a < 0 ? static_cast<T>(Bits<T>{0} - static_cast<Bits<T>>(a)) : a;
  }
};
struct Negate {
  template <class T>
  static T Apply(T a) {
    return static_cast<T>(Bits<T>{0} - static_cast<Bits<T>>(a));
  }
};
struct SumOfDifference {
  template <class T>
  static T Apply(T a, T b, T c) {
    const Bits<T> difference = a < b ? static_cast<Bits<T>>(b) - static_cast<Bits<T>>(a)
                                     : static_cast<Bits<T>>(a) - static_cast<Bits<T>>(b);
    return static_cast<T>(static_cast<Bits<T>>(c) + difference);
  }
};
struct Multiply24 {
  static std::uint32_t Apply(std::uint32_t a, std::uint32_t b) {
    return (a & 0xFFFFFF) * (b & 0xFFFFFF);
  }
  static std::int32_t Apply(std::int32_t a, std::int32_t b) {
    return WrapMultiply((a << 8) >> 8, (b << 8) >> 8);
  }
};

// Calls make(T()) with the C++ type of an integer type of 16 to 64 bits.
template <class F>
Handler ForInteger(Decoder& d, Type type, F&& make) {
  switch (type) {
    case Type::kU16:
    case Type::kB16:
      return make(std::uint16_t{});
    case Type::kS16:
      return make(std::int16_t{});
    case Type::kU32:
    case Type::kB32:
      return make(std::uint32_t{});
    case Type::kS32:
      return make(std::int32_t{});
    case Type::kU64:
    case Type::kB64:
      return make(std::uint64_t{});
    case Type::kS64:
      return make(std::int64_t{});
    default:
      d.Refuse("not for this type");
  }
}

void SetOperands(Decoder& d, Instruction& in, int result, std::initializer_list<int> widths) {
  in.reg[0] = d.Destination(0, result);
  std::size_t i = 1;
  for (const int width : widths) {
    in.reg[i] = d.Source(i, width);
    ++i;
  }
  if (d.operand_count() != i) d.Refuse("a wrong number of operands");
}

template <class F>
void DecodeBinary(Decoder& d, Instruction& in) {
  const Type type = d.NeedType();
  in.run = ForInteger(d, type, [](auto zero) -> Handler {
    using T = decltype(zero);
    return &Binary<F, T, T, T>;
  });
  SetOperands(d, in, Width(type), {Width(type), Width(type)});
}

template <class F, class Saturated, DecodeFunction kWithCarry>
void DecodeSum(Decoder& d, Instruction& in) {
  if (d.HasModifier("cc")) return kWithCarry(d, in);
  if (d.Take("sat")) {
    if (d.NeedType() != Type::kS32) d.Refuse("saturation is for s32");
    in.run = &Binary<Saturated, std::int32_t, std::int32_t, std::int32_t>;
    return SetOperands(d, in, 4, {4, 4});
  }
  DecodeBinary<F>(d, in);
}

void DecodeMultiply(Decoder& d, Instruction& in) {
  const int part = d.TakeOneOf({"lo", "hi", "wide"});
  const Type type = d.NeedType();
  const int width = Width(type);
  in.run = ForInteger(d, type, [&](auto zero) -> Handler {
    using T = decltype(zero);
    if (part == 0) return &Binary<MultiplyLow, T, T, T>;
    if (part == 1) return &Binary<MultiplyHigh, T, T, T>;
    if constexpr (sizeof(T) < 8) {
      if (part == 2) return &Binary<MultiplyWide, Wider<T>, T, T>;
    }
    d.Refuse("which part of the product?");
  });
  SetOperands(d, in, part == 2 ? 2 * width : width, {width, width});
}

void DecodeMultiplyAdd(Decoder& d, Instruction& in) {
  if (d.HasModifier("cc")) return DecodeMultiplyAddWithCarry(d, in);
  const int part = d.TakeOneOf({"lo", "hi", "wide"});
  const Type type = d.NeedType();
  const int width = Width(type);
  const int result = part == 2 ? 2 * width : width;
  in.run = ForInteger(d, type, [&](auto zero) -> Handler {
    using T = decltype(zero);
    if (part == 0) return &Ternary<MultiplyAddLow, T, T, T, T>;
    if (part == 1) return &Ternary<MultiplyAddHigh, T, T, T, T>;
    if constexpr (sizeof(T) < 8) {
      if (part == 2) return &Ternary<MultiplyAddWide, Wider<T>, T, T, Wider<T>>;
    }
    d.Refuse("which part of the product?");
  });
  SetOperands(d, in, result, {width, width, result});
}

template <bool kRemainder, class T>
void Divide(Warp& warp, const Instruction& in, LaneMask active) {
  T* d = warp.Lanes<T>(in.reg[0]);
  const T* a = warp.Lanes<T>(in.reg[1]);
  const T* b = warp.Lanes<T>(in.reg[2]);
  for (; active != 0; active &= active - 1) {
    const int lane = std::countr_zero(active);
    if (b[lane] == 0) {
      if (warp.block().FirstTime(in, nullptr)) Report("DIVISION BY ZERO", warp.Where(in, lane));
      d[lane] = static_cast<T>(~T{0});
      continue;
    }
    if constexpr (std::is_signed_v<T>) {
      if (b[lane] == -1) {  // the one quotient that does not fit
        d[lane] = kRemainder ? T{0} : Negate::Apply(a[lane]);
        continue;
      }
    }
    d[lane] = static_cast<T>(kRemainder ? a[lane] % b[lane] : a[lane] / b[lane]);
  }
}

template <bool kRemainder>
void DecodeDivide(Decoder& d, Instruction& in) {
  const Type type = d.NeedType();
  in.run =
      ForInteger(d, type, [](auto zero) -> Handler { return &Divide<kRemainder, decltype(zero)>; });
  SetOperands(d, in, Width(type), {Width(type), Width(type)});
}

template <class F>
void DecodeUnary(Decoder& d, Instruction& in) {
  const Type type = d.NeedType();
  in.run = ForInteger(d, type, [&](auto zero) -> Handler {
    using T = decltype(zero);
    if constexpr (std::is_signed_v<T>) return &Unary<F, T, T>;
    d.Refuse("for signed types");
  });
  SetOperands(d, in, Width(type), {Width(type)});
}

void DecodeSad(Decoder& d, Instruction& in) {
  const Type type = d.NeedType();
  in.run = ForInteger(d, type, [](auto zero) -> Handler {
    using T = decltype(zero);
    return &Ternary<SumOfDifference, T, T, T, T>;
  });
  SetOperands(d, in, Width(type), {Width(type), Width(type), Width(type)});
}

void DecodeMultiply24(Decoder& d, Instruction& in) {
  if (!d.Take("lo")) d.Refuse("only the low part");
  const Type type = d.NeedType();
  if (type == Type::kU32) {
    in.run = &Binary<Multiply24, std::uint32_t, std::uint32_t, std::uint32_t>;
  } else if (type == Type::kS32) {
    in.run = &Binary<Multiply24, std::int32_t, std::int32_t, std::int32_t>;
  } else {
    d.Refuse("not for this type");
  }
  SetOperands(d, in, 4, {4, 4});
}

// Sum of four products of bytes, added to c. A and B are the types of the bytes.
template <class A, class B>
struct Dot4 {
  static std::uint32_t Apply(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
    std::int32_t sum = 0;
    for (int i = 0; i < 4; ++i) sum += static_cast<A>(a >> 8 * i) * static_cast<B>(b >> 8 * i);
    return c + static_cast<std::uint32_t>(sum);
  }
};

// Sum of two products of a 16-bit half and a byte; the bytes are the low or the high pair of b.
template <class A, class B, int kShift>
struct Dot2 {
  static std::uint32_t Apply(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
    std::uint32_t sum = c;
    for (int i = 0; i < 2; ++i) {
      sum += static_cast<std::uint32_t>(static_cast<A>(a >> 16 * i) *
                                        static_cast<B>(b >> (kShift + 8 * i)));
    }
    return sum;
  }
};

template <class F>
Handler Dot() {
  return &Ternary<F, std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t>;
}

void DecodeDot4(Decoder& d, Instruction& in) {
  const bool a_signed = d.NeedType() == Type::kS32;
  const bool b_signed = d.NeedType() == Type::kS32;
  using S = std::int8_t;
  using U = std::uint8_t;
  in.run = a_signed ? (b_signed ? Dot<Dot4<S, S>>() : Dot<Dot4<S, U>>())
                    : (b_signed ? Dot<Dot4<U, S>>() : Dot<Dot4<U, U>>());
  SetOperands(d, in, 4, {4, 4, 4});
}

template <int kShift>
Handler Dot2For(bool a_signed, bool b_signed) {
  using S = std::int16_t;
  using U = std::uint16_t;
  if (a_signed)
    return b_signed ? Dot<Dot2<S, std::int8_t, kShift>>() : Dot<Dot2<S, std::uint8_t, kShift>>();
  return b_signed ? Dot<Dot2<U, std::int8_t, kShift>>() : Dot<Dot2<U, std::uint8_t, kShift>>();
}

void DecodeDot2(Decoder& d, Instruction& in) {
  const int half = d.TakeOneOf({"lo", "hi"});
  if (half < 0) d.Refuse("which bytes?");
  const bool a_signed = d.NeedType() == Type::kS32;
  const bool b_signed = d.NeedType() == Type::kS32;
  in.run = half == 0 ? Dot2For<0>(a_signed, b_signed) : Dot2For<16>(a_signed, b_signed);
  SetOperands(d, in, 4, {4, 4, 4});
}

}  // namespace

void AddIntegerOpcodes(OpcodeTables& tables) {
  auto& general = tables.general;
  general["add"] = &DecodeSum<Add, AddSaturated, &DecodeAddWithCarry>;
  general["sub"] = &DecodeSum<Subtract, SubtractSaturated, &DecodeSubtractWithCarry>;
  general["mul"] = &DecodeMultiply;
  general["mad"] = &DecodeMultiplyAdd;
  general["mul24"] = &DecodeMultiply24;
  general["div"] = &DecodeDivide<false>;
  general["rem"] = &DecodeDivide<true>;
  general["min"] = &DecodeBinary<Minimum>;
  general["max"] = &DecodeBinary<Maximum>;
  general["abs"] = &DecodeUnary<Absolute>;
  general["neg"] = &DecodeUnary<Negate>;
  general["sad"] = &DecodeSad;
  general["dp4a"] = &DecodeDot4;
  general["dp2a"] = &DecodeDot2;
}

}  // namespace paluku::emulator
