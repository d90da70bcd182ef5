// Branches, ends, barriers, fences.
#include "tests/support/cuda_emulator/decoder.h"
#include "tests/support/cuda_emulator/lanes.h"
#include "tests/support/cuda_emulator/report.h"

namespace paluku::emulator {
namespace {

constexpr std::uint32_t kNoOperand = ~std::uint32_t{0};

void Nothing(Warp&, const Instruction&, LaneMask) {}

void DecodeBranch(Decoder& d, Instruction& in) {
  d.Take("uni");
  in.kind = Instruction::Kind::kBranch;
}

void DecodeEnd(Decoder& d, Instruction& in) {
  d.Take("uni");
  in.kind = Instruction::Kind::kExit;
}

void Trap(Warp& warp, const Instruction& in, LaneMask active) {
  Report("TRAP", std::string(in.name) + ": " + warp.Where(in, std::countr_zero(active)));
  warp.block().Abort();
}

void DecodeTrap(Decoder&, Instruction& in) { in.run = &Trap; }

// Memory is coherent here, and the checker orders accesses by barriers only.
void DecodeFence(Decoder& d, Instruction& in) {
  d.TakeOneOf({"sc", "acq_rel"});
  d.TakeOneOf({"cta", "cluster", "gpu", "gl", "sys"});
  in.run = &Nothing;
}

// bar[rier]{.cta}.sync a{,b}; .arrive a,b; .red.op d,a{,b},p. Modes as in meeting.cpp;
// bar.warp.sync in opcodes_warp.cpp.
void DecodeBarrier(Decoder& d, Instruction& in) {
  d.Take("cta");
  in.kind = Instruction::Kind::kBarrier;
  in.aligned = d.opcode() == "bar";
  in.reg[2] = kNoOperand;
  if (d.Take("sync")) {
    in.aligned |= d.Take("aligned");
    in.reg[1] = d.Source(0, 4);
    if (d.operand_count() > 1) in.reg[2] = d.Source(1, 4);
  } else if (d.Take("arrive")) {
    in.aligned |= d.Take("aligned");
    in.mode = 1;
    in.reg[1] = d.Source(0, 4);
    in.reg[2] = d.Source(1, 4);
  } else if (d.Take("red")) {
    const int operation = d.TakeOneOf({"popc", "and", "or"});
    in.aligned |= d.Take("aligned");
    const Type type = d.NeedType();
    if (operation < 0 || (operation == 0) != (type == Type::kU32)) d.Refuse("an unknown form");
    in.mode = static_cast<std::uint8_t>(2 + operation);
    in.reg[0] = operation == 0 ? d.Destination(0, 4) : d.PredicateDestination(d.operand(0));
    in.reg[1] = d.Source(1, 4);
    if (d.operand_count() > 3) in.reg[2] = d.Source(2, 4);
    bool negated = false;
    in.reg[3] = d.PredicateSource(d.operand(d.operand_count() - 1), negated);
    in.mode2 = negated ? 1 : 0;
  } else {
    d.Refuse("an unknown form");
  }
}

// Programmatic dependent launch: kernels run one after another here, so there is nothing to wait
// for.
void DecodeDependency(Decoder& d, Instruction& in) {
  if (d.TakeOneOf({"wait", "launch_dependents"}) < 0) d.Refuse("an unknown form");
  in.run = &Nothing;
}

void Sleep(Decoder& d, Instruction& in) {
  d.NeedType();
  in.run = &Nothing;
}

}  // namespace

void AddControlOpcodes(OpcodeTables& tables) {
  auto& general = tables.general;
  general["bra"] = &DecodeBranch;
  general["ret"] = &DecodeEnd;
  general["exit"] = &DecodeEnd;
  general["trap"] = &DecodeTrap;
  general["brkpt"] = &DecodeTrap;
  general["bar"] = &DecodeBarrier;
  general["barrier"] = &DecodeBarrier;
  general["membar"] = &DecodeFence;
  general["fence"] = &DecodeFence;
  general["griddepcontrol"] = &DecodeDependency;
  general["nanosleep"] = &Sleep;
}

}  // namespace paluku::emulator
