// cp.async: copies from global to shared memory that arrive later.
//
// The data is delivered at the latest legal moment, in wait_group or wait_all; conflicts are
// checked at the issue and at the delivery. So both a missing wait and a buffer overwritten too
// early are seen.
#include <algorithm>
#include <cstring>

#include "tests/support/cuda_emulator/decoder.h"
#include "tests/support/cuda_emulator/lanes.h"
#include "tests/support/cuda_emulator/memory_operands.h"

namespace paluku::emulator {
namespace {

constexpr int kTo = 0;  // register slots
constexpr int kSourceBytes = 1;
constexpr int kGroups = 1;
constexpr int kFrom = kMostOperands - 2;

void Issue(Warp& warp, const Instruction& in, LaneMask active) {
  LaneAccess to;
  const auto* base = warp.Lanes<std::uint64_t>(in.reg[kTo]);
  const auto* narrow = warp.Lanes<std::uint32_t>(in.reg[kTo]);
  for (int lane = 0; lane < kWarpSize; ++lane) {
    to.address[lane] = (in.mode2 != 0 ? narrow[lane] : base[lane]) + in.reg[2];
  }
  if (!warp.block().Access(warp, in, active, AccessKind::kAsyncIssue, Space::kShared, in.size, to))
    return;
  std::uint64_t from[kWarpSize];
  LaneAddresses(warp, in, kFrom, from);
  const auto* source_bytes = warp.Lanes<std::uint32_t>(in.reg[kSourceBytes]);
  for (LaneMask rest = active; rest != 0; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    const std::uint32_t bytes = std::min<std::uint32_t>(source_bytes[lane], in.size);
    warp.copies.push_back(
        {lane, warp.open_group[lane], to.address[lane], from[lane], in.size, bytes, &in});
  }
}

// Delivers copies that share instruction and length together, as the warp issued them.
void Deliver(Warp& warp, const std::vector<AsyncCopy>& copies) {
  for (std::size_t i = 0; i < copies.size();) {
    LaneAccess to{};
    LaneAccess from{};
    LaneMask lanes = 0;
    const AsyncCopy& first = copies[i];
    for (; i < copies.size(); ++i) {
      const AsyncCopy& copy = copies[i];
      const LaneMask bit = LaneMask{1} << copy.lane;
      if (copy.instruction != first.instruction || copy.source_bytes != first.source_bytes ||
          (lanes & bit) != 0)
        break;
      lanes |= bit;
      to.address[copy.lane] = copy.to;
      from.address[copy.lane] = copy.from;
    }
    Block& block = warp.block();
    const Instruction& in = *first.instruction;
    const bool read = first.source_bytes != 0;
    if (read && std::has_single_bit(first.source_bytes)) {
      if (!block.Access(warp, in, lanes, AccessKind::kRead, Space::kGlobal, first.source_bytes,
                        from))
        return;
    } else if (read) {
      // A tail that is no power of two: checked byte by byte for bounds, the alignment is that of
      // the whole.
      for (std::uint32_t b = 0; b < first.source_bytes; ++b) {
        LaneAccess byte = from;
        for (std::uint64_t& address : byte.address) address += b;
        if (!block.Access(warp, in, lanes, AccessKind::kRead, Space::kGlobal, 1, byte)) return;
        if (b == 0)
          std::copy(std::begin(byte.pointer), std::end(byte.pointer), std::begin(from.pointer));
      }
    }
    if (!block.Access(warp, in, lanes, AccessKind::kWrite, Space::kShared, first.bytes, to)) return;
    ForLanes(lanes, [&](int lane) {
      std::memset(to.pointer[lane], 0, first.bytes);
      if (read) std::memcpy(to.pointer[lane], from.pointer[lane], first.source_bytes);
    });
  }
}

void Commit(Warp& warp, const Instruction&, LaneMask active) {
  ForLanes(active, [&](int lane) { ++warp.open_group[lane]; });
}

// Waits until at most reg[kGroups] committed groups are on their way. mode 1: wait_all, uncommitted
// copies too.
void Wait(Warp& warp, const Instruction& in, LaneMask active) {
  std::vector<AsyncCopy> due;
  std::vector<AsyncCopy> later;
  const std::uint32_t allowed = in.mode != 0 ? 0 : in.reg[kGroups];
  for (const AsyncCopy& copy : warp.copies) {
    const bool mine = (active >> copy.lane & 1) != 0;
    const std::uint32_t open = warp.open_group[copy.lane];
    const bool must = in.mode != 0 || (copy.group < open && open - copy.group > allowed);
    (mine && must ? due : later).push_back(copy);
  }
  warp.copies = std::move(later);
  Deliver(warp, due);
}

void DecodeIssue(Decoder& d, Instruction& in) {
  const int cache = d.TakeOneOf({"ca", "cg"});
  if (!d.Take("shared") && !d.Take("shared::cta")) d.Refuse("where to?");
  if (!d.Take("global")) d.Refuse("where from?");
  const bool policy = TakeCacheHints(d);
  const std::size_t operands = d.operand_count() - (policy ? 1 : 0);
  const Operand& size = d.operand(2);
  const bool known = size.kind == Operand::Kind::kInteger &&
                     (size.value == 4 || size.value == 8 || size.value == 16);
  if (cache < 0 || !known || (cache == 1 && size.value != 16)) d.Refuse("a copy of an odd size");
  in.size = static_cast<std::uint8_t>(size.value);
  in.run = &Issue;
  Instruction to = in;
  d.Address(d.operand(0), to, kTo);
  in.reg[kTo] = to.reg[kTo];
  in.reg[2] = static_cast<std::uint32_t>(to.offset);
  in.mode2 = to.narrow_address ? 1 : 0;
  // The fourth operand: how many bytes come from memory, or a predicate that says "none".
  if (operands > 3 && d.WidthOf(d.operand(3), 4) == 0) d.Refuse("the form with a predicate");
  in.reg[kSourceBytes] = operands > 3 ? d.Source(3, 4) : d.Constant(size.value, 4);
  d.Address(d.operand(1), in, kFrom);
}

void DecodeAsyncCopy(Decoder& d, Instruction& in) {
  if (!d.Take("async")) d.Refuse("unknown opcode");
  if (d.Take("commit_group")) {
    in.run = &Commit;
  } else if (d.Take("wait_group")) {
    if (d.operand(0).kind != Operand::Kind::kInteger)
      d.Refuse("a number of groups that is no constant");
    in.reg[kGroups] = static_cast<std::uint32_t>(d.operand(0).value);
    in.run = &Wait;
  } else if (d.Take("wait_all")) {
    in.mode = 1;
    in.run = &Wait;
  } else {
    DecodeIssue(d, in);
  }
}

}  // namespace

void AddAsyncCopyOpcodes(OpcodeTables& tables) { tables.general["cp"] = &DecodeAsyncCopy; }

}  // namespace paluku::emulator
