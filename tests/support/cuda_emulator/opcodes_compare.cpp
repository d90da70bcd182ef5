// setp and set: comparisons into predicates or registers.
#include <cmath>
#include <type_traits>

#include "tests/support/cuda_emulator/decoder.h"
#include "tests/support/cuda_emulator/float_formats.h"
#include "tests/support/cuda_emulator/lanes.h"

namespace paluku::emulator {
namespace {

enum Comparison : int {
  kEq,
  kNe,
  kLt,
  kLe,
  kGt,
  kGe,
  kEqu,
  kNeu,
  kLtu,
  kLeu,
  kGtu,
  kGeu,
  kNum,
  kNan
};

template <int kWhich, class T>
bool Holds(T a, T b) {
  const bool unordered = a != a || b != b;  // never for integers
  switch (kWhich) {
    case kEq:
      return a == b;
    case kNe:
      return !unordered && a != b;
    case kLt:
      return a < b;
    case kLe:
      return a <= b;
    case kGt:
      return a > b;
    case kGe:
      return a >= b;
    case kEqu:
      return unordered || a == b;
    case kNeu:
      return unordered || a != b;
    case kLtu:
      return unordered || a < b;
    case kLeu:
      return unordered || a <= b;
    case kGtu:
      return unordered || a > b;
    case kGeu:
      return unordered || a >= b;
    case kNum:
      return !unordered;
    default:
      return unordered;
  }
}

// How a register is read as a number.
template <class T>
struct As {
  using Stored = T;
  static T Read(T value, bool flush) {
    if constexpr (std::is_same_v<T, float>) return flush ? FlushDenormal(value) : value;
    return value;
  }
};
template <class Format>
struct AsHalf {
  using Stored = std::uint16_t;
  static float Read(std::uint16_t bits, bool) { return Format::ToFloat(bits); }
};

// One bit a lane. Lanes that are not active compare old values, which does no harm.
template <int kWhich, class Reader>
std::uint32_t Compare(Warp& warp, const Instruction& in) {
  const auto* a = warp.Lanes<typename Reader::Stored>(in.reg[2]);
  const auto* b = warp.Lanes<typename Reader::Stored>(in.reg[3]);
  const bool flush = (in.mode & 1) != 0;
  std::uint32_t result = 0;
  for (int lane = 0; lane < kWarpSize; ++lane) {
    result |= static_cast<std::uint32_t>(
                  Holds<kWhich>(Reader::Read(a[lane], flush), Reader::Read(b[lane], flush)))
              << lane;
  }
  return result;
}

// mode bit 1: the third operand is negated; mode2: how it combines (1 and, 2 or, 3 xor).
std::uint32_t Combine(const Warp& warp, const Instruction& in, std::uint32_t result) {
  if (in.mode2 == 0) return result;
  const std::uint32_t other = warp.Predicate(in.reg[4]) ^ ((in.mode & 2) != 0 ? kAllLanes : 0);
  return in.mode2 == 1 ? result & other : in.mode2 == 2 ? result | other : result ^ other;
}

template <int kWhich, class Reader>
void SetPredicates(Warp& warp, const Instruction& in, LaneMask active) {
  const std::uint32_t result = Compare<kWhich, Reader>(warp, in);
  const std::uint32_t first = Combine(warp, in, result);
  const std::uint32_t second = Combine(warp, in, ~result);
  warp.SetPredicate(in.reg[0], active, first);
  if (in.count == 2) warp.SetPredicate(in.reg[1], active, second);
}

// set: all ones or 1.0 into a register; size is its width.
template <int kWhich, class Reader>
void SetRegister(Warp& warp, const Instruction& in, LaneMask active) {
  const std::uint32_t result = Combine(warp, in, Compare<kWhich, Reader>(warp, in));
  if (in.size == 2) {
    auto* d = warp.Lanes<std::uint16_t>(in.reg[0]);
    const auto yes = static_cast<std::uint16_t>(in.reg[5]);
    ForLanes(active,
             [=](int lane) { d[lane] = (result >> lane & 1) != 0 ? yes : std::uint16_t{0}; });
  } else {
    auto* d = warp.Lanes<std::uint32_t>(in.reg[0]);
    const std::uint32_t yes = in.reg[5];
    ForLanes(active, [=](int lane) { d[lane] = (result >> lane & 1) != 0 ? yes : 0U; });
  }
}

// The two halves of packed pairs, compared apart (setp.f16x2 p|q and set.f16x2).
template <int kWhich, class Format>
std::pair<std::uint32_t, std::uint32_t> ComparePairs(Warp& warp, const Instruction& in) {
  const auto* a = warp.Lanes<std::uint32_t>(in.reg[2]);
  const auto* b = warp.Lanes<std::uint32_t>(in.reg[3]);
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  for (int lane = 0; lane < kWarpSize; ++lane) {
    const auto half = [](std::uint32_t pair, int shift) {
      return Format::ToFloat(static_cast<std::uint16_t>(pair >> shift));
    };
    low |= static_cast<std::uint32_t>(Holds<kWhich>(half(a[lane], 0), half(b[lane], 0))) << lane;
    high |= static_cast<std::uint32_t>(Holds<kWhich>(half(a[lane], 16), half(b[lane], 16))) << lane;
  }
  return {Combine(warp, in, low), Combine(warp, in, high)};
}

template <int kWhich, class Format>
void SetPredicatePairs(Warp& warp, const Instruction& in, LaneMask active) {
  const auto [low, high] = ComparePairs<kWhich, Format>(warp, in);
  warp.SetPredicate(in.reg[0], active, low);
  if (in.count == 2) warp.SetPredicate(in.reg[1], active, high);
}

template <int kWhich, class Format>
void SetRegisterPairs(Warp& warp, const Instruction& in, LaneMask active) {
  const auto [low, high] = ComparePairs<kWhich, Format>(warp, in);
  auto* d = warp.Lanes<std::uint32_t>(in.reg[0]);
  const std::uint32_t yes = in.reg[5];
  ForLanes(active, [=, l = low, h = high](int lane) {
    d[lane] = ((l >> lane & 1) != 0 ? yes : 0U) | ((h >> lane & 1) != 0 ? yes << 16 : 0U);
  });
}

template <bool kRegister, int kWhich>
Handler ForType(Decoder& d, Type type) {
  const auto one = []<class Reader>() -> Handler {
    if constexpr (kRegister) return &SetRegister<kWhich, Reader>;
    return &SetPredicates<kWhich, Reader>;
  };
  const auto pair = []<class Format>() -> Handler {
    if constexpr (kRegister) return &SetRegisterPairs<kWhich, Format>;
    return &SetPredicatePairs<kWhich, Format>;
  };
  switch (type) {
    case Type::kU16:
    case Type::kB16:
      return one.template operator()<As<std::uint16_t>>();
    case Type::kS16:
      return one.template operator()<As<std::int16_t>>();
    case Type::kU32:
    case Type::kB32:
      return one.template operator()<As<std::uint32_t>>();
    case Type::kS32:
      return one.template operator()<As<std::int32_t>>();
    case Type::kU64:
    case Type::kB64:
      return one.template operator()<As<std::uint64_t>>();
    case Type::kS64:
      return one.template operator()<As<std::int64_t>>();
    case Type::kF32:
      return one.template operator()<As<float>>();
    case Type::kF64:
      return one.template operator()<As<double>>();
    case Type::kF16:
      return one.template operator()<AsHalf<Half>>();
    case Type::kBf16:
      return one.template operator()<AsHalf<Bf16>>();
    case Type::kF16x2:
      return pair.template operator()<Half>();
    case Type::kBf16x2:
      return pair.template operator()<Bf16>();
    default:
      d.Refuse("not for this type");
  }
}

template <bool kRegister>
Handler ForComparison(Decoder& d, int which, Type type) {
  switch (which) {
    case kEq:
      return ForType<kRegister, kEq>(d, type);
    case kNe:
      return ForType<kRegister, kNe>(d, type);
    case kLt:
      return ForType<kRegister, kLt>(d, type);
    case kLe:
      return ForType<kRegister, kLe>(d, type);
    case kGt:
      return ForType<kRegister, kGt>(d, type);
    case kGe:
      return ForType<kRegister, kGe>(d, type);
    case kEqu:
      return ForType<kRegister, kEqu>(d, type);
    case kNeu:
      return ForType<kRegister, kNeu>(d, type);
    case kLtu:
      return ForType<kRegister, kLtu>(d, type);
    case kLeu:
      return ForType<kRegister, kLeu>(d, type);
    case kGtu:
      return ForType<kRegister, kGtu>(d, type);
    case kGeu:
      return ForType<kRegister, kGeu>(d, type);
    case kNum:
      return ForType<kRegister, kNum>(d, type);
    default:
      return ForType<kRegister, kNan>(d, type);
  }
}

int TakeComparison(Decoder& d) {
  int which = d.TakeOneOf(
      {"eq", "ne", "lt", "le", "gt", "ge", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan"});
  if (which < 0) {
    // Unsigned names of the four orders.
    const int old = d.TakeOneOf({"lo", "ls", "hi", "hs"});
    if (old < 0) d.Refuse("which comparison?");
    static constexpr int kNames[] = {kLt, kLe, kGt, kGe};
    which = kNames[old];
  }
  return which;
}

// Combination with a predicate: the operand after a and b.
void TakeCombination(Decoder& d, Instruction& in, int combination) {
  if (combination < 0) return;
  bool negated = false;
  in.mode2 = static_cast<std::uint8_t>(combination + 1);
  in.reg[4] = d.PredicateSource(d.operand(3), negated);
  if (negated) in.mode |= 2;
}

void DecodeSetPredicate(Decoder& d, Instruction& in) {
  const int which = TakeComparison(d);
  const int combination = d.TakeOneOf({"and", "or", "xor"});
  if (d.Take("ftz")) in.mode |= 1;
  const Type type = d.NeedType();
  in.run = ForComparison<false>(d, which, type);
  const Operand& to = d.operand(0);
  if (to.kind == Operand::Kind::kVector) {
    in.count = 2;
    in.reg[0] = d.PredicateDestination(to.elements[0]);
    in.reg[1] = d.PredicateDestination(to.elements[1]);
  } else {
    in.reg[0] = d.PredicateDestination(to);
  }
  in.reg[2] = d.Source(1, Width(type));
  in.reg[3] = d.Source(2, Width(type));
  TakeCombination(d, in, combination);
}

void DecodeSet(Decoder& d, Instruction& in) {
  const int which = TakeComparison(d);
  const int combination = d.TakeOneOf({"and", "or", "xor"});
  if (d.Take("ftz")) in.mode |= 1;
  const Type result = d.NeedType();
  const Type type = d.NeedType();
  in.run = ForComparison<true>(d, which, type);
  const bool pair = type == Type::kF16x2 || type == Type::kBf16x2;
  in.size = static_cast<std::uint8_t>(Width(result));
  if (in.size != 2 && in.size != 4) d.Refuse("not for this type");
  in.reg[0] = d.Destination(0, Width(result));
  in.reg[2] = d.Source(1, Width(type));
  in.reg[3] = d.Source(2, Width(type));
  switch (result) {
    case Type::kF32:
      in.reg[5] = 0x3F800000;
      break;
    case Type::kF16:
    case Type::kF16x2:
      in.reg[5] = 0x3C00;
      break;
    case Type::kBf16:
    case Type::kBf16x2:
      in.reg[5] = 0x3F80;
      break;
    default:
      in.reg[5] = pair || in.size == 2 ? 0xFFFF : 0xFFFFFFFF;
      break;
  }
  TakeCombination(d, in, combination);
}

}  // namespace

void AddCompareOpcodes(OpcodeTables& tables) {
  tables.general["setp"] = &DecodeSetPredicate;
  tables.general["set"] = &DecodeSet;
}

}  // namespace paluku::emulator
