// atom and red: sequentially consistent, one lane after the other in the order of the settings.
#include <cmath>
#include <cstring>
#include <type_traits>

#include "tests/support/cuda_emulator/decoder.h"
#include "tests/support/cuda_emulator/float_formats.h"
#include "tests/support/cuda_emulator/lanes.h"
#include "tests/support/cuda_emulator/memory_operands.h"

namespace paluku::emulator {
namespace {

constexpr int kBase = kMostOperands - 2;

enum Operation : int {
  kAdd,
  kMin,
  kMax,
  kAnd,
  kOr,
  kXor,
  kExchange,
  kCompareAndSwap,
  kIncrement,
  kDecrement
};

template <class Format, int kHalves>
std::uint32_t AddHalves(std::uint32_t a, std::uint32_t b) {
  std::uint32_t sum = 0;
  for (int i = 0; i < kHalves; ++i) {
    const auto part = [i](std::uint32_t x) {
      return static_cast<double>(Format::ToFloat(static_cast<std::uint16_t>(x >> 16 * i)));
    };
    sum |= static_cast<std::uint32_t>(Format::FromDouble(part(a) + part(b))) << 16 * i;
  }
  return sum;
}

template <class T>
T Integer(int operation, T old, T b, T c) {
  using U = std::make_unsigned_t<T>;
  switch (operation) {
    case kAdd:
      return static_cast<T>(static_cast<U>(old) + static_cast<U>(b));
    case kMin:
      return old < b ? old : b;
    case kMax:
      return old < b ? b : old;
    case kAnd:
      return old & b;
    case kOr:
      return old | b;
    case kXor:
      return old ^ b;
    case kCompareAndSwap:
      return old == b ? c : old;
    case kIncrement:
      return old >= b ? T{0} : static_cast<T>(old + 1);
    case kDecrement:
      return old == 0 || old > b ? b : static_cast<T>(old - 1);
    default:
      return b;
  }
}

// How the new value follows from the old one; T is what lies in memory.
template <class T>
struct Plain {
  using Stored = T;
  static T Next(int operation, T old, T b, T c) {
    if constexpr (std::is_floating_point_v<T>) {
      return operation == kAdd ? old + b : b;
    } else {
      return Integer(operation, old, b, c);
    }
  }
};
template <class Format>
struct OneHalf {
  using Stored = std::uint16_t;
  static std::uint16_t Next(int, std::uint16_t old, std::uint16_t b, std::uint16_t) {
    return static_cast<std::uint16_t>(AddHalves<Format, 1>(old, b));
  }
};
template <class Format>
struct TwoHalves {
  using Stored = std::uint32_t;
  static std::uint32_t Next(int, std::uint32_t old, std::uint32_t b, std::uint32_t) {
    return AddHalves<Format, 2>(old, b);
  }
};

// reg[0] old value, reg[1] operand, reg[2] second operand (compare and swap).
template <class Kind>
void Update(Warp& warp, const Instruction& in, LaneMask active) {
  using T = typename Kind::Stored;
  LaneAccess access;
  LaneAddresses(warp, in, kBase, access.address);
  if (!warp.block().Access(warp, in, active, AccessKind::kAtomic, in.space, sizeof(T), access))
    return;
  T* d = warp.Lanes<T>(in.reg[0]);
  const T* b = warp.Lanes<T>(in.reg[1]);
  const T* c = warp.Lanes<T>(in.reg[2]);
  warp.block().ForLanesInOrder(active, [&](int lane) {
    T old;
    std::memcpy(&old, access.pointer[lane], sizeof(T));
    const T next = Kind::Next(in.mode, old, b[lane], c[lane]);
    std::memcpy(access.pointer[lane], &next, sizeof(T));
    d[lane] = old;
  });
}

Handler Choose(Decoder& d, Type type, int operation) {
  if (IsFloat(type) && operation != kAdd) d.Refuse("not for this type");
  switch (type) {
    case Type::kU32:
    case Type::kB32:
      return &Update<Plain<std::uint32_t>>;
    case Type::kS32:
      return &Update<Plain<std::int32_t>>;
    case Type::kU64:
    case Type::kB64:
      return &Update<Plain<std::uint64_t>>;
    case Type::kS64:
      return &Update<Plain<std::int64_t>>;
    case Type::kB16:
      return &Update<Plain<std::uint16_t>>;
    case Type::kF32:
      return &Update<Plain<float>>;
    case Type::kF64:
      return &Update<Plain<double>>;
    case Type::kF16:
      return &Update<OneHalf<Half>>;
    case Type::kBf16:
      return &Update<OneHalf<Bf16>>;
    case Type::kF16x2:
      return &Update<TwoHalves<Half>>;
    case Type::kBf16x2:
      return &Update<TwoHalves<Bf16>>;
    default:
      d.Refuse("not for this type");
  }
}

void DecodeUpdate(Decoder& d, Instruction& in, bool returns) {
  d.TakeOneOf({"relaxed", "acquire", "release", "acq_rel"});
  d.TakeOneOf({"cta", "cluster", "gpu", "sys"});
  in.space = TakeSpace(d);
  const int operation =
      d.TakeOneOf({"add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec"});
  if (operation < 0) d.Refuse("which operation?");
  d.Take("noftz");
  const Type type = d.NeedType();
  const int width = Width(type);
  in.mode = static_cast<std::uint8_t>(operation);
  in.run = Choose(d, type, operation);
  const std::size_t first = returns ? 1 : 0;
  in.reg[0] = returns ? d.Destination(0, width) : d.Scratch(width);
  in.reg[1] = d.Source(first + 1, width);
  in.reg[2] = operation == kCompareAndSwap ? d.Source(first + 2, width) : in.reg[1];
  d.Address(d.operand(first), in, kBase);
}

void DecodeAtomic(Decoder& d, Instruction& in) { DecodeUpdate(d, in, true); }
void DecodeReduction(Decoder& d, Instruction& in) { DecodeUpdate(d, in, false); }

}  // namespace

void AddAtomicOpcodes(OpcodeTables& tables) {
  tables.general["atom"] = &DecodeAtomic;
  tables.general["red"] = &DecodeReduction;
}

}  // namespace paluku::emulator
