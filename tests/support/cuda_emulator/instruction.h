// The decoded form of PTX: what the executor runs.
//
// One instruction is executed for all active lanes of a warp at once. Every register is an array of
// 32 values in the warp's register file; immediates and special registers are arrays there too, so
// an operand is one byte offset. Predicates are bit masks, one bit a lane. Owner: Kernel; constant
// after decoding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/cuda_emulator/ptx_syntax.h"

namespace paluku::emulator {

inline constexpr int kWarpSize = 32;
using LaneMask = std::uint32_t;
inline constexpr LaneMask kAllLanes = ~LaneMask{0};

// Generic addresses of what is not device memory. Shared-space addresses are offsets (32 bits);
// local and parameter addresses carry their window in their own space too.
inline constexpr std::uint64_t kSharedWindow = std::uint64_t{1} << 48;
inline constexpr std::uint64_t kLocalWindow = std::uint64_t{2} << 48;
inline constexpr std::uint64_t kParamWindow = std::uint64_t{3} << 48;
inline constexpr std::uint64_t kWindowMask = std::uint64_t{3} << 48;

class Warp;
struct Instruction;

// Runs an instruction for the active lanes.
using Handler = void (*)(Warp&, const Instruction&, LaneMask active);

// One of the places from which lanes meet in a warp-wide operation (nearly always there is one).
struct Arrival {
  const Instruction* instruction;
  LaneMask lanes;
};
// Runs a warp-wide operation for all lanes that met. members: the lanes that the operation names.
using CollectiveHandler = void (*)(Warp&, const std::vector<Arrival>&, LaneMask members);

inline constexpr int kMostOperands = 20;

struct Instruction {
  enum class Kind : std::uint8_t { kPlain, kBranch, kExit, kBarrier, kCollective };

  Handler run = nullptr;
  CollectiveHandler gather = nullptr;
  Kind kind = Kind::kPlain;
  bool guard_negated = false;
  bool narrow_address = false;  // the address register has 32 bits
  bool aligned = false;         // all lanes must come from this very instruction
  Space space = Space::kGeneric;
  std::uint8_t size = 0;   // bytes of one element in memory
  std::uint8_t count = 1;  // elements
  std::uint8_t mode = 0;   // what the opcode's file says
  std::uint8_t mode2 = 0;
  std::uint16_t site = 0;                 // index of the memory instruction in Kernel::sites
  std::int32_t guard = -1;                // predicate
  std::uint32_t target = 0;               // branch target
  std::uint32_t reg[kMostOperands] = {};  // offsets in the register file, or predicate numbers
  std::int64_t offset = 0;                // added to an address
  const char* name = "";                  // the opcode, for reports
  SourceLine source;
};

// Places where a special register's value is put before a warp starts.
struct SpecialRegister {
  enum class Which {
    kTidX,
    kTidY,
    kTidZ,
    kLane,
    kWarp,
    kMaskEq,
    kMaskLt,
    kMaskLe,
    kMaskGt,
    kMaskGe,
    kNtidX,
    kNtidY,
    kNtidZ,
    kCtaidX,
    kCtaidY,
    kCtaidZ,
    kNctaidX,
    kNctaidY,
    kNctaidZ,
    kWarpCount,
    kProcessor,
    kProcessorCount,
    kDynamicShared,
    kTotalShared
  };
  Which which;
  std::uint32_t offset;  // 32-bit values
};

struct ParameterPlace {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
};

// A variable in shared memory. Red zones lie between neighbours.
struct SharedPlace {
  std::string name;
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
};

struct Kernel {
  std::string name;
  std::vector<Instruction> code;
  std::vector<ParameterPlace> parameters;
  std::uint32_t parameter_bytes = 0;
  std::vector<std::byte>
      image;  // what a register file holds at first: constants, and poison in the registers
  std::uint32_t predicates = 0;
  std::vector<SpecialRegister> specials;
  std::uint32_t local_bytes = 0;     // per thread
  std::vector<SharedPlace> shared;   // static ones
  std::uint32_t shared_bytes = 0;    // as the hardware counts them, without red zones
  std::uint32_t dynamic_offset = 0;  // where dynamic shared memory starts
  bool uses_dynamic = false;
  std::uint32_t max_threads = 0;
  std::uint32_t required_threads = 0;
  std::vector<SourceLine> sites;
  const std::map<std::uint32_t, std::string>* files = nullptr;

  std::string Place(SourceLine source) const;
};

inline constexpr std::size_t kMostSites = 8192;      // what a shadow stamp can tell apart
inline constexpr std::uint32_t kPredicateFalse = 0;  // predicates that never change
inline constexpr std::uint32_t kPredicateTrue = 1;

}  // namespace paluku::emulator
