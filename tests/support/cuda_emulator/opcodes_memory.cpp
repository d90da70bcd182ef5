// ld, st and hints about caches.
#include <algorithm>
#include <cstring>

#include "tests/support/cuda_emulator/decoder.h"
#include "tests/support/cuda_emulator/lanes.h"
#include "tests/support/cuda_emulator/memory_operands.h"

namespace paluku::emulator {
namespace {

constexpr int kBase = kMostOperands - 2;  // register slot of the address

// M: element in memory, R: register. Values are widened as M says.
template <class M, class R>
void Load(Warp& warp, const Instruction& in, LaneMask active) {
  LaneAccess access;
  LaneAddresses(warp, in, kBase, access.address);
  const AccessKind kind = in.mode != 0 ? AccessKind::kAtomicRead : AccessKind::kRead;
  const auto bytes = static_cast<std::uint32_t>(sizeof(M) * in.count);
  if (!warp.block().Access(warp, in, active, kind, in.space, bytes, access)) return;
  for (std::uint32_t i = 0; i < in.count; ++i) {
    R* d = warp.Lanes<R>(in.reg[i]);
    ForLanes(active, [&, d](int lane) {
      M value;
      std::memcpy(&value, access.pointer[lane] + i * sizeof(M), sizeof(M));
      d[lane] = static_cast<R>(value);
    });
  }
}

template <class M, class R>
void Store(Warp& warp, const Instruction& in, LaneMask active) {
  LaneAccess access;
  LaneAddresses(warp, in, kBase, access.address);
  const AccessKind kind = in.mode != 0 ? AccessKind::kAtomic : AccessKind::kWrite;
  const auto bytes = static_cast<std::uint32_t>(sizeof(M) * in.count);
  if (!warp.block().Access(warp, in, active, kind, in.space, bytes, access)) return;
  for (std::uint32_t i = 0; i < in.count; ++i) {
    const R* s = warp.Lanes<R>(in.reg[i]);
    // One lane after the other: two of them may write to one place.
    warp.block().ForLanesInOrder(active, [&](int lane) {
      const M value = static_cast<M>(s[lane]);
      std::memcpy(access.pointer[lane] + i * sizeof(M), &value, sizeof(M));
    });
  }
}

template <template <class, class> class Holder, class M>
Handler ForRegister(Decoder& d, int width) {
  if constexpr (sizeof(M) <= 2) {
    if (width == 2) return Holder<M, std::uint16_t>::kHandler;
  }
  if constexpr (sizeof(M) <= 4) {
    if (width == 4) return Holder<M, std::uint32_t>::kHandler;
  }
  if (width == 8) return Holder<M, std::uint64_t>::kHandler;
  d.Refuse("a register narrower than its type");
}

template <template <class, class> class Holder>
Handler ForMemory(Decoder& d, Type type, int width) {
  switch (type) {
    case Type::kS8:
      return ForRegister<Holder, std::int8_t>(d, width);
    case Type::kS16:
      return ForRegister<Holder, std::int16_t>(d, width);
    case Type::kS32:
      return ForRegister<Holder, std::int32_t>(d, width);
    default:
      break;
  }
  switch (Width(type)) {
    case 1:
      return ForRegister<Holder, std::uint8_t>(d, width);
    case 2:
      return ForRegister<Holder, std::uint16_t>(d, width);
    case 4:
      return ForRegister<Holder, std::uint32_t>(d, width);
    case 8:
      return ForRegister<Holder, std::uint64_t>(d, width);
    default:
      d.Refuse("not for this type");
  }
}
template <class M, class R>
struct LoadHolder {
  static constexpr Handler kHandler = &Load<M, R>;
};
template <class M, class R>
struct StoreHolder {
  static constexpr Handler kHandler = &Store<M, R>;
};

// Modifiers that say how strongly an access is ordered: such accesses race with nothing that is as
// strong.
bool TakeStrength(Decoder& d) {
  d.Take("weak");
  const int strong = d.TakeOneOf({"volatile", "relaxed", "acquire", "release"});
  if (strong > 0 && d.TakeOneOf({"cta", "cluster", "gpu", "sys"}) < 0) d.Refuse("which scope?");
  return strong >= 0;
}

int TakeCount(Decoder& d) {
  if (d.Take("v8")) return 8;
  if (d.Take("v4")) return 4;
  return d.Take("v2") ? 2 : 1;
}

void DecodeAccess(Decoder& d, Instruction& in, bool load) {
  in.mode = TakeStrength(d) ? 1 : 0;
  in.space = TakeSpace(d);
  d.Take("nc");
  const bool policy = TakeCacheHints(d);
  in.count = static_cast<std::uint8_t>(TakeCount(d));
  const Type type = d.NeedType();
  const std::size_t value = load ? 0 : 1;
  const std::size_t address = load ? 1 : 0;
  if (d.operand_count() != (policy ? 3U : 2U)) d.Refuse("a wrong number of operands");
  const Operand& values = d.operand(value);
  std::vector<Operand> elements = {values};
  if (in.count > 1) {
    if (values.kind != Operand::Kind::kVector || values.elements.size() != in.count)
      d.Refuse("an odd vector");
    elements = values.elements;
  }
  // Parts that the program drops have no register; take the width of one that has.
  int width = std::max(2, Width(type));
  for (const Operand& element : elements) width = std::max(width, d.WidthOf(element, width));
  for (std::size_t i = 0; i < elements.size(); ++i) {
    in.reg[i] = load ? d.Destination(elements[i], width) : d.Source(elements[i], width);
  }
  in.size = static_cast<std::uint8_t>(Width(type));
  in.run = load ? ForMemory<LoadHolder>(d, type, width) : ForMemory<StoreHolder>(d, type, width);
  d.Address(d.operand(address), in, kBase);
}

void DecodeLoad(Decoder& d, Instruction& in) { DecodeAccess(d, in, true); }
void DecodeStore(Decoder& d, Instruction& in) { DecodeAccess(d, in, false); }

void Nothing(Warp&, const Instruction&, LaneMask) {}

void DecodePrefetch(Decoder& d, Instruction& in) {
  TakeSpace(d);
  if (d.TakeOneOf({"L1", "L2", "L2::evict_last", "L2::evict_normal"}) < 0) d.Refuse("which cache?");
  in.run = &Nothing;
}

// createpolicy: a 64-bit handle that hints take; its value means nothing here.
void DecodePolicy(Decoder& d, Instruction& in) {
  if (!d.Take("fractional")) d.Refuse("only fractional policies");
  d.TakeOneOf({"L2::evict_last", "L2::evict_normal", "L2::evict_first", "L2::evict_unchanged"});
  if (Width(d.NeedType()) != 8) d.Refuse("not for this type");
  in.run = &Nothing;
  in.reg[0] = d.Destination(0, 8);
}

}  // namespace

Space TakeSpace(Decoder& d) {
  switch (d.TakeOneOf({"global", "shared", "shared::cta", "local", "param", "const", "param::entry",
                       "param::func"})) {
    case 0:
      return Space::kGlobal;
    case 1:
    case 2:
      return Space::kShared;
    case 3:
      return Space::kLocal;
    case 4:
    case 6:
    case 7:
      return Space::kParam;
    case 5:
      return Space::kConst;
    default:
      return Space::kGeneric;
  }
}

bool TakeCacheHints(Decoder& d) {
  d.TakeOneOf({"ca", "cg", "cs", "lu", "cv", "wb", "wt"});
  d.TakeOneOf({"L1::evict_normal", "L1::evict_unchanged", "L1::evict_first", "L1::evict_last",
               "L1::no_allocate"});
  d.TakeOneOf({"L2::evict_normal", "L2::evict_first", "L2::evict_last"});
  const bool policy = d.Take("L2::cache_hint");
  d.TakeOneOf({"L2::64B", "L2::128B", "L2::256B"});
  return policy;
}

void LaneAddresses(Warp& warp, const Instruction& in, int slot, std::uint64_t* out) {
  if (in.narrow_address) {
    const auto* base = warp.Lanes<std::uint32_t>(in.reg[slot]);
    for (int lane = 0; lane < kWarpSize; ++lane)
      out[lane] = base[lane] + static_cast<std::uint64_t>(in.offset);
  } else {
    const auto* base = warp.Lanes<std::uint64_t>(in.reg[slot]);
    for (int lane = 0; lane < kWarpSize; ++lane)
      out[lane] = base[lane] + static_cast<std::uint64_t>(in.offset);
  }
}

void AddMemoryOpcodes(OpcodeTables& tables) {
  tables.general["ld"] = &DecodeLoad;
  tables.general["ldu"] = &DecodeLoad;
  tables.general["st"] = &DecodeStore;
  tables.general["prefetch"] = &DecodePrefetch;
  tables.general["prefetchu"] = &DecodePrefetch;
  tables.general["createpolicy"] = &DecodePolicy;
}

}  // namespace paluku::emulator
