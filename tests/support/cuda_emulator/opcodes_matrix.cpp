// Matrix instructions: ldmatrix, stmatrix, movmatrix, mma with f16, bf16 and 8-bit integer
// operands.
//
// Fragment layouts follow the figures of the PTX ISA, "Warp Level Matrix Instructions"; the tests
// compare them with an independent formula. Lane l belongs to group l / 4 and is number l % 4 in
// it.
#include <algorithm>
#include <cstring>

#include "tests/support/cuda_emulator/decoder.h"
#include "tests/support/cuda_emulator/float_formats.h"
#include "tests/support/cuda_emulator/lanes.h"
#include "tests/support/cuda_emulator/memory_operands.h"
#include "tests/support/cuda_emulator/report.h"
#include "tests/support/cuda_emulator/settings.h"

namespace paluku::emulator {
namespace {

constexpr int kMembers = kMostOperands - 1;
constexpr int kBase = kMostOperands - 2;
constexpr std::uint32_t kNoOperand = ~std::uint32_t{0};
constexpr int kRows = 8;  // of the small matrices of ldmatrix
constexpr int kRowBytes = 16;

using U16 = std::uint16_t;
using U32 = std::uint32_t;

bool WholeWarp(Warp& warp, const Instruction& in, LaneMask lanes) {
  if (lanes == kAllLanes) return true;
  if (warp.block().FirstTime(in, nullptr)) {
    Report("WARP DIVERGENCE", std::string(in.name) + " by " + std::to_string(std::popcount(lanes)) +
                                  " of 32 lanes: " + warp.Where(in, std::countr_zero(lanes)));
  }
  return false;
}

LaneMask All(const std::vector<Arrival>& arrivals) {
  LaneMask all = 0;
  for (const Arrival& arrival : arrivals) all |= arrival.lanes;
  return all;
}

// Where element i (0 or 1) of a lane's register lies in an 8x8 matrix.
std::pair<int, int> SmallPlace(int lane, int i, bool transposed) {
  const int row = lane / 4;
  const int column = lane % 4 * 2 + i;
  return transposed ? std::pair{column, row} : std::pair{row, column};
}

// Moves the small matrices between shared memory and registers. mode: their number; mode2:
// transposed.
template <bool kLoad>
void MoveMatrices(Warp& warp, const std::vector<Arrival>& arrivals, LaneMask) {
  const Instruction& in = *arrivals[0].instruction;
  if (!WholeWarp(warp, in, All(arrivals))) return;
  const int matrices = in.mode;
  const LaneMask pointing = matrices == 4 ? kAllLanes : (LaneMask{1} << (kRows * matrices)) - 1;
  LaneAccess access;
  LaneAddresses(warp, in, kBase, access.address);
  const AccessKind kind = kLoad ? AccessKind::kRead : AccessKind::kWrite;
  if (!warp.block().Access(warp, in, pointing, kind, in.space, kRowBytes, access)) return;
  for (int m = 0; m < matrices; ++m) {
    U16 matrix[kRows][kRows];
    U32* registers = warp.Lanes<U32>(in.reg[m]);
    if (kLoad) {
      for (int row = 0; row < kRows; ++row)
        std::memcpy(matrix[row], access.pointer[kRows * m + row], kRowBytes);
    }
    for (int lane = 0; lane < kWarpSize; ++lane) {
      U32 pair = kLoad ? 0 : registers[lane];
      for (int i = 0; i < 2; ++i) {
        const auto [row, column] = SmallPlace(lane, i, in.mode2 != 0);
        if (kLoad) {
          pair |= static_cast<U32>(matrix[row][column]) << 16 * i;
        } else {
          matrix[row][column] = static_cast<U16>(pair >> 16 * i);
        }
      }
      if (kLoad) registers[lane] = pair;
    }
    if (!kLoad) {
      for (int row = 0; row < kRows; ++row)
        std::memcpy(access.pointer[kRows * m + row], matrix[row], kRowBytes);
    }
  }
}

template <bool kLoad>
void DecodeMoveMatrices(Decoder& d, Instruction& in) {
  if (!d.Take("sync") || !d.Take("aligned") || !d.Take("m8n8")) d.Refuse("an unknown form");
  static constexpr std::uint8_t kCounts[] = {1, 2, 4};
  const int count = d.TakeOneOf({"x1", "x2", "x4"});
  in.mode2 = d.Take("trans") ? 1 : 0;
  in.space = TakeSpace(d);
  if (count < 0 || (in.space != Space::kShared && in.space != Space::kGeneric) ||
      d.NeedType() != Type::kB16) {
    d.Refuse("an unknown form");
  }
  in.kind = Instruction::Kind::kCollective;
  in.gather = &MoveMatrices<kLoad>;
  in.aligned = true;
  in.mode = kCounts[count];
  in.reg[kMembers] = kNoOperand;
  const Operand& values = d.operand(kLoad ? 0 : 1);
  std::vector<Operand> elements = {values};
  if (values.kind == Operand::Kind::kVector) elements = values.elements;
  if (elements.size() != in.mode) d.Refuse("an odd vector");
  for (std::size_t i = 0; i < elements.size(); ++i) {
    in.reg[i] = kLoad ? d.Destination(elements[i], 4) : d.Source(elements[i], 4);
  }
  d.Address(d.operand(kLoad ? 1 : 0), in, kBase);
}

void TransposeMatrix(Warp& warp, const std::vector<Arrival>& arrivals, LaneMask) {
  const Instruction& in = *arrivals[0].instruction;
  if (!WholeWarp(warp, in, All(arrivals))) return;
  U16 matrix[kRows][kRows];
  const U32* a = warp.Lanes<U32>(in.reg[1]);
  U32* d = warp.Lanes<U32>(in.reg[0]);
  for (int lane = 0; lane < kWarpSize; ++lane) {
    for (int i = 0; i < 2; ++i)
      matrix[lane / 4][lane % 4 * 2 + i] = static_cast<U16>(a[lane] >> 16 * i);
  }
  for (int lane = 0; lane < kWarpSize; ++lane) {
    U32 pair = 0;
    for (int i = 0; i < 2; ++i)
      pair |= static_cast<U32>(matrix[lane % 4 * 2 + i][lane / 4]) << 16 * i;
    d[lane] = pair;
  }
}

void DecodeTranspose(Decoder& d, Instruction& in) {
  if (!d.Take("sync") || !d.Take("aligned") || !d.Take("m8n8") || !d.Take("trans") ||
      d.NeedType() != Type::kB16) {
    d.Refuse("an unknown form");
  }
  in.kind = Instruction::Kind::kCollective;
  in.gather = &TransposeMatrix;
  in.aligned = true;
  in.reg[kMembers] = kNoOperand;
  in.reg[0] = d.Destination(0, 4);
  in.reg[1] = d.Source(1, 4);
}

// A shape with operands of E elements a register: rows of A, columns of B, depth; registers of A, B
// and C in a lane.
template <int kM, int kDepth, int kElements>
struct Shape {
  static constexpr int kN = 8;
  static constexpr int kA = kM * kDepth / kElements / kWarpSize;
  static constexpr int kB = kDepth * kN / kElements / kWarpSize;
  static constexpr int kC = kM * kN / kWarpSize;
  // Registers walk down the rows first (with 16 rows), then along the depth in steps of 4 *
  // kElements.
  static constexpr int kRowSteps = kM / 8;

  static int ARow(int lane, int r) { return lane / 4 + 8 * (r % kRowSteps); }
  static int AColumn(int lane, int r, int e) {
    return lane % 4 * kElements + e + 4 * kElements * (r / kRowSteps);
  }
  static int BRow(int lane, int r, int e) { return lane % 4 * kElements + e + 4 * kElements * r; }
  static int BColumn(int lane) { return lane / 4; }
  static int CRow(int lane, int i) { return lane / 4 + 8 * (i / 2); }
  static int CColumn(int lane, int i) { return lane % 4 * 2 + i % 2; }
};

// How one register of operands is read. 64 (pairs) or 128 (bytes) numbers for the 32 lanes, in
// order.
struct ReadHalf {
  using Number = float;
  static constexpr int kElements = 2;
  static void Read(const U32* registers, float* out) {
    const auto* halves = reinterpret_cast<const U16*>(registers);
    for (int i = 0; i < 2 * kWarpSize; i += 8) {
      _mm256_storeu_ps(
          out + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(halves + i))));
    }
  }
};
struct ReadBf16 {
  using Number = float;
  static constexpr int kElements = 2;
  static void Read(const U32* registers, float* out) {
    const auto* halves = reinterpret_cast<const U16*>(registers);
    for (int i = 0; i < 2 * kWarpSize; ++i) out[i] = Bf16ToFloat(halves[i]);
  }
};
template <class Byte>
struct ReadBytes {
  using Number = std::int32_t;
  static constexpr int kElements = 4;
  static void Read(const U32* registers, std::int32_t* out) {
    const auto* bytes = reinterpret_cast<const Byte*>(registers);
    for (int i = 0; i < 4 * kWarpSize; ++i) out[i] = bytes[i];
  }
};

// Truncates to float, as tensor cores may between groups of products.
float Truncated(double value) {
  auto result = static_cast<float>(value);
  if (std::fabs(static_cast<double>(result)) > std::fabs(value))
    result = std::nextafter(result, 0.0F);
  return result;
}

template <class S>
void MultiplyFloats(const float (*a)[64], const float (*b)[8], float (*c)[8], int depth) {
  if (settings().perturb == 0) {
    for (int m = 0; m < 8 * S::kRowSteps; ++m) {
      for (int k = 0; k < depth; ++k) {
        for (int n = 0; n < 8; ++n) c[m][n] = std::fma(a[m][k], b[k][n], c[m][n]);
      }
    }
    return;
  }
  constexpr int kGroup = 8;
  for (int m = 0; m < 8 * S::kRowSteps; ++m) {
    for (int n = 0; n < 8; ++n) {
      for (int k = 0; k < depth; k += kGroup) {
        double sum = static_cast<double>(c[m][n]);
        for (int i = k; i < k + kGroup; ++i)
          sum += static_cast<double>(a[m][i]) * static_cast<double>(b[i][n]);
        c[m][n] = Truncated(sum);
      }
    }
  }
}

// mode 1: saturate (.satfinite).
template <class S>
void MultiplyIntegers(const std::int32_t (*a)[64], const std::int32_t (*b)[8], std::int32_t (*c)[8],
                      int depth, bool saturate) {
  for (int m = 0; m < 8 * S::kRowSteps; ++m) {
    for (int n = 0; n < 8; ++n) {
      std::int64_t sum = c[m][n];
      for (int k = 0; k < depth; ++k) sum += static_cast<std::int64_t>(a[m][k]) * b[k][n];
      if (saturate) sum = std::clamp<std::int64_t>(sum, INT32_MIN, INT32_MAX);
      c[m][n] = static_cast<std::int32_t>(sum);
    }
  }
}

template <class ReaderA, class ReaderB, int kM, int kDepth>
void Multiply(Warp& warp, const std::vector<Arrival>& arrivals, LaneMask) {
  using Number = typename ReaderA::Number;
  constexpr int kElements = ReaderA::kElements;
  using S = Shape<kM, kDepth, kElements>;
  const Instruction& in = *arrivals[0].instruction;
  if (!WholeWarp(warp, in, All(arrivals))) return;
  Number a[kM][64];
  Number b[kDepth][8];
  Number c[kM][8];
  Number row[kElements * kWarpSize];
  // Registers in the order of the operands: D, A, B, C.
  for (int r = 0; r < S::kA; ++r) {
    ReaderA::Read(warp.Lanes<U32>(in.reg[S::kC + r]), row);
    for (int lane = 0; lane < kWarpSize; ++lane) {
      for (int e = 0; e < kElements; ++e)
        a[S::ARow(lane, r)][S::AColumn(lane, r, e)] = row[kElements * lane + e];
    }
  }
  for (int r = 0; r < S::kB; ++r) {
    ReaderB::Read(warp.Lanes<U32>(in.reg[S::kC + S::kA + r]), row);
    for (int lane = 0; lane < kWarpSize; ++lane) {
      for (int e = 0; e < kElements; ++e)
        b[S::BRow(lane, r, e)][S::BColumn(lane)] = row[kElements * lane + e];
    }
  }
  for (int i = 0; i < S::kC; ++i) {
    const Number* values = warp.Lanes<Number>(in.reg[S::kC + S::kA + S::kB + i]);
    for (int lane = 0; lane < kWarpSize; ++lane)
      c[S::CRow(lane, i)][S::CColumn(lane, i)] = values[lane];
  }
  if constexpr (std::is_same_v<Number, float>) {
    MultiplyFloats<S>(a, b, c, kDepth);
  } else {
    MultiplyIntegers<S>(a, b, c, kDepth, in.mode == 1);
  }
  for (int i = 0; i < S::kC; ++i) {
    Number* values = warp.Lanes<Number>(in.reg[i]);
    for (int lane = 0; lane < kWarpSize; ++lane)
      values[lane] = c[S::CRow(lane, i)][S::CColumn(lane, i)];
  }
}

struct Form {
  CollectiveHandler handler = nullptr;
  std::size_t a = 0;
  std::size_t b = 0;
  std::size_t c = 0;
};

template <class ReaderA, class ReaderB, int kM, int kDepth>
Form MakeForm() {
  using S = Shape<kM, kDepth, ReaderA::kElements>;
  return {&Multiply<ReaderA, ReaderB, kM, kDepth>, S::kA, S::kB, S::kC};
}

enum ShapeName : int { kM16N8K8, kM16N8K16, kM16N8K32, kM8N8K16 };

template <class A, class B>
Form IntegerForm(int shape) {
  switch (shape) {
    case kM16N8K16:
      return MakeForm<A, B, 16, 16>();
    case kM16N8K32:
      return MakeForm<A, B, 16, 32>();
    case kM8N8K16:
      return MakeForm<A, B, 8, 16>();
    default:
      return {};
  }
}

template <class A>
Form FloatForm(int shape) {
  if (shape == kM16N8K8) return MakeForm<A, A, 16, 8>();
  if (shape == kM16N8K16) return MakeForm<A, A, 16, 16>();
  return {};
}

Form ChooseForm(int shape, Type result, Type a, Type b) {
  using S8 = ReadBytes<std::int8_t>;
  using U8 = ReadBytes<std::uint8_t>;
  if (result == Type::kF32 && a == Type::kF16 && b == Type::kF16) return FloatForm<ReadHalf>(shape);
  if (result == Type::kF32 && a == Type::kBf16 && b == Type::kBf16)
    return FloatForm<ReadBf16>(shape);
  if (result != Type::kS32) return {};
  if (a == Type::kS8 && b == Type::kS8) return IntegerForm<S8, S8>(shape);
  if (a == Type::kS8 && b == Type::kU8) return IntegerForm<S8, U8>(shape);
  if (a == Type::kU8 && b == Type::kS8) return IntegerForm<U8, S8>(shape);
  if (a == Type::kU8 && b == Type::kU8) return IntegerForm<U8, U8>(shape);
  return {};
}

void DecodeMultiply(Decoder& d, Instruction& in) {
  if (!d.Take("sync") || !d.Take("aligned")) d.Refuse("an unknown form");
  const int shape = d.TakeOneOf({"m16n8k8", "m16n8k16", "m16n8k32", "m8n8k16"});
  if (!d.Take("row") || !d.Take("col")) d.Refuse("an unknown form");
  in.mode = d.Take("satfinite") ? 1 : 0;
  const Type result = d.NeedType();
  const Type a = d.NeedType();
  const Type b = d.NeedType();
  if (d.NeedType() != result) d.Refuse("C and D of different types");
  const Form form = ChooseForm(shape, result, a, b);
  if (form.handler == nullptr) d.Refuse("this shape with these types");
  in.kind = Instruction::Kind::kCollective;
  in.gather = form.handler;
  in.aligned = true;
  in.reg[kMembers] = kNoOperand;
  std::size_t slot = 0;
  const std::size_t sizes[] = {form.c, form.a, form.b, form.c};
  for (std::size_t i = 0; i < 4; ++i) {
    const Operand& operand = d.operand(i);
    std::vector<Operand> elements = {operand};
    if (operand.kind == Operand::Kind::kVector) elements = operand.elements;
    if (elements.size() != sizes[i]) d.Refuse("an odd vector");
    for (const Operand& element : elements) {
      in.reg[slot++] = i == 0 ? d.Destination(element, 4) : d.Source(element, 4);
    }
  }
}

}  // namespace

void AddMatrixOpcodes(OpcodeTables& tables) {
  tables.general["ldmatrix"] = &DecodeMoveMatrices<true>;
  tables.general["stmatrix"] = &DecodeMoveMatrices<false>;
  tables.general["movmatrix"] = &DecodeTranspose;
  // Its types are floats or integers; the floating table does not know it.
  tables.general["mma"] = &DecodeMultiply;
}

}  // namespace paluku::emulator
