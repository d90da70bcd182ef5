// Arithmetic on numbers that are longer or shorter than a register: chains of additions that hand a
// carry on (add.cc, addc, sub.cc, subc, mad.cc, madc), and additions of two or four small numbers
// in one word (vadd2, vadd4, vsub2, vsub4).
#include <cstdint>
#include <type_traits>

#include "tests/support/cuda_emulator/decoder.h"
#include "tests/support/cuda_emulator/lanes.h"

namespace paluku::emulator {
namespace {

// What is added up, as unsigned numbers: a difference is a + ~b + 1, its borrow a carry that is not
// there.
struct Sum {
  static constexpr bool kBorrows = false;
  template <class U>
  static U First(U a, U) {
    return a;
  }
  template <class U>
  static U Second(U b, U) {
    return b;
  }
};
struct Difference {
  static constexpr bool kBorrows = true;
  template <class U>
  static U First(U a, U) {
    return a;
  }
  template <class U>
  static U Second(U b, U) {
    return static_cast<U>(~b);
  }
};
// Of a product the part of the type's width that begins at bit kHigh * width; T tells its signs.
template <class T, bool kHigh>
struct Product {
  static constexpr bool kBorrows = false;
  template <class U>
  static U First(U a, U b) {
    using Wide = std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>;
    const Wide product = static_cast<Wide>(static_cast<T>(a)) * static_cast<T>(b);
    return static_cast<U>(kHigh ? product >> (8 * sizeof(U)) : product);
  }
  template <class U>
  static U Second(U, U c) {
    return c;
  }
};

// d = First(a, b) + Second(b, c) + the lane's carry; reg[3] is any register where there is no c.
template <class Terms, class U, bool kReads, bool kWrites>
void Chain(Warp& warp, const Instruction& in, LaneMask active) {
  U* d = warp.Lanes<U>(in.reg[0]);
  const U* a = warp.Lanes<U>(in.reg[1]);
  const U* b = warp.Lanes<U>(in.reg[2]);
  const U* c = warp.Lanes<U>(in.reg[3]);
  const LaneMask inverted = Terms::kBorrows ? kAllLanes : 0;
  const LaneMask before = (kReads ? warp.carries() : 0) ^ inverted;
  LaneMask after = 0;
  for (LaneMask left = active; left != 0; left &= left - 1) {
    const int lane = std::countr_zero(left);
    const U first = Terms::First(a[lane], b[lane]);
    const auto partial = static_cast<U>(first + Terms::Second(b[lane], c[lane]));
    d[lane] = static_cast<U>(partial + (before >> lane & 1));
    if (partial < first || d[lane] < partial) after |= LaneMask{1} << lane;
  }
  if (kWrites) warp.SetCarries(active, after ^ inverted);
}

template <class Terms, class U>
Handler ChainHandler(bool reads, bool writes) {
  if (reads && writes) return &Chain<Terms, U, true, true>;
  return reads ? &Chain<Terms, U, true, false> : &Chain<Terms, U, false, true>;
}

template <class Terms>
void DecodeSum(Decoder& d, Instruction& in, bool reads) {
  const bool writes = d.Take("cc");
  const int width = Width(d.NeedType());
  if (width != 4 && width != 8) d.Refuse("not for this type");
  in.run = width == 4 ? ChainHandler<Terms, std::uint32_t>(reads, writes)
                      : ChainHandler<Terms, std::uint64_t>(reads, writes);
  if (d.operand_count() != 3) d.Refuse("a wrong number of operands");
  in.reg[0] = d.Destination(0, width);
  in.reg[1] = d.Source(1, width);
  in.reg[2] = in.reg[3] = d.Source(2, width);
}

template <class T>
Handler ProductHandler(bool high, bool reads, bool writes) {
  using U = std::make_unsigned_t<T>;
  return high ? ChainHandler<Product<T, true>, U>(reads, writes)
              : ChainHandler<Product<T, false>, U>(reads, writes);
}

void DecodeProduct(Decoder& d, Instruction& in, bool reads) {
  const int part = d.TakeOneOf({"lo", "hi"});
  const bool writes = d.Take("cc");
  const Type type = d.NeedType();
  if (part < 0) d.Refuse("which part of the product?");
  if (type == Type::kU32) {
    in.run = ProductHandler<std::uint32_t>(part == 1, reads, writes);
  } else if (type == Type::kS32) {
    in.run = ProductHandler<std::int32_t>(part == 1, reads, writes);
  } else if (type == Type::kU64) {
    in.run = ProductHandler<std::uint64_t>(part == 1, reads, writes);
  } else if (type == Type::kS64) {
    in.run = ProductHandler<std::int64_t>(part == 1, reads, writes);
  } else {
    d.Refuse("not for this type");
  }
  if (d.operand_count() != 4) d.Refuse("a wrong number of operands");
  in.reg[0] = d.Destination(0, Width(type));
  for (std::size_t i = 1; i < 4; ++i) in.reg[i] = d.Source(i, Width(type));
}

// Numbers of kBits in a word, each added or subtracted for itself. No number is masked out, so the
// fourth operand has no part in the result.
template <int kBits, bool kSubtract>
struct Each {
  static std::uint32_t Apply(std::uint32_t a, std::uint32_t b) {
    constexpr std::uint32_t kOne = (1U << kBits) - 1;
    std::uint32_t result = 0;
    for (int at = 0; at < 32; at += kBits) {
      const std::uint32_t one = kSubtract ? (a >> at) - (b >> at) : (a >> at) + (b >> at);
      result |= (one & kOne) << at;
    }
    return result;
  }
};

template <int kBits, bool kSubtract>
void DecodeEach(Decoder& d, Instruction& in) {
  for (int i = 0; i < 3; ++i) {  // signs make no difference without saturation
    const Type type = d.NeedType();
    if (type != Type::kU32 && type != Type::kS32) d.Refuse("not for this type");
  }
  if (d.operand_count() != 4) d.Refuse("a wrong number of operands");
  in.run = &Binary<Each<kBits, kSubtract>, std::uint32_t, std::uint32_t, std::uint32_t>;
  in.reg[0] = d.Destination(0, 4);
  in.reg[1] = d.Source(1, 4);
  in.reg[2] = d.Source(2, 4);
  d.Source(3, 4);
}

}  // namespace

void DecodeAddWithCarry(Decoder& d, Instruction& in) { DecodeSum<Sum>(d, in, false); }
void DecodeSubtractWithCarry(Decoder& d, Instruction& in) { DecodeSum<Difference>(d, in, false); }
void DecodeMultiplyAddWithCarry(Decoder& d, Instruction& in) { DecodeProduct(d, in, false); }

void AddCarryOpcodes(OpcodeTables& tables) {
  auto& general = tables.general;
  general["addc"] = [](Decoder& d, Instruction& in) { DecodeSum<Sum>(d, in, true); };
  general["subc"] = [](Decoder& d, Instruction& in) { DecodeSum<Difference>(d, in, true); };
  general["madc"] = [](Decoder& d, Instruction& in) { DecodeProduct(d, in, true); };
  general["vadd2"] = &DecodeEach<16, false>;
  general["vadd4"] = &DecodeEach<8, false>;
  general["vsub2"] = &DecodeEach<16, true>;
  general["vsub4"] = &DecodeEach<8, true>;
}

}  // namespace paluku::emulator
