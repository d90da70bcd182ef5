// Operations of a warp's lanes with each other: shfl, vote, match, redux, elect, bar.warp,
// activemask.
//
// They wait until all lanes of their mask came (meeting.cpp), then run once for all of them.
#include <algorithm>
#include <type_traits>

#include "tests/support/cuda_emulator/decoder.h"
#include "tests/support/cuda_emulator/lanes.h"
#include "tests/support/cuda_emulator/report.h"

namespace paluku::emulator {
namespace {

constexpr int kMembers = kMostOperands - 1;  // register slot of the mask; meeting.cpp reads it

using U32 = std::uint32_t;

LaneMask All(const std::vector<Arrival>& arrivals) {
  LaneMask all = 0;
  for (const Arrival& arrival : arrivals) all |= arrival.lanes;
  return all;
}

// One 32-bit operand of every lane, wherever the lane came from.
void Gather(Warp& warp, const std::vector<Arrival>& arrivals, int slot, U32* out) {
  for (const Arrival& arrival : arrivals) {
    const U32* values = warp.Lanes<U32>(arrival.instruction->reg[slot]);
    ForLanes(arrival.lanes, [=](int lane) { out[lane] = values[lane]; });
  }
}

// The lanes whose predicate (reg[slot], negated by mode2) holds.
LaneMask GatherPredicate(Warp& warp, const std::vector<Arrival>& arrivals, int slot) {
  LaneMask result = 0;
  for (const Arrival& arrival : arrivals) {
    const U32 values = warp.Predicate(arrival.instruction->reg[slot]);
    result |= (arrival.instruction->mode2 != 0 ? ~values : values) & arrival.lanes;
  }
  return result;
}

void SyncWarp(Warp& warp, const std::vector<Arrival>& arrivals, LaneMask) {
  const LaneMask all = All(arrivals);
  warp.block().knowledge().WarpBarrier(warp.index(), all, all == warp.live());
}

void DecodeSyncWarp(Decoder& d, Instruction& in) {
  if (!d.Take("warp")) d.Refuse("an unknown form");
  if (!d.Take("sync")) d.Refuse("an unknown form");
  in.kind = Instruction::Kind::kCollective;
  in.gather = &SyncWarp;
  in.reg[kMembers] = d.Source(0, 4);
}

enum Direction : int { kIndex, kUp, kDown, kButterfly };

void Shuffle(Warp& warp, const std::vector<Arrival>& arrivals, LaneMask) {
  U32 values[kWarpSize] = {};
  U32 second[kWarpSize] = {};
  U32 third[kWarpSize] = {};
  Gather(warp, arrivals, 2, values);
  Gather(warp, arrivals, 3, second);
  Gather(warp, arrivals, 4, third);
  const LaneMask all = All(arrivals);
  for (const Arrival& arrival : arrivals) {
    const Instruction& in = *arrival.instruction;
    U32* d = warp.Lanes<U32>(in.reg[0]);
    LaneMask in_range = 0;
    for (LaneMask rest = arrival.lanes; rest != 0; rest &= rest - 1) {
      const auto lane = static_cast<U32>(std::countr_zero(rest));
      const U32 by = second[lane] & 31;
      const U32 clamp = third[lane] & 31;
      const U32 segment = third[lane] >> 8 & 31;
      const U32 most = (lane & segment) | (clamp & ~segment);
      const U32 least = lane & segment;
      U32 source = 0;
      bool inside = false;
      switch (in.mode) {
        case kUp:
          source = lane - by;
          inside = static_cast<std::int32_t>(source) >= static_cast<std::int32_t>(most);
          break;
        case kDown:
          source = lane + by;
          inside = source <= most;
          break;
        case kButterfly:
          source = lane ^ by;
          inside = source <= most;
          break;
        default:
          source = least | (by & ~segment);
          inside = source <= most;
      }
      if (!inside) source = lane;
      if ((all >> source & 1) == 0 && warp.block().FirstTime(in, &warp)) {
        Report("WARP DIVERGENCE", "shfl reads from a lane that takes no part: " +
                                      warp.Where(in, static_cast<int>(lane)));
      }
      d[lane] = values[source];
      in_range |= static_cast<LaneMask>(inside) << lane;
    }
    warp.SetPredicate(in.reg[1], arrival.lanes, in_range);
  }
}

void DecodeShuffle(Decoder& d, Instruction& in) {
  if (!d.Take("sync")) d.Refuse("only the .sync form");
  const int direction = d.TakeOneOf({"idx", "up", "down", "bfly"});
  if (direction < 0 || Width(d.NeedType()) != 4) d.Refuse("an unknown form");
  in.kind = Instruction::Kind::kCollective;
  in.gather = &Shuffle;
  in.mode = static_cast<std::uint8_t>(direction);
  const Operand& to = d.operand(0);
  const bool pair = to.kind == Operand::Kind::kVector;
  const Operand none;
  in.reg[0] = d.Destination(pair ? to.elements[0] : to, 4);
  in.reg[1] = d.PredicateDestination(pair ? to.elements[1] : none);
  for (std::size_t i = 1; i < 4; ++i) in.reg[1 + i] = d.Source(i, 4);
  in.reg[kMembers] = d.Source(4, 4);
}

enum Vote : int { kAll, kAny, kUniform, kBallot };

void TakeVote(Warp& warp, const std::vector<Arrival>& arrivals, LaneMask) {
  const LaneMask all = All(arrivals);
  const LaneMask yes = GatherPredicate(warp, arrivals, 1);
  for (const Arrival& arrival : arrivals) {
    const Instruction& in = *arrival.instruction;
    if (in.mode == kBallot) {
      U32* d = warp.Lanes<U32>(in.reg[0]);
      ForLanes(arrival.lanes, [=](int lane) { d[lane] = yes; });
      continue;
    }
    const bool result = in.mode == kAll   ? yes == all
                        : in.mode == kAny ? yes != 0
                                          : yes == 0 || yes == all;
    warp.SetPredicate(in.reg[0], arrival.lanes, result ? kAllLanes : 0);
  }
}

void DecodeVote(Decoder& d, Instruction& in) {
  if (!d.Take("sync")) d.Refuse("only the .sync form");
  const int vote = d.TakeOneOf({"all", "any", "uni", "ballot"});
  const Type type = d.NeedType();
  if (vote < 0 || (vote == kBallot) != (type == Type::kB32)) d.Refuse("an unknown form");
  in.kind = Instruction::Kind::kCollective;
  in.gather = &TakeVote;
  in.mode = static_cast<std::uint8_t>(vote);
  bool negated = false;
  in.reg[0] = vote == kBallot ? d.Destination(0, 4) : d.PredicateDestination(d.operand(0));
  in.reg[1] = d.PredicateSource(d.operand(1), negated);
  in.mode2 = negated ? 1 : 0;
  in.reg[kMembers] = d.Source(2, 4);
}

// match.any: the lanes with the same value. match.all: all lanes if they agree, and whether they
// do.
template <class T>
void Match(Warp& warp, const std::vector<Arrival>& arrivals, LaneMask) {
  T values[kWarpSize] = {};
  for (const Arrival& arrival : arrivals) {
    const T* a = warp.Lanes<T>(arrival.instruction->reg[2]);
    ForLanes(arrival.lanes, [&](int lane) { values[lane] = a[lane]; });
  }
  const LaneMask all = All(arrivals);
  for (const Arrival& arrival : arrivals) {
    const Instruction& in = *arrival.instruction;
    U32* d = warp.Lanes<U32>(in.reg[0]);
    for (LaneMask rest = arrival.lanes; rest != 0; rest &= rest - 1) {
      const int lane = std::countr_zero(rest);
      LaneMask same = 0;
      for (int other = 0; other < kWarpSize; ++other) {
        if ((all >> other & 1) != 0 && values[other] == values[lane]) same |= LaneMask{1} << other;
      }
      d[lane] = in.mode == 0 ? same : same == all ? all : 0;
      if (in.mode == 1)
        warp.SetPredicate(in.reg[1], LaneMask{1} << lane, same == all ? kAllLanes : 0);
    }
  }
}

void DecodeMatch(Decoder& d, Instruction& in) {
  const int which = d.TakeOneOf({"any", "all"});
  if (which < 0 || !d.Take("sync")) d.Refuse("an unknown form");
  const int width = Width(d.NeedType());
  if (width != 4 && width != 8) d.Refuse("not for this type");
  in.kind = Instruction::Kind::kCollective;
  in.gather = width == 4 ? &Match<std::uint32_t> : &Match<std::uint64_t>;
  in.mode = static_cast<std::uint8_t>(which);
  const Operand& to = d.operand(0);
  const bool pair = to.kind == Operand::Kind::kVector;
  const Operand none;
  in.reg[0] = d.Destination(pair ? to.elements[0] : to, 4);
  in.reg[1] = d.PredicateDestination(pair ? to.elements[1] : none);
  in.reg[2] = d.Source(1, width);
  in.reg[kMembers] = d.Source(2, 4);
}

enum Reduction : int { kAdd, kMin, kMax, kAnd, kOr, kXor };

template <class T>
void Reduce(Warp& warp, const std::vector<Arrival>& arrivals, LaneMask) {
  U32 values[kWarpSize] = {};
  Gather(warp, arrivals, 1, values);
  const LaneMask all = All(arrivals);
  auto result = static_cast<T>(values[std::countr_zero(all)]);
  for (LaneMask rest = all & (all - 1); rest != 0; rest &= rest - 1) {
    const auto value = static_cast<T>(values[std::countr_zero(rest)]);
    switch (arrivals[0].instruction->mode) {
      case kAdd:
        result = static_cast<T>(static_cast<U32>(result) + static_cast<U32>(value));
        break;
      case kMin:
        result = std::min(result, value);
        break;
      case kMax:
        result = std::max(result, value);
        break;
      case kAnd:
        result &= value;
        break;
      case kOr:
        result |= value;
        break;
      default:
        result ^= value;
        break;
    }
  }
  for (const Arrival& arrival : arrivals) {
    T* d = warp.Lanes<T>(arrival.instruction->reg[0]);
    ForLanes(arrival.lanes, [=](int lane) { d[lane] = result; });
  }
}

void DecodeReduce(Decoder& d, Instruction& in) {
  if (!d.Take("sync")) d.Refuse("an unknown form");
  const int operation = d.TakeOneOf({"add", "min", "max", "and", "or", "xor"});
  const Type type = d.NeedType();
  if (operation < 0 || Width(type) != 4 || IsFloat(type)) d.Refuse("an unknown form");
  in.kind = Instruction::Kind::kCollective;
  in.gather = IsSigned(type) ? &Reduce<std::int32_t> : &Reduce<std::uint32_t>;
  in.mode = static_cast<std::uint8_t>(operation);
  in.reg[0] = d.Destination(0, 4);
  in.reg[1] = d.Source(1, 4);
  in.reg[kMembers] = d.Source(2, 4);
}

// One lane of the mask is told so; here the lowest, as hardware does.
void Elect(Warp& warp, const std::vector<Arrival>& arrivals, LaneMask) {
  const int leader = std::countr_zero(All(arrivals));
  for (const Arrival& arrival : arrivals) {
    const Instruction& in = *arrival.instruction;
    U32* d = warp.Lanes<U32>(in.reg[0]);
    ForLanes(arrival.lanes, [=](int lane) { d[lane] = static_cast<U32>(leader); });
    warp.SetPredicate(in.reg[1], arrival.lanes, LaneMask{1} << leader);
  }
}

void DecodeElect(Decoder& d, Instruction& in) {
  if (!d.Take("sync") || d.operand(0).kind != Operand::Kind::kVector) d.Refuse("an unknown form");
  in.kind = Instruction::Kind::kCollective;
  in.gather = &Elect;
  in.reg[0] = d.Destination(d.operand(0).elements[0], 4);
  in.reg[1] = d.PredicateDestination(d.operand(0).elements[1]);
  in.reg[kMembers] = d.Source(1, 4);
}

// The lanes that happen to run together: any set that holds the lane itself is legal.
void ActiveMask(Warp& warp, const Instruction& in, LaneMask active) {
  U32* d = warp.Lanes<U32>(in.reg[0]);
  ForLanes(active, [=](int lane) { d[lane] = active; });
}

void DecodeActiveMask(Decoder& d, Instruction& in) {
  if (Width(d.NeedType()) != 4) d.Refuse("not for this type");
  in.run = &ActiveMask;
  in.reg[0] = d.Destination(0, 4);
}

DecodeFunction block_barrier = nullptr;

void DecodeBar(Decoder& d, Instruction& in) {
  if (d.HasModifier("warp")) return DecodeSyncWarp(d, in);
  block_barrier(d, in);
}

}  // namespace

// After AddControlOpcodes: takes bar.warp from its "bar".
void AddWarpOpcodes(OpcodeTables& tables) {
  auto& general = tables.general;
  block_barrier = general["bar"];
  general["bar"] = &DecodeBar;
  general["shfl"] = &DecodeShuffle;
  general["vote"] = &DecodeVote;
  general["match"] = &DecodeMatch;
  general["redux"] = &DecodeReduce;
  general["elect"] = &DecodeElect;
  general["activemask"] = &DecodeActiveMask;
}

}  // namespace paluku::emulator
