// Where lanes and warps meet: warp-wide operations and barriers.
#include <algorithm>
#include <map>

#include "tests/support/cuda_emulator/report.h"
#include "tests/support/cuda_emulator/warp.h"

namespace paluku::emulator {
namespace {

constexpr std::uint32_t kNoOperand = ~std::uint32_t{0};

enum BarrierMode : std::uint8_t { kSync, kArrive, kPopc, kAnd, kOr };

}  // namespace

// The lanes of a fragment may name different sets of members; each set meets on its own.
void Block::ArriveAtCollective(Warp& warp, Fragment fragment) {
  const Instruction& in = kernel_.code[fragment.pc];
  LaneMask left = fragment.lanes;
  while (left != 0 && !aborted_) {
    const int first = std::countr_zero(left);
    LaneMask members = kAllLanes;
    LaneMask same = left;
    if (in.reg[kMostOperands - 1] != kNoOperand) {  // the operand that names the members
      const auto* values = warp.Lanes<std::uint32_t>(in.reg[kMostOperands - 1]);
      members = values[first];
      for (LaneMask rest = left; rest != 0; rest &= rest - 1) {
        const int lane = std::countr_zero(rest);
        if (values[lane] != members) same &= ~(LaneMask{1} << lane);
      }
    }
    left &= ~same;
    if ((same & ~members) != 0) {
      Report("WARP DIVERGENCE", std::string(in.name) +
                                    " by a lane that its own mask does not name: " +
                                    warp.Where(in, std::countr_zero(same & ~members)));
      aborted_ = true;
      return;
    }
    Fragment waiting = fragment;
    waiting.lanes = same;
    waiting.state = Fragment::State::kAtCollective;
    waiting.members = members;
    warp.fragments_.push_back(waiting);
    TryCollective(warp, members);
  }
}

// Runs the operation if all members came.
bool Block::TryCollective(Warp& warp, LaneMask members) {
  std::vector<Arrival> arrivals;
  LaneMask came = 0;
  for (const Fragment& fragment : warp.fragments_) {
    if (fragment.state != Fragment::State::kAtCollective || (fragment.members & members) == 0)
      continue;
    const Instruction& in = kernel_.code[fragment.pc];
    if (fragment.members != members) {
      if ((fragment.members & fragment.lanes & members) == 0) continue;
      Report("WARP DIVERGENCE", std::string("lanes name different masks that overlap, ") + in.name +
                                    ": " + warp.Where(in, std::countr_zero(fragment.lanes)));
      aborted_ = true;
      return false;
    }
    arrivals.push_back({&in, fragment.lanes});
    came |= fragment.lanes;
  }
  if (came != (members & warp.live()) || came == 0) return false;
  const Instruction& first = *arrivals[0].instruction;
  for (const Arrival& arrival : arrivals) {
    const Instruction& in = *arrival.instruction;
    const int lane = std::countr_zero(arrival.lanes);
    if (in.gather != first.gather || in.mode != first.mode) {
      Report("WARP DIVERGENCE", std::string("lanes of one mask meet in different operations, ") +
                                    first.name + " and " + in.name + ": " + warp.Where(in, lane));
      aborted_ = true;
      return false;
    }
    if (in.aligned && &in != &first && FirstTime(in, &first)) {
      Report("WARP DIVERGENCE",
             std::string(in.name) + " reached from two places: " + warp.Where(in, lane));
    }
  }
  first.gather(warp, arrivals, members);
  std::vector<Fragment> waiting;
  std::swap(waiting, warp.fragments_);
  for (Fragment& fragment : waiting) {
    if (fragment.state == Fragment::State::kAtCollective && fragment.members == members) {
      PutFragment(warp, Fragment{fragment.pc + 1, fragment.lanes});
    } else if (fragment.state == Fragment::State::kReady) {
      PutFragment(warp, fragment);
    } else {
      warp.fragments_.push_back(fragment);
    }
  }
  return true;
}

// Lanes that ended since can complete an operation.
bool Block::RetryCollectives() {
  for (Warp& warp : warps_) {
    for (const Fragment& fragment : warp.fragments_) {
      if (fragment.state == Fragment::State::kAtCollective && TryCollective(warp, fragment.members))
        return true;
      if (aborted_) return true;
    }
  }
  return false;
}

void Block::ArriveAtBarrier(Warp& warp, Fragment fragment) {
  const Instruction& in = kernel_.code[fragment.pc];
  const int first = std::countr_zero(fragment.lanes);
  const std::uint32_t id = warp.Lanes<std::uint32_t>(in.reg[1])[first];
  if (id >= std::size(barriers_)) {
    Report("BARRIER DIVERGENCE",
           "barrier " + std::to_string(id) + " does not exist: " + warp.Where(in, first));
    aborted_ = true;
    return;
  }
  Barrier& barrier = barriers_[id];
  const std::uint32_t expected =
      in.reg[2] == kNoOperand ? 0 : warp.Lanes<std::uint32_t>(in.reg[2])[first];
  if (barrier.any && barrier.expected != expected) {
    Report("BARRIER DIVERGENCE",
           "barrier " + std::to_string(id) +
               " with different numbers of threads: " + warp.Where(in, first));
  }
  CheckSameBarrier(warp, fragment, id, id == 0 && expected == 0);
  barrier.any = true;
  barrier.expected = expected;
  barrier.arrived += static_cast<std::uint32_t>(std::popcount(fragment.lanes));
  barrier.arrivals.push_back(knowledge_.Arrive(warp.index(), in.mode != kArrive));
  if (in.mode >= kPopc) {
    LaneMask votes = warp.Predicate(in.reg[3]);
    if (in.mode2 != 0) votes = ~votes;
    barrier.votes += static_cast<std::uint32_t>(std::popcount(votes & fragment.lanes));
    barrier.voters += static_cast<std::uint32_t>(std::popcount(fragment.lanes));
  }
  if (in.mode == kArrive) {
    PutFragment(warp, Fragment{fragment.pc + 1, fragment.lanes});
  } else {
    fragment.state = Fragment::State::kAtBarrier;
    fragment.barrier = id;
    warp.fragments_.push_back(fragment);
  }
  TryReleaseBarrier(id, false);
}

// Threads that wait elsewhere for the same barrier are a defect: lanes of one warp always (the
// instruction is aligned), other warps when the barrier is that of the whole block.
void Block::CheckSameBarrier(Warp& warp, const Fragment& fragment, std::uint32_t id,
                             bool everybody) {
  const Instruction& in = kernel_.code[fragment.pc];
  for (const Warp& other : warps_) {
    if (!everybody && (&other != &warp || !in.aligned)) continue;
    for (const Fragment& waiting : other.fragments_) {
      const bool elsewhere = waiting.state == Fragment::State::kAtBarrier &&
                             waiting.barrier == id && waiting.pc != fragment.pc;
      const Instruction& theirs = kernel_.code[waiting.pc];
      if (!elsewhere || !FirstTime(in, &theirs)) continue;
      Report("BARRIER DIVERGENCE", "threads meet at different barriers: " +
                                       warp.Where(in, std::countr_zero(fragment.lanes)) + " and " +
                                       kernel_.Place(theirs.source));
    }
  }
}

// quiet: nothing else can run, so threads that ended are not waited for.
bool Block::TryReleaseBarrier(std::uint32_t id, bool quiet) {
  Barrier& barrier = barriers_[id];
  if (!barrier.any) return false;
  const std::uint32_t wanted = barrier.expected != 0 ? barrier.expected
                               : quiet               ? live_threads_
                                                     : threads_;
  if (barrier.arrived < wanted) return false;
  const Barrier done = std::exchange(barrier, Barrier());
  if (done.expected == 0) {
    knowledge_.BlockBarrier();
  } else {
    knowledge_.PartialBarrier(done.arrivals);
  }
  for (Warp& warp : warps_) {
    std::vector<Fragment> before;
    std::swap(before, warp.fragments_);
    const auto waits = [&](const Fragment& f) {
      return f.state == Fragment::State::kAtBarrier && f.barrier == id;
    };
    for (const Fragment& fragment : before) {
      if (!waits(fragment)) {
        warp.fragments_.push_back(fragment);
        continue;
      }
      const Instruction& in = kernel_.code[fragment.pc];
      if (quiet && done.expected == 0 && live_threads_ != threads_ && FirstTime(in, &barrier)) {
        Report("BARRIER DIVERGENCE", std::to_string(threads_ - live_threads_) +
                                         " threads ended before the barrier: " +
                                         warp.Where(in, std::countr_zero(fragment.lanes)));
      }
      if (in.mode == kPopc) {
        auto* results = warp.Lanes<std::uint32_t>(in.reg[0]);
        for (LaneMask rest = fragment.lanes; rest != 0; rest &= rest - 1)
          results[std::countr_zero(rest)] = done.votes;
      } else if (in.mode == kAnd || in.mode == kOr) {
        const bool result = in.mode == kAnd ? done.votes == done.voters : done.votes > 0;
        warp.SetPredicate(in.reg[0], fragment.lanes, result ? kAllLanes : 0);
      }
      PutFragment(warp, Fragment{fragment.pc + 1, fragment.lanes});
    }
  }
  return true;
}

bool Block::ReleaseQuietBarriers() {
  for (std::uint32_t id = 0; id < std::size(barriers_); ++id) {
    if (TryReleaseBarrier(id, true)) return true;
  }
  return false;
}

void Block::ReportDeadlock() {
  std::map<std::string, int> where;
  for (const Warp& warp : warps_) {
    for (const Fragment& fragment : warp.fragments_) {
      const Instruction& in = kernel_.code[fragment.pc];
      where[std::string(in.name) + " at " + kernel_.Place(in.source)] +=
          std::popcount(fragment.lanes);
    }
  }
  std::string text = "kernel " + kernel_.name + ":";
  for (const auto& [place, threads] : where)
    text += " " + std::to_string(threads) + " threads wait in " + place + ";";
  text += " " + std::to_string(threads_ - live_threads_) + " ended";
  Report("DEADLOCK", text);
}

}  // namespace paluku::emulator
