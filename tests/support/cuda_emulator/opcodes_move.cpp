// mov, with packing and unpacking of vectors; selections that need no comparison.
#include "tests/support/cuda_emulator/decoder.h"
#include "tests/support/cuda_emulator/lanes.h"

namespace paluku::emulator {
namespace {

struct Same {
  template <class T>
  static T Apply(T a) {
    return a;
  }
};

// Whole = parts side by side, the first one lowest.
template <class Part, class Whole>
void Pack(Warp& warp, const Instruction& in, LaneMask active) {
  Whole* d = warp.Lanes<Whole>(in.reg[0]);
  ForLanes(active, [&](int lane) {
    Whole value = 0;
    for (std::uint32_t i = 0; i < sizeof(Whole) / sizeof(Part); ++i) {
      value |= static_cast<Whole>(static_cast<Whole>(warp.Lanes<Part>(in.reg[1 + i])[lane])
                                  << (8 * sizeof(Part) * i));
    }
    d[lane] = value;
  });
}

template <class Part, class Whole>
void Unpack(Warp& warp, const Instruction& in, LaneMask active) {
  const Whole* a = warp.Lanes<Whole>(in.reg[0]);
  ForLanes(active, [&](int lane) {
    const Whole value = a[lane];  // a part may share the register
    for (std::uint32_t i = 0; i < sizeof(Whole) / sizeof(Part); ++i) {
      warp.Lanes<Part>(in.reg[1 + i])[lane] = static_cast<Part>(value >> (8 * sizeof(Part) * i));
    }
  });
}

template <template <class, class> class Holder>
Handler ForParts(Decoder& d, int part, int whole) {
  if (part == 2 && whole == 4) return Holder<std::uint16_t, std::uint32_t>::kHandler;
  if (part == 2 && whole == 8) return Holder<std::uint16_t, std::uint64_t>::kHandler;
  if (part == 4 && whole == 8) return Holder<std::uint32_t, std::uint64_t>::kHandler;
  d.Refuse("an odd vector");
}
template <class Part, class Whole>
struct PackHolder {
  static constexpr Handler kHandler = &Pack<Part, Whole>;
};
template <class Part, class Whole>
struct UnpackHolder {
  static constexpr Handler kHandler = &Unpack<Part, Whole>;
};

void MovePredicate(Warp& warp, const Instruction& in, LaneMask active) {
  warp.SetPredicate(in.reg[0], active, warp.Predicate(in.reg[1]) ^ (in.mode != 0 ? kAllLanes : 0));
}

void DecodeMove(Decoder& d, Instruction& in) {
  const Type type = d.NeedType();
  const int width = Width(type);
  if (type == Type::kPred) {
    bool negated = false;
    in.reg[0] = d.PredicateDestination(d.operand(0));
    in.reg[1] = d.PredicateSource(d.operand(1), negated);
    in.mode = negated ? 1 : 0;
    in.run = &MovePredicate;
    return;
  }
  const Operand& to = d.operand(0);
  const Operand& from = d.operand(1);
  const bool unpack = to.kind == Operand::Kind::kVector;
  if (unpack || from.kind == Operand::Kind::kVector) {
    const Operand& vector = unpack ? to : from;
    const int part = width / static_cast<int>(vector.elements.size());
    in.run = unpack ? ForParts<UnpackHolder>(d, part, width) : ForParts<PackHolder>(d, part, width);
    in.reg[0] = unpack ? d.Source(from, width) : d.Destination(to, width);
    for (std::size_t i = 0; i < vector.elements.size(); ++i) {
      in.reg[1 + i] =
          unpack ? d.Destination(vector.elements[i], part) : d.Source(vector.elements[i], part);
    }
    return;
  }
  in.run = width == 2   ? Handler{&Unary<Same, std::uint16_t, std::uint16_t>}
           : width == 4 ? Handler{&Unary<Same, std::uint32_t, std::uint32_t>}
                        : Handler{&Unary<Same, std::uint64_t, std::uint64_t>};
  if (width < 2) d.Refuse("not for this type");
  in.reg[0] = d.Destination(to, width);
  in.reg[1] = d.Source(from, width);
}

template <class T>
void Select(Warp& warp, const Instruction& in, LaneMask active) {
  T* d = warp.Lanes<T>(in.reg[0]);
  const T* a = warp.Lanes<T>(in.reg[1]);
  const T* b = warp.Lanes<T>(in.reg[2]);
  const std::uint32_t which = warp.Predicate(in.reg[3]) ^ (in.mode != 0 ? kAllLanes : 0);
  ForLanes(active, [=](int lane) { d[lane] = (which >> lane & 1) != 0 ? a[lane] : b[lane]; });
}

void DecodeSelect(Decoder& d, Instruction& in) {
  const int width = Width(d.NeedType());
  if (width < 2) d.Refuse("not for this type");
  in.run = width == 2   ? &Select<std::uint16_t>
           : width == 4 ? &Select<std::uint32_t>
                        : &Select<std::uint64_t>;
  bool negated = false;
  in.reg[0] = d.Destination(0, width);
  in.reg[1] = d.Source(1, width);
  in.reg[2] = d.Source(2, width);
  in.reg[3] = d.PredicateSource(d.operand(3), negated);
  in.mode = negated ? 1 : 0;
}

// a where the third operand is not negative.
template <class T, class Sign>
void SelectBySign(Warp& warp, const Instruction& in, LaneMask active) {
  T* d = warp.Lanes<T>(in.reg[0]);
  const T* a = warp.Lanes<T>(in.reg[1]);
  const T* b = warp.Lanes<T>(in.reg[2]);
  const Sign* c = warp.Lanes<Sign>(in.reg[3]);
  ForLanes(active, [=](int lane) { d[lane] = c[lane] >= Sign{0} ? a[lane] : b[lane]; });
}

void DecodeSelectBySign(Decoder& d, Instruction& in) {
  d.Take("ftz");  // a denormal's sign does not change the choice but for -denormal, which then
                  // counts as zero
  const int width = Width(d.NeedType());
  const Type sign = d.NeedType();
  if (sign != Type::kS32 && sign != Type::kF32) d.Refuse("not for these types");
  const bool floating = sign == Type::kF32;
  using S = std::int32_t;
  if (width == 2) {
    in.run = floating ? &SelectBySign<std::uint16_t, float> : &SelectBySign<std::uint16_t, S>;
  } else if (width == 4) {
    in.run = floating ? &SelectBySign<std::uint32_t, float> : &SelectBySign<std::uint32_t, S>;
  } else if (width == 8) {
    in.run = floating ? &SelectBySign<std::uint64_t, float> : &SelectBySign<std::uint64_t, S>;
  } else {
    d.Refuse("not for this type");
  }
  in.reg[0] = d.Destination(0, width);
  in.reg[1] = d.Source(1, width);
  in.reg[2] = d.Source(2, width);
  in.reg[3] = d.Source(3, 4);
}

}  // namespace

void AddMoveOpcodes(OpcodeTables& tables) {
  tables.general["mov"] = &DecodeMove;
  tables.general["selp"] = &DecodeSelect;
  tables.general["slct"] = &DecodeSelectBySign;
}

}  // namespace paluku::emulator
