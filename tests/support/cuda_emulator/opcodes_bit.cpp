// Logic, shifts and bit fields.
#include <bit>
#include <type_traits>

#include "tests/support/cuda_emulator/decoder.h"
#include "tests/support/cuda_emulator/lanes.h"

namespace paluku::emulator {
namespace {

using U16 = std::uint16_t;
using U32 = std::uint32_t;
using U64 = std::uint64_t;

struct And {
  template <class T>
  static T Apply(T a, T b) {
    return a & b;
  }
};
struct Or {
  template <class T>
  static T Apply(T a, T b) {
    return a | b;
  }
};
struct Xor {
  template <class T>
  static T Apply(T a, T b) {
    return a ^ b;
  }
};
struct Not {
  template <class T>
  static T Apply(T a) {
    return static_cast<T>(~a);
  }
};
struct LogicalNot {  // cnot
  template <class T>
  static T Apply(T a) {
    return a == 0 ? T{1} : T{0};
  }
};
struct ShiftLeft {
  template <class T>
  static T Apply(T a, U32 by) {
    return by >= 8 * sizeof(T) ? T{0} : static_cast<T>(a << by);
  }
};
struct ShiftRight {
  template <class T>
  static T Apply(T a, U32 by) {
    const U32 most = 8 * sizeof(T) - 1;
    if constexpr (std::is_signed_v<T>) return static_cast<T>(a >> (by > most ? most : by));
    return by > most ? T{0} : static_cast<T>(a >> by);
  }
};
struct PopulationCount {
  template <class T>
  static U32 Apply(T a) {
    return static_cast<U32>(std::popcount(a));
  }
};
struct LeadingZeros {
  template <class T>
  static U32 Apply(T a) {
    return static_cast<U32>(std::countl_zero(a));
  }
};
struct Reverse {
  template <class T>
  static T Apply(T a) {
    T result = 0;
    for (std::size_t i = 0; i < 8 * sizeof(T); ++i)
      result |= static_cast<T>((a >> i & 1) << (8 * sizeof(T) - 1 - i));
    return result;
  }
};
// Position of the highest bit that differs from the sign, or the distance to it (shiftamt).
template <bool kShift>
struct FindHighest {
  template <class T>
  static U32 Apply(T a) {
    using B = std::make_unsigned_t<T>;
    const B bits = static_cast<B>(std::is_signed_v<T> && a < 0 ? ~a : a);
    if (bits == 0) return ~U32{0};
    const auto position =
        static_cast<U32>(8 * sizeof(T) - 1) - static_cast<U32>(std::countl_zero(bits));
    return kShift ? static_cast<U32>(8 * sizeof(T) - 1) - position : position;
  }
};
struct ExtractField {
  template <class T>
  static T Apply(T a, U32 position, U32 length) {
    const U32 width = 8 * sizeof(T);
    position &= 255;
    length &= 255;
    if (length == 0) return 0;
    if constexpr (std::is_signed_v<T>) {
      // Bits beyond the value are its sign.
      const T shifted = static_cast<T>(a >> (position >= width ? width - 1 : position));
      if (length >= width) return shifted;
      return static_cast<T>(
          static_cast<T>(static_cast<std::make_unsigned_t<T>>(shifted) << (width - length)) >>
          (width - length));
    } else {
      if (position >= width) return 0;
      const T shifted = static_cast<T>(a >> position);
      return length >= width ? shifted : static_cast<T>(shifted & ((T{1} << length) - 1));
    }
  }
};
template <class T>
T FieldMask(U32 position, U32 length) {
  const U32 width = 8 * sizeof(T);
  if (position >= width || length == 0) return 0;
  const T ones = length >= width ? static_cast<T>(~T{0}) : static_cast<T>((T{1} << length) - 1);
  return static_cast<T>(ones << position);
}

template <class T>
void InsertField(Warp& warp, const Instruction& in, LaneMask active) {
  T* d = warp.Lanes<T>(in.reg[0]);
  const T* a = warp.Lanes<T>(in.reg[1]);
  const T* b = warp.Lanes<T>(in.reg[2]);
  const U32* position = warp.Lanes<U32>(in.reg[3]);
  const U32* length = warp.Lanes<U32>(in.reg[4]);
  ForLanes(active, [=](int lane) {
    const U32 at = position[lane] & 255;
    const T mask = FieldMask<T>(at, length[lane] & 255);
    const T moved = at >= 8 * sizeof(T) ? T{0} : static_cast<T>(a[lane] << at);
    d[lane] = static_cast<T>((b[lane] & ~mask) | (moved & mask));
  });
}

// The result of three-input logic is a table of eight bits, kept in mode.
template <class Unused>
void LogicTable(Warp& warp, const Instruction& in, LaneMask active) {
  U32* d = warp.Lanes<U32>(in.reg[0]);
  const U32* a = warp.Lanes<U32>(in.reg[1]);
  const U32* b = warp.Lanes<U32>(in.reg[2]);
  const U32* c = warp.Lanes<U32>(in.reg[3]);
  U32 minterm[8];
  for (int i = 0; i < 8; ++i) minterm[i] = (in.mode >> i & 1) != 0 ? ~U32{0} : 0;
  ForLanes(active, [=](int lane) {
    const U32 x = a[lane];
    const U32 y = b[lane];
    const U32 z = c[lane];
    d[lane] = (minterm[0] & ~x & ~y & ~z) | (minterm[1] & ~x & ~y & z) |
              (minterm[2] & ~x & y & ~z) | (minterm[3] & ~x & y & z) | (minterm[4] & x & ~y & ~z) |
              (minterm[5] & x & ~y & z) | (minterm[6] & x & y & ~z) | (minterm[7] & x & y & z);
  });
}

struct Permute {
  static U32 Apply(U32 a, U32 b, U32 selector) {
    const U64 bytes = static_cast<U64>(b) << 32 | a;
    U32 result = 0;
    for (int i = 0; i < 4; ++i) {
      const U32 pick = selector >> 4 * i & 15;
      U32 byte = static_cast<U32>(bytes >> 8 * (pick & 7)) & 255;
      if ((pick & 8) != 0) byte = (byte & 128) != 0 ? 255 : 0;
      result |= byte << 8 * i;
    }
    return result;
  }
};

// Special modes of prmt: the selector's low two bits choose one of four patterns.
template <int kMode>
struct PermuteMode {
  static constexpr U32 kPatterns[6][4] = {{0x3210, 0x4321, 0x5432, 0x6543},   // f4e
                                          {0x5670, 0x6701, 0x7012, 0x0123},   // b4e
                                          {0x0000, 0x1111, 0x2222, 0x3333},   // rc8
                                          {0x3210, 0x3211, 0x3222, 0x3333},   // ecl
                                          {0x0000, 0x1110, 0x2210, 0x3210},   // ecr
                                          {0x1010, 0x3232, 0x1010, 0x3232}};  // rc16
  static U32 Apply(U32 a, U32 b, U32 selector) {
    return Permute::Apply(a, b, kPatterns[kMode][selector & 3]);
  }
};

template <bool kLeft, bool kClamp>
struct FunnelShift {
  static U32 Apply(U32 low, U32 high, U32 by) {
    const U64 pair = static_cast<U64>(high) << 32 | low;
    by = kClamp ? (by > 32 ? 32 : by) : by & 31;
    return static_cast<U32>(kLeft ? (pair << by) >> 32 : pair >> by);
  }
};

template <class F>
Handler ForBits(Decoder& d, int width, F&& make) {
  if (width == 2) return make(U16{});
  if (width == 4) return make(U32{});
  if (width == 8) return make(U64{});
  d.Refuse("not for this type");
}

// Predicates are bit masks: logic on all lanes at once.
template <class F>
void PredicateBinary(Warp& warp, const Instruction& in, LaneMask active) {
  const U32 a = warp.Predicate(in.reg[1]) ^ ((in.mode & 1) != 0 ? kAllLanes : 0);
  const U32 b = warp.Predicate(in.reg[2]) ^ ((in.mode & 2) != 0 ? kAllLanes : 0);
  warp.SetPredicate(in.reg[0], active, F::Apply(a, b));
}

void PredicateNot(Warp& warp, const Instruction& in, LaneMask active) {
  warp.SetPredicate(in.reg[0], active,
                    ~(warp.Predicate(in.reg[1]) ^ ((in.mode & 1) != 0 ? kAllLanes : 0)));
}

template <class F>
void DecodeLogic(Decoder& d, Instruction& in) {
  const Type type = d.NeedType();
  if (type == Type::kPred) {
    bool first = false;
    bool second = false;
    in.reg[0] = d.PredicateDestination(d.operand(0));
    in.reg[1] = d.PredicateSource(d.operand(1), first);
    in.reg[2] = d.PredicateSource(d.operand(2), second);
    in.mode = static_cast<std::uint8_t>((first ? 1 : 0) | (second ? 2 : 0));
    in.run = &PredicateBinary<F>;
    return;
  }
  in.run = ForBits(d, Width(type), [](auto zero) -> Handler {
    using T = decltype(zero);
    return &Binary<F, T, T, T>;
  });
  in.reg[0] = d.Destination(0, Width(type));
  in.reg[1] = d.Source(1, Width(type));
  in.reg[2] = d.Source(2, Width(type));
}

void DecodeNot(Decoder& d, Instruction& in) {
  const Type type = d.NeedType();
  if (type == Type::kPred) {
    bool negated = false;
    in.reg[0] = d.PredicateDestination(d.operand(0));
    in.reg[1] = d.PredicateSource(d.operand(1), negated);
    in.mode = negated ? 1 : 0;
    in.run = &PredicateNot;
    return;
  }
  in.run = ForBits(d, Width(type), [](auto zero) -> Handler {
    return &Unary<Not, decltype(zero), decltype(zero)>;
  });
  in.reg[0] = d.Destination(0, Width(type));
  in.reg[1] = d.Source(1, Width(type));
}

template <class F>
void DecodeUnaryBits(Decoder& d, Instruction& in) {  // result as wide as the operand
  const int width = Width(d.NeedType());
  in.run = ForBits(d, width,
                   [](auto zero) -> Handler { return &Unary<F, decltype(zero), decltype(zero)>; });
  in.reg[0] = d.Destination(0, width);
  in.reg[1] = d.Source(1, width);
}

template <class F>
void DecodeCountBits(Decoder& d, Instruction& in) {  // 32-bit result
  const int width = Width(d.NeedType());
  in.run = ForBits(d, width, [](auto zero) -> Handler { return &Unary<F, U32, decltype(zero)>; });
  in.reg[0] = d.Destination(0, 4);
  in.reg[1] = d.Source(1, width);
}

void DecodeShiftLeft(Decoder& d, Instruction& in) {
  const int width = Width(d.NeedType());
  in.run = ForBits(d, width, [](auto zero) -> Handler {
    return &Binary<ShiftLeft, decltype(zero), decltype(zero), U32>;
  });
  in.reg[0] = d.Destination(0, width);
  in.reg[1] = d.Source(1, width);
  in.reg[2] = d.Source(2, 4);
}

void DecodeShiftRight(Decoder& d, Instruction& in) {
  const Type type = d.NeedType();
  const int width = Width(type);
  in.run = ForBits(d, width, [&](auto zero) -> Handler {
    using U = decltype(zero);
    using S = std::make_signed_t<U>;
    if (IsSigned(type)) return &Binary<ShiftRight, S, S, U32>;
    return &Binary<ShiftRight, U, U, U32>;
  });
  in.reg[0] = d.Destination(0, width);
  in.reg[1] = d.Source(1, width);
  in.reg[2] = d.Source(2, 4);
}

void DecodeExtract(Decoder& d, Instruction& in) {
  const Type type = d.NeedType();
  switch (type) {
    case Type::kU32:
      in.run = &Ternary<ExtractField, U32, U32, U32, U32>;
      break;
    case Type::kS32:
      in.run = &Ternary<ExtractField, std::int32_t, std::int32_t, U32, U32>;
      break;
    case Type::kU64:
      in.run = &Ternary<ExtractField, U64, U64, U32, U32>;
      break;
    case Type::kS64:
      in.run = &Ternary<ExtractField, std::int64_t, std::int64_t, U32, U32>;
      break;
    default:
      d.Refuse("not for this type");
  }
  in.reg[0] = d.Destination(0, Width(type));
  in.reg[1] = d.Source(1, Width(type));
  in.reg[2] = d.Source(2, 4);
  in.reg[3] = d.Source(3, 4);
}

void DecodeInsert(Decoder& d, Instruction& in) {
  const int width = Width(d.NeedType());
  if (width != 4 && width != 8) d.Refuse("not for this type");
  in.run = width == 4 ? &InsertField<U32> : &InsertField<U64>;
  in.reg[0] = d.Destination(0, width);
  in.reg[1] = d.Source(1, width);
  in.reg[2] = d.Source(2, width);
  in.reg[3] = d.Source(3, 4);
  in.reg[4] = d.Source(4, 4);
}

void DecodeFindHighest(Decoder& d, Instruction& in) {
  const bool shift = d.Take("shiftamt");
  const Type type = d.NeedType();
  const auto choose = [&](auto zero) -> Handler {
    using T = decltype(zero);
    return shift ? &Unary<FindHighest<true>, U32, T> : &Unary<FindHighest<false>, U32, T>;
  };
  switch (type) {
    case Type::kU32:
      in.run = choose(U32{});
      break;
    case Type::kS32:
      in.run = choose(std::int32_t{});
      break;
    case Type::kU64:
      in.run = choose(U64{});
      break;
    case Type::kS64:
      in.run = choose(std::int64_t{});
      break;
    default:
      d.Refuse("not for this type");
  }
  in.reg[0] = d.Destination(0, 4);
  in.reg[1] = d.Source(1, Width(type));
}

void DecodeLogicTable(Decoder& d, Instruction& in) {
  if (d.NeedType() != Type::kB32) d.Refuse("only b32");
  if (d.operand(4).kind != Operand::Kind::kInteger || d.operand(4).value > 255)
    d.Refuse("a table that is no constant");
  in.run = &LogicTable<void>;
  in.mode = static_cast<std::uint8_t>(d.operand(4).value);
  in.reg[0] = d.Destination(0, 4);
  for (std::size_t i = 1; i < 4; ++i) in.reg[i] = d.Source(i, 4);
}

template <class F>
Handler WordTernary() {
  return &Ternary<F, U32, U32, U32, U32>;
}

void DecodePermute(Decoder& d, Instruction& in) {
  if (d.NeedType() != Type::kB32) d.Refuse("only b32");
  switch (d.TakeOneOf({"f4e", "b4e", "rc8", "ecl", "ecr", "rc16"})) {
    case 0:
      in.run = WordTernary<PermuteMode<0>>();
      break;
    case 1:
      in.run = WordTernary<PermuteMode<1>>();
      break;
    case 2:
      in.run = WordTernary<PermuteMode<2>>();
      break;
    case 3:
      in.run = WordTernary<PermuteMode<3>>();
      break;
    case 4:
      in.run = WordTernary<PermuteMode<4>>();
      break;
    case 5:
      in.run = WordTernary<PermuteMode<5>>();
      break;
    default:
      in.run = WordTernary<Permute>();
      break;
  }
  in.reg[0] = d.Destination(0, 4);
  for (std::size_t i = 1; i < 4; ++i) in.reg[i] = d.Source(i, 4);
}

void DecodeFunnel(Decoder& d, Instruction& in) {
  const int left = d.TakeOneOf({"r", "l"});
  const int clamp = d.TakeOneOf({"wrap", "clamp"});
  if (left < 0 || clamp < 0 || d.NeedType() != Type::kB32) d.Refuse("an unknown form");
  in.run = left == 1 ? (clamp == 1 ? WordTernary<FunnelShift<true, true>>()
                                   : WordTernary<FunnelShift<true, false>>())
                     : (clamp == 1 ? WordTernary<FunnelShift<false, true>>()
                                   : WordTernary<FunnelShift<false, false>>());
  in.reg[0] = d.Destination(0, 4);
  for (std::size_t i = 1; i < 4; ++i) in.reg[i] = d.Source(i, 4);
}

}  // namespace

void AddBitOpcodes(OpcodeTables& tables) {
  auto& general = tables.general;
  general["and"] = &DecodeLogic<And>;
  general["or"] = &DecodeLogic<Or>;
  general["xor"] = &DecodeLogic<Xor>;
  general["not"] = &DecodeNot;
  general["cnot"] = &DecodeUnaryBits<LogicalNot>;
  general["shl"] = &DecodeShiftLeft;
  general["shr"] = &DecodeShiftRight;
  general["shf"] = &DecodeFunnel;
  general["popc"] = &DecodeCountBits<PopulationCount>;
  general["clz"] = &DecodeCountBits<LeadingZeros>;
  general["brev"] = &DecodeUnaryBits<Reverse>;
  general["bfind"] = &DecodeFindHighest;
  general["bfe"] = &DecodeExtract;
  general["bfi"] = &DecodeInsert;
  general["lop3"] = &DecodeLogicTable;
  general["prmt"] = &DecodePermute;
}

}  // namespace paluku::emulator
