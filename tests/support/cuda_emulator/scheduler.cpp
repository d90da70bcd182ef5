// Who runs next: warps of a block, fragments of a warp.
#include <algorithm>

#include "tests/support/cuda_emulator/report.h"
#include "tests/support/cuda_emulator/settings.h"
#include "tests/support/cuda_emulator/warp.h"

namespace paluku::emulator {
namespace {

constexpr std::uint32_t kNoLimit = ~std::uint32_t{0};
constexpr std::size_t kRegisterAlignment = 64;

std::size_t Aligned(std::size_t bytes) {
  return (bytes + kRegisterAlignment - 1) / kRegisterAlignment * kRegisterAlignment;
}

std::uint32_t TotalShared(const Kernel& kernel, const LaunchShape& shape) {
  return kernel.dynamic_offset + shape.dynamic_shared + 16;
}

std::string Triple(std::uint32_t x, std::uint32_t y, std::uint32_t z) {
  return "(" + std::to_string(x) + "," + std::to_string(y) + "," + std::to_string(z) + ")";
}

std::uint32_t SpecialValue(SpecialRegister::Which which, const Block& block, int warp,
                           std::uint32_t lane) {
  using Which = SpecialRegister::Which;
  const LaunchShape& shape = block.shape();
  const std::uint32_t thread = static_cast<std::uint32_t>(warp) * kWarpSize + lane;
  const std::uint32_t below = (std::uint32_t{1} << lane) - 1;
  switch (which) {
    case Which::kTidX:
      return thread % shape.block.x;
    case Which::kTidY:
      return thread / shape.block.x % shape.block.y;
    case Which::kTidZ:
      return thread / shape.block.x / shape.block.y;
    case Which::kLane:
      return lane;
    case Which::kWarp:
      return static_cast<std::uint32_t>(warp);
    case Which::kMaskEq:
      return below + 1;
    case Which::kMaskLt:
      return below;
    case Which::kMaskLe:
      return below + below + 1;
    case Which::kMaskGt:
      return ~(below + below + 1);
    case Which::kMaskGe:
      return ~below;
    case Which::kNtidX:
      return shape.block.x;
    case Which::kNtidY:
      return shape.block.y;
    case Which::kNtidZ:
      return shape.block.z;
    case Which::kCtaidX:
      return block.index().x;
    case Which::kCtaidY:
      return block.index().y;
    case Which::kCtaidZ:
      return block.index().z;
    case Which::kNctaidX:
      return shape.grid.x;
    case Which::kNctaidY:
      return shape.grid.y;
    case Which::kNctaidZ:
      return shape.grid.z;
    case Which::kWarpCount:
      return static_cast<std::uint32_t>((shape.block.Count() + kWarpSize - 1) / kWarpSize);
    case Which::kProcessor:
      return 0;
    case Which::kProcessorCount:
      return settings().processors;
    case Which::kDynamicShared:
      return shape.dynamic_shared;
    case Which::kTotalShared:
      return block.kernel().shared_bytes + shape.dynamic_shared;
  }
  return 0;
}

}  // namespace

void Warp::Start(std::byte* registers, std::byte* local, LaneMask exists) {
  const Kernel& kernel = block_->kernel();
  registers_ = registers;
  local_ = local;
  exists_ = exists;
  exited_ = 0;
  carries_ = 0;
  copies.clear();
  std::fill(std::begin(open_group), std::end(open_group), 0U);
  std::memcpy(registers_, kernel.image.data(), kernel.image.size());
  predicates_.assign(kernel.predicates, 0xA5A5A5A5U);
  predicates_[kPredicateFalse] = 0;
  predicates_[kPredicateTrue] = kAllLanes;
  for (const SpecialRegister& special : kernel.specials) {
    auto* values = Lanes<std::uint32_t>(special.offset);
    for (std::uint32_t lane = 0; lane < kWarpSize; ++lane)
      values[lane] = SpecialValue(special.which, *block_, index_, lane);
  }
  fragments_.assign(1, Fragment{0, exists});
}

std::string Warp::Where(const Instruction& instruction, int lane) const {
  const Dim3 block = block_->index();
  const Dim3 shape = block_->shape().block;
  const auto thread = static_cast<std::uint32_t>(index_ * kWarpSize + lane);
  return "kernel " + block_->kernel().name + ", thread " +
         Triple(thread % shape.x, thread / shape.x % shape.y, thread / shape.x / shape.y) +
         " of block " + Triple(block.x, block.y, block.z) + " at " +
         block_->kernel().Place(instruction.source);
}

Block::Block(const Kernel& kernel, const LaunchShape& shape, Random& random,
             LaunchCounters& counters)
    : kernel_(kernel),
      shape_(shape),
      random_(random),
      counters_(counters),
      threads_(static_cast<std::uint32_t>(shape.block.Count())),
      descending_(settings().order == Order::kDescending),
      shadow_(settings().shadow),
      preempt_(settings().preempt),
      shared_(TotalShared(kernel, shape)),
      shared_shadow_(TotalShared(kernel, shape)) {
  const std::size_t warps = (threads_ + kWarpSize - 1) / kWarpSize;
  for (std::size_t i = 0; i < warps; ++i) warps_.emplace_back(*this, static_cast<int>(i));
  register_files_.resize(warps * Aligned(kernel.image.size()) + kRegisterAlignment);
  locals_.resize(warps * kWarpSize * std::size_t{kernel.local_bytes});
}

void Block::StartBlock(Dim3 index, std::uint64_t serial) {
  index_ = index;
  live_threads_ = threads_;
  knowledge_.Start(warps_.size(), serial);
  for (Barrier& barrier : barriers_) barrier = Barrier();
  std::fill(shared_.begin(), shared_.end(), std::byte{0xFF});
  std::fill(locals_.begin(), locals_.end(), std::byte{0xFF});
  if (shadow_) shared_shadow_.ClearInitialised();
  const auto base = reinterpret_cast<std::uintptr_t>(register_files_.data());
  std::byte* registers = register_files_.data() + (Aligned(base) - base);
  std::byte* local = locals_.data();
  for (std::size_t i = 0; i < warps_.size(); ++i) {
    const std::uint32_t left = threads_ - static_cast<std::uint32_t>(i) * kWarpSize;
    const LaneMask exists = left >= kWarpSize ? kAllLanes : (LaneMask{1} << left) - 1;
    warps_[i].Start(registers, local, exists);
    registers += Aligned(kernel_.image.size());
    local += kWarpSize * std::size_t{kernel_.local_bytes};
  }
}

bool Block::Run(Dim3 index, std::uint64_t serial, std::uint64_t launch_limit) {
  launch_limit_ = launch_limit;
  StartBlock(index, serial);
  while (live_threads_ > 0 && !aborted_) {
    const std::size_t next = RunnableWarp();
    if (next < warps_.size()) {
      RunWarp(warps_[next]);
    } else if (!RetryCollectives() && !ReleaseQuietBarriers()) {
      ReportDeadlock();
      aborted_ = true;
    }
    if (knowledge_.overflowed()) {
      Report("LIMIT",
             "kernel " + kernel_.name + ": more than a million synchronisations in one block");
      aborted_ = true;
    }
  }
  return !aborted_;
}

// The first warp in the order of the settings that has something to run.
std::size_t Block::RunnableWarp() {
  const auto runnable = [](const Warp& warp) {
    return std::any_of(warp.fragments_.begin(), warp.fragments_.end(),
                       [](const Fragment& f) { return f.state == Fragment::State::kReady; });
  };
  const std::size_t count = warps_.size();
  const std::size_t start =
      settings().order == Order::kRandom ? random_.Below(static_cast<std::uint32_t>(count)) : 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = descending_ ? count - 1 - i : (start + i) % count;
    if (runnable(warps_[at])) return at;
  }
  return count;
}

// The fragment furthest behind, so that lanes meet again; any one in random order.
std::size_t Block::PickFragment(const Warp& warp) {
  std::size_t best = warp.fragments_.size();
  std::uint32_t ready = 0;
  for (std::size_t i = 0; i < warp.fragments_.size(); ++i) {
    const Fragment& fragment = warp.fragments_[i];
    if (fragment.state != Fragment::State::kReady) continue;
    ++ready;
    if (settings().order == Order::kRandom) {
      if (random_.Below(ready) == 0) best = i;
    } else if (best == warp.fragments_.size() || fragment.pc < warp.fragments_[best].pc) {
      best = i;
    }
  }
  return best;
}

bool Block::RunWarp(Warp& warp) {
  while (!aborted_) {
    const std::size_t pick = PickFragment(warp);
    if (pick == warp.fragments_.size()) return true;
    RunFragment(warp, pick);
    if (preempt_ != 0) return true;  // another warp may go on
  }
  return false;
}

void Block::RunFragment(Warp& warp, std::size_t index) {
  Fragment fragment = warp.fragments_[index];
  warp.fragments_.erase(warp.fragments_.begin() + static_cast<std::ptrdiff_t>(index));
  std::uint32_t quantum = ~std::uint32_t{0};
  if (preempt_ != 0) {
    quantum = 1 + random_.Below(preempt_);
    // Leave some of the lanes behind.
    const LaneMask chosen = fragment.lanes & (random_.Next() ^ random_.Next() << 16);
    if (chosen != 0 && chosen != fragment.lanes) {
      Fragment rest = fragment;
      rest.lanes &= ~chosen;
      fragment.lanes = chosen;
      warp.fragments_.push_back(rest);
    }
  }
  // Where the next fragment waits: lanes that come there go on together.
  std::uint32_t limit = kNoLimit;
  for (const Fragment& other : warp.fragments_) {
    const bool ahead = other.state == Fragment::State::kReady && other.pc > fragment.pc;
    if (ahead && preempt_ == 0) limit = std::min(limit, other.pc);
  }
  RunQuantum(warp, fragment, quantum, limit);
}

// Puts a ready fragment back, joined with one that stands at the same place.
void Block::PutFragment(Warp& warp, const Fragment& fragment) {
  for (Fragment& other : warp.fragments_) {
    if (other.state == Fragment::State::kReady && other.pc == fragment.pc) {
      other.lanes |= fragment.lanes;
      return;
    }
  }
  warp.fragments_.push_back(fragment);
}

void Block::RunQuantum(Warp& warp, Fragment fragment, std::uint32_t quantum, std::uint32_t limit) {
  const Instruction* const code = kernel_.code.data();
  const auto lanes = static_cast<std::uint64_t>(std::popcount(fragment.lanes));
  while (quantum-- > 0) {
    if (fragment.pc >= limit) break;
    const Instruction& in = code[fragment.pc];
    ++counters_.warp_instructions;
    counters_.thread_instructions += lanes;
    LaneMask active = fragment.lanes;
    if (in.guard >= 0) {
      const std::uint32_t guard = warp.predicates_[static_cast<std::size_t>(in.guard)];
      active &= in.guard_negated ? ~guard : guard;
    }
    if (in.kind == Instruction::Kind::kPlain) {
      if (active != 0) in.run(warp, in, active);
      ++fragment.pc;
      if (aborted_) return;
      continue;
    }
    if (in.kind == Instruction::Kind::kBranch) {
      if (active == fragment.lanes) {
        fragment.pc = in.target;
        continue;
      }
      if (active == 0) {
        ++fragment.pc;
        continue;
      }
      PutFragment(warp, Fragment{in.target, active});
      fragment.lanes &= ~active;
      ++fragment.pc;
      break;
    }
    const LaneMask rest = fragment.lanes & ~active;
    if (rest != 0) PutFragment(warp, Fragment{fragment.pc + 1, rest});
    if (active == 0) return;
    fragment.lanes = active;
    if (in.kind == Instruction::Kind::kExit) return Exit(warp, in, active);
    if (in.kind == Instruction::Kind::kBarrier) return ArriveAtBarrier(warp, fragment);
    return ArriveAtCollective(warp, fragment);
  }
  PutFragment(warp, fragment);
}

void Block::Exit(Warp& warp, const Instruction& instruction, LaneMask lanes) {
  for (const AsyncCopy& copy : warp.copies) {
    if ((lanes >> copy.lane & 1) == 0) continue;
    if (FirstTime(*copy.instruction, &instruction)) {
      Report("CP.ASYNC",
             "a thread ends before its copy arrived: " + warp.Where(*copy.instruction, copy.lane));
    }
  }
  warp.exited_ |= lanes;
  live_threads_ -= static_cast<std::uint32_t>(std::popcount(lanes));
}

bool Block::FirstTime(const Instruction& instruction, const void* other) {
  return reported_.emplace(&instruction, other).second;
}

}  // namespace paluku::emulator
