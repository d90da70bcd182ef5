// cvt, and the conversions of addresses between spaces (cvta, isspacep).
//
// Integers pass through 64 bits, floats through double; each kind of source and destination has its
// own loop.
#include <algorithm>
#include <cfenv>
#include <cmath>
#include <limits>

#include "tests/support/cuda_emulator/decoder.h"
#include "tests/support/cuda_emulator/float_formats.h"
#include "tests/support/cuda_emulator/lanes.h"

namespace paluku::emulator {
namespace {

constexpr std::uint8_t kFlush = 1;
constexpr std::uint8_t kSaturate = 2;
constexpr std::uint8_t kRelu = 4;
constexpr std::uint32_t kNoRounding = 0;  // reg[4]: 0, or 1 + index in kModes
constexpr int kModes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};

Type SourceType(const Instruction& in) { return static_cast<Type>(in.mode); }
Type ResultType(const Instruction& in) { return static_cast<Type>(in.mode2); }
// size and count hold the widths of the source and destination registers; reg[5] the flags, reg[4]
// the rounding.
std::uint8_t Flags(const Instruction& in) { return static_cast<std::uint8_t>(in.reg[5]); }

template <class Register, class T>
void LoadIntegers(Warp& warp, std::uint32_t from, std::int64_t* out) {
  const Register* source = warp.Lanes<Register>(from);
  for (int lane = 0; lane < kWarpSize; ++lane)
    out[lane] = static_cast<std::int64_t>(static_cast<T>(source[lane]));
}

template <class Register>
void LoadAs(Warp& warp, std::uint32_t from, Type type, std::int64_t* out) {
  switch (type) {
    case Type::kU8:
    case Type::kB8:
      return LoadIntegers<Register, std::uint8_t>(warp, from, out);
    case Type::kS8:
      return LoadIntegers<Register, std::int8_t>(warp, from, out);
    case Type::kU16:
    case Type::kB16:
      return LoadIntegers<Register, std::uint16_t>(warp, from, out);
    case Type::kS16:
      return LoadIntegers<Register, std::int16_t>(warp, from, out);
    case Type::kU32:
    case Type::kB32:
      return LoadIntegers<Register, std::uint32_t>(warp, from, out);
    case Type::kS32:
      return LoadIntegers<Register, std::int32_t>(warp, from, out);
    default:
      return LoadIntegers<Register, std::uint64_t>(warp, from, out);
  }
}

void LoadIntegers(Warp& warp, const Instruction& in, std::int64_t* out) {
  if (in.size == 2) return LoadAs<std::uint16_t>(warp, in.reg[1], SourceType(in), out);
  if (in.size == 4) return LoadAs<std::uint32_t>(warp, in.reg[1], SourceType(in), out);
  return LoadAs<std::uint64_t>(warp, in.reg[1], SourceType(in), out);
}

// Narrows to the type, then widens to the register.
template <class Register, class T>
void StoreIntegers(Warp& warp, std::uint32_t to, LaneMask active, const std::int64_t* values) {
  Register* d = warp.Lanes<Register>(to);
  ForLanes(active,
           [=](int lane) { d[lane] = static_cast<Register>(static_cast<T>(values[lane])); });
}

template <class Register>
void StoreAs(Warp& warp, std::uint32_t to, Type type, LaneMask active, const std::int64_t* values) {
  switch (type) {
    case Type::kU8:
    case Type::kB8:
      return StoreIntegers<Register, std::uint8_t>(warp, to, active, values);
    case Type::kS8:
      return StoreIntegers<Register, std::int8_t>(warp, to, active, values);
    case Type::kU16:
    case Type::kB16:
      return StoreIntegers<Register, std::uint16_t>(warp, to, active, values);
    case Type::kS16:
      return StoreIntegers<Register, std::int16_t>(warp, to, active, values);
    case Type::kU32:
    case Type::kB32:
      return StoreIntegers<Register, std::uint32_t>(warp, to, active, values);
    case Type::kS32:
      return StoreIntegers<Register, std::int32_t>(warp, to, active, values);
    default:
      return StoreIntegers<Register, std::uint64_t>(warp, to, active, values);
  }
}

void StoreIntegers(Warp& warp, const Instruction& in, LaneMask active, const std::int64_t* values) {
  if (in.count == 2) return StoreAs<std::uint16_t>(warp, in.reg[0], ResultType(in), active, values);
  if (in.count == 4) return StoreAs<std::uint32_t>(warp, in.reg[0], ResultType(in), active, values);
  return StoreAs<std::uint64_t>(warp, in.reg[0], ResultType(in), active, values);
}

// Least and greatest value of an integer type; u64's greatest does not fit and is handled apart.
std::pair<std::int64_t, std::int64_t> Limits(Type type) {
  const int bits = 8 * Width(type);
  if (IsSigned(type)) {
    const std::int64_t high = bits == 64 ? INT64_MAX : (std::int64_t{1} << (bits - 1)) - 1;
    return {-high - 1, high};
  }
  return {0, bits == 64 ? INT64_MAX : (std::int64_t{1} << bits) - 1};
}

void IntegerToInteger(Warp& warp, const Instruction& in, LaneMask active) {
  std::int64_t values[kWarpSize];
  LoadIntegers(warp, in, values);
  if ((Flags(in) & kSaturate) != 0) {
    const auto [low, high] = Limits(ResultType(in));
    const bool from_u64 = SourceType(in) == Type::kU64;
    for (std::int64_t& value : values) {
      value = from_u64 && value < 0 ? high : std::clamp(value, low, high);
    }
  }
  StoreIntegers(warp, in, active, values);
}

void LoadFloats(Warp& warp, const Instruction& in, double* out) {
  const bool flush = (Flags(in) & kFlush) != 0;
  for (int lane = 0; lane < kWarpSize; ++lane) {
    switch (SourceType(in)) {
      case Type::kF16:
        out[lane] = static_cast<double>(HalfToFloat(warp.Lanes<std::uint16_t>(in.reg[1])[lane]));
        break;
      case Type::kBf16:
        out[lane] = static_cast<double>(Bf16ToFloat(warp.Lanes<std::uint16_t>(in.reg[1])[lane]));
        break;
      case Type::kF64:
        out[lane] = warp.Lanes<double>(in.reg[1])[lane];
        break;
      default: {
        const float value = warp.Lanes<float>(in.reg[1])[lane];
        out[lane] = static_cast<double>(flush ? FlushDenormal(value) : value);
      }
    }
  }
}

// double to f16 or bf16 in a direction other than the nearest: the nearest, moved one step when it
// lies wrong.
template <class Format>
std::uint16_t Directed(double value, int mode) {
  std::uint16_t bits = Format::FromDouble(value);
  if (mode == FE_TONEAREST || std::isnan(value)) return bits;
  const auto back = static_cast<double>(Format::ToFloat(bits));
  const bool too_large = mode == FE_DOWNWARD ? back > value
                         : mode == FE_UPWARD ? false
                                             : std::fabs(back) > std::fabs(value);
  const bool too_small = mode == FE_UPWARD && back < value;
  if (!too_large && !too_small) return bits;
  const bool negative = (bits & 0x8000) != 0;
  const bool shrink = mode == FE_TOWARDZERO || (mode == FE_DOWNWARD) != negative;
  if ((bits & 0x7FFF) == 0 && !shrink) return mode == FE_UPWARD ? 1 : 0x8001;
  return static_cast<std::uint16_t>(shrink ? bits - 1 : bits + 1);
}

template <class Format>
std::uint16_t ToHalf(double value, const Instruction& in) {
  if ((Flags(in) & kRelu) != 0 && value < 0) value = 0;
  if ((Flags(in) & kSaturate) != 0) value = value > 0 ? std::min(value, 1.0) : 0;
  const int mode = in.reg[4] == kNoRounding ? FE_TONEAREST : kModes[in.reg[4] - 1];
  return Directed<Format>(value, mode);
}

float ToFloat(double value, const Instruction& in) {
  const int mode = in.reg[4] == kNoRounding ? FE_TONEAREST : kModes[in.reg[4] - 1];
  auto result = static_cast<float>(value);
  if (mode != FE_TONEAREST && !std::isnan(value)) {
    const float infinity = std::numeric_limits<float>::infinity();
    const auto back = static_cast<double>(result);
    if (mode == FE_TOWARDZERO && std::fabs(back) > std::fabs(value))
      result = std::nextafter(result, 0.0F);
    if (mode == FE_DOWNWARD && back > value) result = std::nextafter(result, -infinity);
    if (mode == FE_UPWARD && back < value) result = std::nextafter(result, infinity);
  }
  if ((Flags(in) & kSaturate) != 0) result = result > 0 ? std::min(result, 1.0F) : 0.0F;
  return (Flags(in) & kFlush) != 0 ? FlushDenormal(result) : result;
}

void StoreFloats(Warp& warp, const Instruction& in, LaneMask active, const double* values) {
  const Type type = ResultType(in);
  ForLanes(active, [&](int lane) {
    switch (type) {
      case Type::kF16:
        warp.Lanes<std::uint16_t>(in.reg[0])[lane] = ToHalf<Half>(values[lane], in);
        break;
      case Type::kBf16:
        warp.Lanes<std::uint16_t>(in.reg[0])[lane] = ToHalf<Bf16>(values[lane], in);
        break;
      case Type::kF32:
        warp.Lanes<float>(in.reg[0])[lane] = ToFloat(values[lane], in);
        break;
      default:
        warp.Lanes<double>(in.reg[0])[lane] = values[lane];
        break;
    }
  });
}

double RoundToInteger(double value, int mode) {
  switch (mode) {
    case FE_TOWARDZERO:
      return std::trunc(value);
    case FE_DOWNWARD:
      return std::floor(value);
    case FE_UPWARD:
      return std::ceil(value);
    default:
      return std::nearbyint(value);
  }
}

// cvt.rni.f32.f32 and its like: reg[6] holds 1 + the mode.
void FloatToFloat(Warp& warp, const Instruction& in, LaneMask active) {
  double values[kWarpSize];
  LoadFloats(warp, in, values);
  if (in.reg[6] != 0) {
    for (double& value : values) value = RoundToInteger(value, kModes[in.reg[6] - 1]);
  }
  StoreFloats(warp, in, active, values);
}

std::int64_t ToInteger(double value, const Instruction& in) {
  const Type type = ResultType(in);
  if (std::isnan(value)) {
    const bool zero = SourceType(in) != Type::kF64 && Width(type) != 8;
    return zero ? 0 : static_cast<std::int64_t>(std::uint64_t{1} << (8 * Width(type) - 1));
  }
  const double whole = RoundToInteger(value, kModes[in.reg[6] - 1]);
  if (type == Type::kU64) {
    if (whole >= 18446744073709551616.0) return -1;
    return whole <= 0 ? 0 : static_cast<std::int64_t>(static_cast<std::uint64_t>(whole));
  }
  const auto [low, high] = Limits(type);
  if (whole >= static_cast<double>(high)) return high;  // exact: below 2^63 or equal to it
  return whole <= static_cast<double>(low) ? low : static_cast<std::int64_t>(whole);
}

void FloatToInteger(Warp& warp, const Instruction& in, LaneMask active) {
  double values[kWarpSize];
  std::int64_t integers[kWarpSize];
  LoadFloats(warp, in, values);
  for (int lane = 0; lane < kWarpSize; ++lane) integers[lane] = ToInteger(values[lane], in);
  StoreIntegers(warp, in, active, integers);
}

void IntegerToFloat(Warp& warp, const Instruction& in, LaneMask active) {
  std::int64_t integers[kWarpSize];
  LoadIntegers(warp, in, integers);
  const bool from_u64 = SourceType(in) == Type::kU64;
  const int mode = in.reg[4] == kNoRounding ? FE_TONEAREST : kModes[in.reg[4] - 1];
  const int before = std::fegetround();
  std::fesetround(mode);
  for (; active != 0; active &= active - 1) {
    const int lane = std::countr_zero(active);
    volatile std::int64_t kept = integers[lane];  // converted after the change of rounding
    const std::int64_t integer = kept;
    switch (ResultType(in)) {
      case Type::kF32:
        warp.Lanes<float>(in.reg[0])[lane] =
            from_u64 ? static_cast<float>(static_cast<std::uint64_t>(integer))
                     : static_cast<float>(integer);
        break;
      case Type::kF64:
        warp.Lanes<double>(in.reg[0])[lane] =
            from_u64 ? static_cast<double>(static_cast<std::uint64_t>(integer))
                     : static_cast<double>(integer);
        break;
      case Type::kF16:
        warp.Lanes<std::uint16_t>(in.reg[0])[lane] = ToHalf<Half>(static_cast<double>(integer), in);
        break;
      default:
        warp.Lanes<std::uint16_t>(in.reg[0])[lane] = ToHalf<Bf16>(static_cast<double>(integer), in);
        break;
    }
  }
  std::fesetround(before);
}

// The conversion that inference kernels spend most on.
void HalfToFloatLanes(Warp& warp, const Instruction& in, LaneMask active) {
  const auto* a = warp.Lanes<std::uint16_t>(in.reg[1]);
  float* d = warp.Lanes<float>(in.reg[0]);
  if (active == kAllLanes) {
    for (int lane = 0; lane < kWarpSize; lane += 8) {
      _mm256_storeu_ps(
          d + lane, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(a + lane))));
    }
  } else {
    ForLanes(active, [=](int lane) { d[lane] = HalfToFloat(a[lane]); });
  }
}

void FloatToHalfLanes(Warp& warp, const Instruction& in, LaneMask active) {
  const auto* a = warp.Lanes<float>(in.reg[1]);
  auto* d = warp.Lanes<std::uint16_t>(in.reg[0]);
  ForLanes(active, [=](int lane) { d[lane] = FloatToHalf(a[lane]); });
}

template <class T>
void IntegerToFloatLanes(Warp& warp, const Instruction& in, LaneMask active) {
  const auto* a = warp.Lanes<T>(in.reg[1]);
  auto* d = warp.Lanes<float>(in.reg[0]);
  ForLanes(active, [=](int lane) { d[lane] = static_cast<float>(a[lane]); });
}

// Two f32 into a packed pair; the first source is the upper half.
template <class Format>
void Pack(Warp& warp, const Instruction& in, LaneMask active) {
  const auto* high = warp.Lanes<float>(in.reg[1]);
  const auto* low = warp.Lanes<float>(in.reg[2]);
  auto* d = warp.Lanes<std::uint32_t>(in.reg[0]);
  ForLanes(active, [&](int lane) {
    d[lane] = static_cast<std::uint32_t>(ToHalf<Format>(static_cast<double>(high[lane]), in))
                  << 16 |
              ToHalf<Format>(static_cast<double>(low[lane]), in);
  });
}

Handler Fast(const Instruction& in) {
  if (in.reg[5] != 0 || in.reg[6] != 0) return nullptr;
  const Type from = SourceType(in);
  const Type to = ResultType(in);
  if (from == Type::kF16 && to == Type::kF32) return &HalfToFloatLanes;
  if (in.reg[4] != 1) return nullptr;  // to the nearest
  if (from == Type::kF32 && to == Type::kF16) return &FloatToHalfLanes;
  if (from == Type::kS32 && to == Type::kF32 && in.size == 4)
    return &IntegerToFloatLanes<std::int32_t>;
  if (from == Type::kU32 && to == Type::kF32 && in.size == 4)
    return &IntegerToFloatLanes<std::uint32_t>;
  return nullptr;
}

void DecodeConvert(Decoder& d, Instruction& in) {
  const int whole = d.TakeOneOf({"rni", "rzi", "rmi", "rpi"});
  const int rounding = d.TakeOneOf({"rn", "rz", "rm", "rp"});
  std::uint8_t flags = 0;
  if (d.Take("ftz")) flags |= kFlush;
  if (d.Take("sat")) flags |= kSaturate;
  if (d.Take("relu")) flags |= kRelu;
  const Type to = d.NeedType();
  const Type from = d.NeedType();
  in.mode = static_cast<std::uint8_t>(from);
  in.mode2 = static_cast<std::uint8_t>(to);
  in.reg[4] = rounding < 0 ? kNoRounding : static_cast<std::uint32_t>(rounding) + 1;
  in.reg[5] = flags;
  in.reg[6] = static_cast<std::uint32_t>(whole + 1);
  if (to == Type::kF16x2 || to == Type::kBf16x2) {
    if (from != Type::kF32) d.Refuse("only from f32");
    in.run = to == Type::kF16x2 ? &Pack<Half> : &Pack<Bf16>;
    in.reg[0] = d.Destination(0, 4);
    in.reg[1] = d.Source(1, 4);
    in.reg[2] = d.Source(2, 4);
    return;
  }
  if (Width(to) == 0 || Width(from) == 0 || from == Type::kF16x2 || from == Type::kBf16x2)
    d.Refuse("not for these types");
  // Integer operands may lie in wider registers.
  const int result = IsFloat(to) ? Width(to) : d.WidthOf(d.operand(0), std::max(2, Width(to)));
  const int source =
      IsFloat(from) ? Width(from) : d.WidthOf(d.operand(1), std::max(2, Width(from)));
  if (result < Width(to) || source < Width(from)) d.Refuse("a register narrower than its type");
  in.count = static_cast<std::uint8_t>(result);
  in.size = static_cast<std::uint8_t>(source);
  in.reg[0] = d.Destination(0, result);
  in.reg[1] = d.Source(1, source);
  if (!IsFloat(from) && !IsFloat(to)) {
    in.run = &IntegerToInteger;
  } else if (!IsFloat(from)) {
    in.run = &IntegerToFloat;
  } else if (!IsFloat(to)) {
    if (whole < 0) d.Refuse("a rounding is missing");
    in.run = &FloatToInteger;
  } else {
    in.run = &FloatToFloat;
  }
  if (const Handler fast = Fast(in); fast != nullptr) in.run = fast;
}

struct AddSharedWindow {
  static std::uint64_t Apply(std::uint64_t a) { return a | kSharedWindow; }
};
struct DropSharedWindow {
  static std::uint64_t Apply(std::uint64_t a) { return a & 0xFFFFFFFF; }
};
struct Same {
  static std::uint64_t Apply(std::uint64_t a) { return a; }
};

void DecodeAddress(Decoder& d, Instruction& in) {
  const bool to = d.Take("to");
  const int space = d.TakeOneOf({"global", "shared", "local", "const", "param", "shared::cta"});
  if (space < 0 || Width(d.NeedType()) != 8) d.Refuse("an unknown form");
  const bool shared = space == 1 || space == 5;
  using U64 = std::uint64_t;
  in.run = !shared ? &Unary<Same, U64, U64>
           : to    ? &Unary<DropSharedWindow, U64, U64>
                   : &Unary<AddSharedWindow, U64, U64>;
  in.reg[0] = d.Destination(0, 8);
  in.reg[1] = d.Source(1, 8);
}

void IsSpace(Warp& warp, const Instruction& in, LaneMask active) {
  const auto* a = warp.Lanes<std::uint64_t>(in.reg[1]);
  static constexpr std::uint64_t kWindows[] = {0, kSharedWindow, kLocalWindow, kParamWindow};
  std::uint32_t result = 0;
  for (int lane = 0; lane < kWarpSize; ++lane) {
    result |= static_cast<std::uint32_t>((a[lane] & kWindowMask) == kWindows[in.mode]) << lane;
  }
  warp.SetPredicate(in.reg[0], active, result);
}

void DecodeIsSpace(Decoder& d, Instruction& in) {
  const int space = d.TakeOneOf({"global", "shared", "local", "param"});
  if (space < 0) d.Refuse("which space?");
  in.mode = static_cast<std::uint8_t>(space);
  in.run = &IsSpace;
  in.reg[0] = d.PredicateDestination(d.operand(0));
  in.reg[1] = d.Source(1, 8);
}

}  // namespace

void AddConvertOpcodes(OpcodeTables& tables) {
  tables.general["cvt"] = &DecodeConvert;
  tables.general["cvta"] = &DecodeAddress;
  tables.general["isspacep"] = &DecodeIsSpace;
}

}  // namespace paluku::emulator
