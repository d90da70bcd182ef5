// f16 and bf16 arithmetic, single and packed in pairs.
//
// Results are computed in double, where sums and products of these formats are exact or rounded to
// odd, and rounded once.
#include <cmath>

#include "tests/support/cuda_emulator/decoder.h"
#include "tests/support/cuda_emulator/float_formats.h"
#include "tests/support/cuda_emulator/lanes.h"

namespace paluku::emulator {
namespace {

constexpr std::uint8_t kFlush = 1;
constexpr std::uint8_t kSaturate = 2;
constexpr std::uint8_t kRelu = 4;

struct Add {
  static double Apply(double a, double b, double) { return FusedToOdd(a, b); }
};
struct Subtract {
  static double Apply(double a, double b, double) { return FusedToOdd(a, -b); }
};
struct Multiply {
  static double Apply(double a, double b, double) { return a * b; }
};
struct Fused {
  static double Apply(double a, double b, double c) { return FusedToOdd(a * b, c); }
};
struct Minimum {
  static double Apply(double a, double b, double) { return FloatMinimum<false>(a, b); }
};
struct MinimumNan {
  static double Apply(double a, double b, double) { return FloatMinimum<true>(a, b); }
};
struct Maximum {
  static double Apply(double a, double b, double) { return FloatMaximum<false>(a, b); }
};
struct MaximumNan {
  static double Apply(double a, double b, double) { return FloatMaximum<true>(a, b); }
};
struct Exp2 {
  static double Apply(double a, double, double) { return std::exp2(a); }
};
struct Tangent {
  static double Apply(double a, double, double) { return std::tanh(a); }
};

template <class Format>
double Read(std::uint16_t bits, bool flush) {
  if (flush && (bits & 0x7C00) == 0) bits &= 0x8000;  // only f16 has .ftz
  return static_cast<double>(Format::ToFloat(bits));
}

template <class F, class Format>
std::uint16_t One(std::uint16_t a, std::uint16_t b, std::uint16_t c, std::uint8_t mode) {
  const bool flush = (mode & kFlush) != 0;
  double value = F::Apply(Read<Format>(a, flush), Read<Format>(b, flush), Read<Format>(c, flush));
  if ((mode & kSaturate) != 0) value = value > 0 ? (value < 1 ? value : 1) : 0;
  if ((mode & kRelu) != 0 && value < 0) value = 0;
  std::uint16_t bits = Format::FromDouble(value);
  if (flush && (bits & 0x7C00) == 0) bits &= 0x8000;
  return bits;
}

// T: one value (uint16) or two (uint32).
template <class F, class Format, class T, int kOperands>
void Run(Warp& warp, const Instruction& in, LaneMask active) {
  T* d = warp.Lanes<T>(in.reg[0]);
  const T* a = warp.Lanes<T>(in.reg[1]);
  const T* b = kOperands > 1 ? warp.Lanes<T>(in.reg[2]) : a;
  const T* c = kOperands > 2 ? warp.Lanes<T>(in.reg[3]) : a;
  for (; active != 0; active &= active - 1) {
    const int lane = std::countr_zero(active);
    T result = 0;
    for (std::size_t shift = 0; shift < 8 * sizeof(T); shift += 16) {
      const auto part = [shift](T x) { return static_cast<std::uint16_t>(x >> shift); };
      result |= static_cast<T>(
          static_cast<T>(One<F, Format>(part(a[lane]), part(b[lane]), part(c[lane]), in.mode))
          << shift);
    }
    d[lane] = result;
  }
}

template <class F, int kOperands>
Handler Choose(Type type) {
  switch (type) {
    case Type::kF16:
      return &Run<F, Half, std::uint16_t, kOperands>;
    case Type::kF16x2:
      return &Run<F, Half, std::uint32_t, kOperands>;
    case Type::kBf16:
      return &Run<F, Bf16, std::uint16_t, kOperands>;
    default:
      return &Run<F, Bf16, std::uint32_t, kOperands>;
  }
}

void SetOperands(Decoder& d, Instruction& in, Type type, std::size_t operands) {
  in.reg[0] = d.Destination(0, Width(type));
  for (std::size_t i = 1; i <= operands; ++i) in.reg[i] = d.Source(i, Width(type));
}

template <class F, int kOperands>
void Decode(Decoder& d, Instruction& in, Type type) {
  d.Take("rn");
  if (d.Take("ftz")) in.mode |= kFlush;
  if (d.Take("sat")) in.mode |= kSaturate;
  if (d.Take("relu")) in.mode |= kRelu;
  in.run = Choose<F, kOperands>(type);
  SetOperands(d, in, type, kOperands);
}

template <class Plainly, class NanWins>
void DecodeExtreme(Decoder& d, Instruction& in, Type type) {
  if (d.Take("ftz")) in.mode |= kFlush;
  in.run = d.Take("NaN") ? Choose<NanWins, 2>(type) : Choose<Plainly, 2>(type);
  SetOperands(d, in, type, 2);
}

template <class F>
void DecodeApproximate(Decoder& d, Instruction& in, Type type) {
  if (!d.Take("approx")) d.Refuse("only the approximate form");
  if (d.Take("ftz") && (type == Type::kF16 || type == Type::kF16x2)) in.mode |= kFlush;
  in.run = Choose<F, 1>(type);
  SetOperands(d, in, type, 1);
}

// Sign bits: and with kKeep, xor with kFlip.
template <class T, T kKeep, T kFlip>
struct SignBits {
  static T Apply(T a) { return static_cast<T>((a & kKeep) ^ kFlip); }
};

void DecodeAbsolute(Decoder& d, Instruction& in, Type type) {
  d.Take("ftz");  // denormals keep their bits here: exactness over flushing, which PTX leaves to
                  // f16 arithmetic
  using U16 = std::uint16_t;
  using U32 = std::uint32_t;
  in.run = Width(type) == 2 ? &Unary<SignBits<U16, 0x7FFF, 0>, U16, U16>
                            : &Unary<SignBits<U32, 0x7FFF7FFF, 0>, U32, U32>;
  SetOperands(d, in, type, 1);
}

void DecodeNegate(Decoder& d, Instruction& in, Type type) {
  using U16 = std::uint16_t;
  using U32 = std::uint32_t;
  in.run = Width(type) == 2 ? &Unary<SignBits<U16, 0xFFFF, 0x8000>, U16, U16>
                            : &Unary<SignBits<U32, 0xFFFFFFFF, 0x80008000>, U32, U32>;
  SetOperands(d, in, type, 1);
}

using DecodeHalf = void (*)(Decoder&, Instruction&, Type);

// Opcodes that f32 and the half formats share: asks for the type first.
template <DecodeHalf kHalf>
struct Sharing {
  static inline DecodeFunction others = nullptr;
  static void Decode(Decoder& d, Instruction& in) {
    for (const Type type : {Type::kF16, Type::kF16x2, Type::kBf16, Type::kBf16x2}) {
      static constexpr std::string_view kNames[] = {"f16", "f16x2", "bf16", "bf16x2"};
      const auto name = kNames[type == Type::kF16     ? 0
                               : type == Type::kF16x2 ? 1
                               : type == Type::kBf16  ? 2
                                                      : 3];
      if (d.Take(name)) return kHalf(d, in, type);
    }
    others(d, in);
  }
};

template <DecodeHalf kHalf>
void Share(OpcodeTables& tables, std::string_view opcode) {
  DecodeFunction& entry = tables.floating[opcode];
  Sharing<kHalf>::others = entry;
  entry = &Sharing<kHalf>::Decode;
}

}  // namespace

// After AddFloatOpcodes: takes over the half types of its opcodes.
void AddHalfOpcodes(OpcodeTables& tables) {
  Share<&Decode<Add, 2>>(tables, "add");
  Share<&Decode<Subtract, 2>>(tables, "sub");
  Share<&Decode<Multiply, 2>>(tables, "mul");
  Share<&Decode<Fused, 3>>(tables, "fma");
  Share<&DecodeExtreme<Minimum, MinimumNan>>(tables, "min");
  Share<&DecodeExtreme<Maximum, MaximumNan>>(tables, "max");
  Share<&DecodeAbsolute>(tables, "abs");
  Share<&DecodeNegate>(tables, "neg");
  Share<&DecodeApproximate<Exp2>>(tables, "ex2");
  Share<&DecodeApproximate<Tangent>>(tables, "tanh");
}

}  // namespace paluku::emulator
