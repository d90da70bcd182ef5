// f32 and f64 arithmetic, in all rounding modes; the approximate instructions, which may be
// perturbed.
#include <cfenv>
#include <cmath>
#include <limits>

#include "tests/support/cuda_emulator/decoder.h"
#include "tests/support/cuda_emulator/float_formats.h"
#include "tests/support/cuda_emulator/lanes.h"
#include "tests/support/cuda_emulator/settings.h"

namespace paluku::emulator {
namespace {

constexpr std::uint8_t kFlush = 1;     // mode: .ftz
constexpr std::uint8_t kSaturate = 2;  // mode: .sat

struct AddFloat {
  template <class T>
  static T Apply(T a, T b) {
    return a + b;
  }
};
struct SubtractFloat {
  template <class T>
  static T Apply(T a, T b) {
    return a - b;
  }
};
struct MultiplyFloat {
  template <class T>
  static T Apply(T a, T b) {
    return a * b;
  }
};
struct DivideFloat {
  template <class T>
  static T Apply(T a, T b) {
    return a / b;
  }
};
template <bool kNanWins>
struct MinimumFloat {
  template <class T>
  static T Apply(T a, T b) {
    return FloatMinimum<kNanWins>(a, b);
  }
};
template <bool kNanWins>
struct MaximumFloat {
  template <class T>
  static T Apply(T a, T b) {
    return FloatMaximum<kNanWins>(a, b);
  }
};
struct FusedFloat {
  template <class T>
  static T Apply(T a, T b, T c) {
    return std::fma(a, b, c);
  }
};
struct CopySign {  // the sign is that of the first operand
  template <class T>
  static T Apply(T a, T b) {
    return std::copysign(b, a);
  }
};
struct AbsoluteFloat {
  template <class T>
  static T Apply(T a) {
    return std::fabs(a);
  }
};
struct NegateFloat {
  template <class T>
  static T Apply(T a) {
    return -a;
  }
};
struct SquareRoot {
  template <class T>
  static T Apply(T a) {
    return std::sqrt(a);
  }
};
struct Reciprocal {
  template <class T>
  static T Apply(T a) {
    return T{1} / a;
  }
};
struct ReciprocalRoot {
  template <class T>
  static T Apply(T a) {
    return T{1} / std::sqrt(a);
  }
};
struct Exp2 {
  static float Apply(float a) { return std::exp2(a); }
};
struct Log2 {
  static float Apply(float a) { return std::log2(a); }
};
struct Sine {
  static float Apply(float a) { return std::sin(a); }
};
struct Cosine {
  static float Apply(float a) { return std::cos(a); }
};
struct HyperbolicTangent {
  static float Apply(float a) { return std::tanh(a); }
};

// Sets the rounding mode of the processor for one handler.
class Rounding {
 public:
  explicit Rounding(int mode) : before_(std::fegetround()) { std::fesetround(mode); }
  ~Rounding() { std::fesetround(before_); }
  Rounding(const Rounding&) = delete;
  Rounding& operator=(const Rounding&) = delete;

 private:
  int before_;
};

template <class T>
T FlushIf(bool flush, T value) {
  if constexpr (sizeof(T) == 4) return flush ? FlushDenormal(value) : value;
  return value;
}

template <class T>
T Saturated(T value) {
  return value > T{0} ? (value < T{1} ? value : T{1}) : T{0};  // NaN becomes 0
}

// The operands go through volatiles, so that the compiler cannot move the arithmetic across a
// change of rounding.
template <class F, class T, int kOperands>
T Evaluate(T a, T b, T c) {
  volatile T x = a;
  volatile T y = b;
  volatile T z = c;
  volatile T result;
  if constexpr (kOperands == 1) {
    result = F::Apply(static_cast<T>(x));
  } else if constexpr (kOperands == 2) {
    result = F::Apply(static_cast<T>(x), static_cast<T>(y));
  } else {
    result = F::Apply(static_cast<T>(x), static_cast<T>(y), static_cast<T>(z));
  }
  return result;
}

// Everything but the plain case: rounding in mode2, flushing and saturation in mode.
template <class F, class T, int kOperands>
void Careful(Warp& warp, const Instruction& in, LaneMask active) {
  static constexpr int kModes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
  T* d = warp.Lanes<T>(in.reg[0]);
  const T* a = warp.Lanes<T>(in.reg[1]);
  const T* b = kOperands > 1 ? warp.Lanes<T>(in.reg[2]) : a;
  const T* c = kOperands > 2 ? warp.Lanes<T>(in.reg[3]) : a;
  const bool flush = (in.mode & kFlush) != 0;
  const Rounding rounding(kModes[in.mode2]);
  for (; active != 0; active &= active - 1) {
    const int lane = std::countr_zero(active);
    T value = Evaluate<F, T, kOperands>(FlushIf(flush, a[lane]), FlushIf(flush, b[lane]),
                                        FlushIf(flush, c[lane]));
    value = FlushIf(flush, value);
    d[lane] = (in.mode & kSaturate) != 0 ? Saturated(value) : value;
  }
}

// With flushing to zero alone (-use_fast_math), vectorised.
template <class F, int kOperands>
void Flushing(Warp& warp, const Instruction& in, LaneMask active) {
  float* d = warp.Lanes<float>(in.reg[0]);
  const float* a = warp.Lanes<float>(in.reg[1]);
  const float* b = kOperands > 1 ? warp.Lanes<float>(in.reg[2]) : a;
  const float* c = kOperands > 2 ? warp.Lanes<float>(in.reg[3]) : a;
  ForLanes(active, [=](int lane) {
    if constexpr (kOperands == 1) {
      d[lane] = FlushDenormal(F::Apply(FlushDenormal(a[lane])));
    } else if constexpr (kOperands == 2) {
      d[lane] = FlushDenormal(F::Apply(FlushDenormal(a[lane]), FlushDenormal(b[lane])));
    } else {
      d[lane] = FlushDenormal(
          F::Apply(FlushDenormal(a[lane]), FlushDenormal(b[lane]), FlushDenormal(c[lane])));
    }
  });
}

template <class F, class T, int kOperands>
Handler Plain() {
  if constexpr (kOperands == 1) return &Unary<F, T, T>;
  if constexpr (kOperands == 2) return &Binary<F, T, T, T>;
  if constexpr (kOperands == 3) return &Ternary<F, T, T, T, T>;
}

template <class F, int kOperands>
void Finish(Decoder& d, Instruction& in, Type type) {
  if (type == Type::kF32) {
    if (in.mode == 0 && in.mode2 == 0) {
      in.run = Plain<F, float, kOperands>();
    } else if (in.mode == kFlush && in.mode2 == 0) {
      in.run = &Flushing<F, kOperands>;
    } else {
      in.run = &Careful<F, float, kOperands>;
    }
  } else if (type == Type::kF64) {
    in.run = in.mode == 0 && in.mode2 == 0 ? Plain<F, double, kOperands>()
                                           : &Careful<F, double, kOperands>;
  } else {
    d.Refuse("not for this type");
  }
  in.reg[0] = d.Destination(0, Width(type));
  for (std::size_t i = 1; i <= kOperands; ++i) in.reg[i] = d.Source(i, Width(type));
}

void TakeModes(Decoder& d, Instruction& in) {
  const int rounding = d.TakeOneOf({"rn", "rz", "rm", "rp"});
  in.mode2 = static_cast<std::uint8_t>(rounding < 0 ? 0 : rounding);
  if (d.Take("ftz")) in.mode |= kFlush;
  if (d.Take("sat")) in.mode |= kSaturate;
}

template <class F, int kOperands>
void DecodeArithmetic(Decoder& d, Instruction& in) {
  TakeModes(d, in);
  Finish<F, kOperands>(d, in, d.NeedType());
}

template <class Plainly, class NanWins>
void DecodeExtreme(Decoder& d, Instruction& in) {
  if (d.Take("ftz")) in.mode |= kFlush;
  const bool nan = d.Take("NaN");
  const Type type = d.NeedType();
  if (nan) {
    Finish<NanWins, 2>(d, in, type);
  } else {
    Finish<Plainly, 2>(d, in, type);
  }
}

template <class F>
void DecodeSign(Decoder& d, Instruction& in) {
  if (d.Take("ftz")) in.mode |= kFlush;
  Finish<F, 1>(d, in, d.NeedType());
}

void DecodeCopySign(Decoder& d, Instruction& in) { Finish<CopySign, 2>(d, in, d.NeedType()); }

float Perturbed(float value, Random& random) {
  const std::uint32_t most = settings().perturb;
  if (!std::isfinite(value) || value == 0) return value;
  auto ulp =
      static_cast<std::int32_t>(random.Below(2 * most + 1)) - static_cast<std::int32_t>(most);
  for (; ulp > 0; --ulp) value = std::nextafter(value, std::numeric_limits<float>::infinity());
  for (; ulp < 0; ++ulp) value = std::nextafter(value, -std::numeric_limits<float>::infinity());
  return value;
}

// Approximate instructions are the correctly rounded function of libm; hardware is off by a few
// ulp, which the setting "perturb" imitates.
template <class F, int kOperands>
void Approximate(Warp& warp, const Instruction& in, LaneMask active) {
  float* d = warp.Lanes<float>(in.reg[0]);
  const float* a = warp.Lanes<float>(in.reg[1]);
  const float* b = kOperands > 1 ? warp.Lanes<float>(in.reg[2]) : a;
  const bool flush = (in.mode & kFlush) != 0;
  const bool perturb = settings().perturb != 0;
  for (; active != 0; active &= active - 1) {
    const int lane = std::countr_zero(active);
    float value;
    if constexpr (kOperands == 1) {
      value = F::Apply(FlushIf(flush, a[lane]));
    } else {
      value = F::Apply(FlushIf(flush, a[lane]), FlushIf(flush, b[lane]));
    }
    // What they make of zero is exact (PTX ISA), 2^0 for one.
    if (perturb && a[lane] != 0) value = Perturbed(value, warp.block().random());
    d[lane] = FlushIf(flush, value);
  }
}

template <class F>
void DecodeApproximate(Decoder& d, Instruction& in) {
  if (!d.Take("approx")) d.Refuse("only the approximate form");
  if (d.Take("ftz")) in.mode |= kFlush;
  if (d.NeedType() != Type::kF32) d.Refuse("not for this type");
  in.run = &Approximate<F, 1>;
  in.reg[0] = d.Destination(0, 4);
  in.reg[1] = d.Source(1, 4);
}

// sqrt, rcp and rsqrt exist exact and approximate, in both widths.
template <class F>
void DecodeRoot(Decoder& d, Instruction& in) {
  const bool approximate = d.Take("approx");
  TakeModes(d, in);
  const Type type = d.NeedType();
  if (type == Type::kF64) in.mode = 0;  // rcp.approx.ftz.f64: full precision here
  Finish<F, 1>(d, in, type);
  if (approximate && type == Type::kF32) in.run = &Approximate<F, 1>;
}

void DecodeDivide(Decoder& d, Instruction& in) {
  const int approximate = d.TakeOneOf({"approx", "full"});
  TakeModes(d, in);
  const Type type = d.NeedType();
  Finish<DivideFloat, 2>(d, in, type);
  if (approximate >= 0 && type == Type::kF32) in.run = &Approximate<DivideFloat, 2>;
}

template <class T>
void TestProperty(Warp& warp, const Instruction& in, LaneMask active) {
  const T* a = warp.Lanes<T>(in.reg[1]);
  std::uint32_t result = 0;
  for (LaneMask rest = active; rest != 0; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    const int kind = std::fpclassify(a[lane]);
    bool holds = false;
    switch (in.mode) {
      case 0:
        holds = kind != FP_NAN && kind != FP_INFINITE;
        break;
      case 1:
        holds = kind == FP_INFINITE;
        break;
      case 2:
        holds = kind != FP_NAN;
        break;
      case 3:
        holds = kind == FP_NAN;
        break;
      case 4:
        holds = kind == FP_NORMAL || kind == FP_ZERO;
        break;
      default:
        holds = kind == FP_SUBNORMAL;
        break;
    }
    result |= static_cast<std::uint32_t>(holds) << lane;
  }
  warp.SetPredicate(in.reg[0], active, result);
}

void DecodeTestProperty(Decoder& d, Instruction& in) {
  const int test =
      d.TakeOneOf({"finite", "infinite", "number", "notanumber", "normal", "subnormal"});
  if (test < 0) d.Refuse("which property?");
  in.mode = static_cast<std::uint8_t>(test);
  const Type type = d.NeedType();
  if (type != Type::kF32 && type != Type::kF64) d.Refuse("not for this type");
  in.run = type == Type::kF32 ? &TestProperty<float> : &TestProperty<double>;
  in.reg[0] = d.PredicateDestination(d.operand(0));
  in.reg[1] = d.Source(1, Width(type));
}

}  // namespace

// The half formats are in opcodes_half.cpp.
void AddFloatOpcodes(OpcodeTables& tables) {
  auto& floating = tables.floating;
  floating["add"] = &DecodeArithmetic<AddFloat, 2>;
  floating["sub"] = &DecodeArithmetic<SubtractFloat, 2>;
  floating["mul"] = &DecodeArithmetic<MultiplyFloat, 2>;
  floating["fma"] = &DecodeArithmetic<FusedFloat, 3>;
  floating["mad"] = &DecodeArithmetic<FusedFloat, 3>;
  floating["div"] = &DecodeDivide;
  floating["min"] = &DecodeExtreme<MinimumFloat<false>, MinimumFloat<true>>;
  floating["max"] = &DecodeExtreme<MaximumFloat<false>, MaximumFloat<true>>;
  floating["abs"] = &DecodeSign<AbsoluteFloat>;
  floating["neg"] = &DecodeSign<NegateFloat>;
  floating["copysign"] = &DecodeCopySign;
  floating["sqrt"] = &DecodeRoot<SquareRoot>;
  floating["rcp"] = &DecodeRoot<Reciprocal>;
  floating["rsqrt"] = &DecodeRoot<ReciprocalRoot>;
  floating["ex2"] = &DecodeApproximate<Exp2>;
  floating["lg2"] = &DecodeApproximate<Log2>;
  floating["sin"] = &DecodeApproximate<Sine>;
  floating["cos"] = &DecodeApproximate<Cosine>;
  floating["tanh"] = &DecodeApproximate<HyperbolicTangent>;
  floating["testp"] = &DecodeTestProperty;
}

}  // namespace paluku::emulator
