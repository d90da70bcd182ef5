// SwiGLU networks: routed experts (grouped by expert, DeepSeekMoE), shared experts and dense layers
// are one thing here, a list of networks with the rows that go through each.
//
// Two phases, each a list of pieces: gate and up with SiLU between (pieces: network x rows of
// gate), then down (pieces: columns of the output, every network in turn), so that each output
// value is summed in one fixed order.
#include <algorithm>
#include <cstring>

#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/cpu/tiling.h"

namespace paluku {
namespace {

bool ManyRows(int slots) { return slots > kFewRows; }

std::int64_t PiecesOf(std::int64_t rows) { return (rows + kExpertRows - 1) / kExpertRows; }

}  // namespace

void CpuBackend::AddExpert(const SwiGluWeights& weights, int first_slot, int slots) {
  PALUKU_CHECK(weights.gate.rank == 2 && weights.up.dim(0) == weights.gate.dim(0) &&
               weights.down.columns() == weights.gate.dim(0));
  Expert expert;
  expert.weights = weights;
  expert.first_slot = first_slot;
  expert.slots = slots;
  experts_.push_back(expert);
}

void CpuBackend::SwiGluFfn(const Tensor& x, const SwiGluWeights& weights, const Tensor& out) {
  if (Idle()) return;
  const int rows = static_cast<int>(x.rows());
  experts_.clear();
  slot_rows_.resize(static_cast<std::size_t>(rows));
  slot_weights_.assign(static_cast<std::size_t>(rows), 1.0f);
  for (int r = 0; r < rows; ++r) slot_rows_[static_cast<std::size_t>(r)] = r;
  AddExpert(weights, 0, rows);
  RunExperts(x, out);
}

void CpuBackend::MoeFfn(const MoeFfnParams& p) {
  if (Idle()) return;
  const int rows = static_cast<int>(p.x.rows());
  const int chosen = static_cast<int>(p.ids.columns());
  const int experts = static_cast<int>(p.routed.gate.dim(0));
  const int routed_slots = rows * chosen;
  const int slots = routed_slots + (p.shared.gate ? rows : 0);
  experts_.clear();
  slot_rows_.resize(static_cast<std::size_t>(slots));
  slot_weights_.resize(static_cast<std::size_t>(slots));
  slot_counts_.assign(static_cast<std::size_t>(experts) + 1, 0);
  // Counting sort by expert, stable in the rows: slot_counts_[e] becomes the first slot of e.
  for (int i = 0; i < routed_slots; ++i) {
    const int expert = p.ids.i32()[i];
    PALUKU_CHECK(expert >= 0 && expert < experts);
    ++slot_counts_[static_cast<std::size_t>(expert) + 1];
  }
  for (int e = 0; e < experts; ++e) {
    const auto at = static_cast<std::size_t>(e);
    const int count = slot_counts_[at + 1], first = slot_counts_[at];
    slot_counts_[at + 1] += first;
    if (count == 0) continue;
    AddExpert({p.routed.gate.Slab(e), p.routed.up.Slab(e), p.routed.down.Slab(e)}, first, count);
  }
  for (int i = 0; i < routed_slots; ++i) {
    const auto expert = static_cast<std::size_t>(p.ids.i32()[i]);
    const auto slot = static_cast<std::size_t>(slot_counts_[expert]++);
    slot_rows_[slot] = i / chosen;
    slot_weights_[slot] = p.weights.f32()[i];
  }
  if (p.shared.gate) {
    for (int r = 0; r < rows; ++r) {
      slot_rows_[static_cast<std::size_t>(routed_slots + r)] = r;
      slot_weights_[static_cast<std::size_t>(routed_slots + r)] = 1.0f;
    }
    AddExpert(p.shared, routed_slots, rows);
  }
  RunExperts(p.x, p.out);
}

void CpuBackend::RunExperts(const Tensor& x, const Tensor& out) {
  PALUKU_CHECK(out.rows() == x.rows() && out.columns() == x.columns() && out.data != x.data);
  BeginOperation();
  bool quantised = false;
  std::int64_t worker_bytes = 0;
  for (Expert& expert : experts_) {
    const WeightKernels& gate = WeightsOf(expert.weights.gate);
    const WeightKernels& up = WeightsOf(expert.weights.up);
    quantised = quantised || gate.quantised || up.quantised;
    expert.inner = scratch_.Take<float>(expert.slots * expert.inner_size());
    worker_bytes = std::max({worker_bytes,
                             RoundUp64(gate.tile_bytes(x.columns())) + up.tile_bytes(x.columns()),
                             WeightsOf(expert.weights.down).tile_bytes(expert.inner_size())});
  }
  if (OutOfMemory() || !ReserveWorkers(worker_bytes)) return;
  const Inputs inputs = MakeInputs(x.f32(), x.rows(), x.columns(), quantised);
  PackExpertInputs(inputs);
  GateAndUp(inputs);
  PackExpertInner();
  Down(out);
}

void CpuBackend::PackExpertInputs(const Inputs& inputs) {
  for (Expert& expert : experts_) {
    if (!ManyRows(expert.slots)) continue;
    for (const Tensor* weight : {&expert.weights.gate, &expert.weights.up}) {
      const bool quantised = WeightsOf(*weight).quantised;
      Blocks& blocks = expert.x_blocks[quantised];
      if (blocks.columns == 0) blocks = TakeBlocks(inputs.k, expert.slots, quantised);
    }
  }
  if (OutOfMemory()) return;
  Run(static_cast<std::int64_t>(experts_.size()), [&](int piece, int) {
    const Expert& expert = experts_[static_cast<std::size_t>(piece)];
    for (const bool quantised : {false, true}) {
      const Blocks& blocks = expert.x_blocks[quantised];
      for (int b = 0; b < blocks.count(); ++b) {
        PackBlock(inputs, slot_rows_.data() + expert.first_slot, b, quantised, blocks);
      }
    }
  });
}

void CpuBackend::GateAndUp(const Inputs& inputs) {
  std::int64_t pieces = 0;
  for (Expert& expert : experts_) {
    expert.first_piece = static_cast<int>(pieces);
    pieces += PiecesOf(expert.inner_size());
  }
  Run(pieces, [&](int piece, int worker) {
    const auto after = std::upper_bound(
        experts_.begin(), experts_.end(), piece,
        [](int value, const Expert& expert) { return value < expert.first_piece; });
    const Expert& expert = *(after - 1);
    const std::int64_t first = (piece - expert.first_piece) * kExpertRows;
    const std::int64_t last = std::min(first + kExpertRows, expert.inner_size());
    GateAndUpPiece(expert, inputs, first, last, WorkerMemory(worker));
  });
}

void CpuBackend::GateAndUpPiece(const Expert& expert, const Inputs& inputs, std::int64_t first,
                                std::int64_t last, std::byte* memory) const {
  if (ManyRows(expert.slots)) return GateAndUpTiles(expert, first, last, memory);
  const Tensor gate = expert.weights.gate.Rows(first, last - first);
  const Tensor up = expert.weights.up.Rows(first, last - first);
  const int count = static_cast<int>(last - first);
  for (int s = 0; s < expert.slots; ++s) {
    float g[kExpertRows], u[kExpertRows];
    const ActivationRow row =
        inputs.Row(slot_rows_[static_cast<std::size_t>(expert.first_slot + s)]);
    WeightsOf(gate).dot(gate.data, gate.row_bytes(), count, inputs.k, row, g);
    WeightsOf(up).dot(up.data, up.row_bytes(), count, inputs.k, row, u);
    kernels_.silu_multiply(g, u, count, expert.inner + s * expert.inner_size() + first);
  }
}

void CpuBackend::GateAndUpTiles(const Expert& expert, std::int64_t first, std::int64_t last,
                                std::byte* memory) const {
  const Tensor &gate = expert.weights.gate, &up = expert.weights.up;
  const WeightKernels &gate_kernels = WeightsOf(gate), &up_kernels = WeightsOf(up);
  const Blocks& gate_blocks = expert.x_blocks[gate_kernels.quantised];
  const Blocks& up_blocks = expert.x_blocks[up_kernels.quantised];
  const std::int64_t k = gate.columns(), inner = expert.inner_size();
  const int lanes = kernels_.lanes;
  std::byte* up_tile = memory + RoundUp64(gate_kernels.tile_bytes(k));
  for (std::int64_t row = first; row < last; row += lanes) {
    const int count = static_cast<int>(std::min<std::int64_t>(lanes, last - row));
    gate_kernels.decode_tile(gate.data + row * gate.row_bytes(), gate.row_bytes(), count, k,
                             memory);
    up_kernels.decode_tile(up.data + row * up.row_bytes(), up.row_bytes(), count, k, up_tile);
    for (int b = 0; b < gate_blocks.count(); ++b) {
      const int columns = gate_blocks.ColumnsOf(b);
      float g[kBlockColumns * kMaxLanes], u[kBlockColumns * kMaxLanes];
      gate_kernels.multiply_tile(memory, gate_blocks.Block(b), columns, k, g);
      up_kernels.multiply_tile(up_tile, up_blocks.Block(b), columns, k, u);
      kernels_.silu_multiply(g, u, static_cast<std::int64_t>(columns) * lanes, g);
      for (int c = 0; c < columns; ++c) {
        std::memcpy(expert.inner + (b * kBlockColumns + c) * inner + row, g + c * lanes,
                    static_cast<std::size_t>(count) * sizeof(float));
      }
    }
  }
}

void CpuBackend::PackExpertInner() {
  for (Expert& expert : experts_) {
    const bool quantised = WeightsOf(expert.weights.down).quantised;
    const std::int64_t inner = expert.inner_size();
    expert.inner_inputs = {.k = inner, .f32 = expert.inner};
    if (quantised) {
      expert.inner_inputs.quantised_bytes = LayoutOfQuantisedRow(inner).bytes;
      expert.inner_inputs.quantised =
          scratch_.Take<std::byte>(expert.slots * expert.inner_inputs.quantised_bytes);
    }
    if (ManyRows(expert.slots)) {
      expert.inner_blocks[quantised] = TakeBlocks(inner, expert.slots, quantised);
    }
  }
  if (OutOfMemory()) return;
  Run(static_cast<std::int64_t>(experts_.size()), [&](int piece, int) {
    const Expert& expert = experts_[static_cast<std::size_t>(piece)];
    const Inputs& inputs = expert.inner_inputs;
    const bool quantised = inputs.quantised != nullptr;
    for (int s = 0; quantised && s < expert.slots; ++s) {
      kernels_.quantise_row(inputs.f32 + s * inputs.k, inputs.k,
                            const_cast<std::byte*>(inputs.quantised) + s * inputs.quantised_bytes);
    }
    const Blocks& blocks = expert.inner_blocks[quantised];
    for (int b = 0; b < blocks.count(); ++b) PackBlock(inputs, nullptr, b, quantised, blocks);
  });
}

void CpuBackend::Down(const Tensor& out) {
  const std::int64_t hidden = out.columns();
  RunRanges(hidden, kExpertRows, [&](std::int64_t first, std::int64_t last, int worker) {
    for (std::int64_t r = 0; r < out.rows(); ++r) {
      std::fill(out.f32() + r * hidden + first, out.f32() + r * hidden + last, 0.0f);
    }
    for (const Expert& expert : experts_) {
      DownPiece(expert, first, last, out.f32(), hidden, WorkerMemory(worker));
    }
  });
}

void CpuBackend::DownPiece(const Expert& expert, std::int64_t first, std::int64_t last, float* out,
                           std::int64_t hidden, std::byte* memory) const {
  if (ManyRows(expert.slots)) return DownTiles(expert, first, last, out, hidden, memory);
  const Tensor down = expert.weights.down.Rows(first, last - first);
  const int count = static_cast<int>(last - first);
  for (int s = 0; s < expert.slots; ++s) {
    const auto slot = static_cast<std::size_t>(expert.first_slot + s);
    float y[kExpertRows];
    WeightsOf(down).dot(down.data, down.row_bytes(), count, expert.inner_size(),
                        expert.inner_inputs.Row(s), y);
    kernels_.scale_add(out + slot_rows_[slot] * hidden + first, slot_weights_[slot], y, count);
  }
}

void CpuBackend::DownTiles(const Expert& expert, std::int64_t first, std::int64_t last, float* out,
                           std::int64_t hidden, std::byte* memory) const {
  const Tensor& down = expert.weights.down;
  const WeightKernels& kernels = WeightsOf(down);
  const Blocks& blocks = expert.inner_blocks[kernels.quantised];
  const int lanes = kernels_.lanes;
  for (std::int64_t row = first; row < last; row += lanes) {
    const int count = static_cast<int>(std::min<std::int64_t>(lanes, last - row));
    kernels.decode_tile(down.data + row * down.row_bytes(), down.row_bytes(), count,
                        expert.inner_size(), memory);
    for (int b = 0; b < blocks.count(); ++b) {
      float y[kBlockColumns * kMaxLanes];
      kernels.multiply_tile(memory, blocks.Block(b), blocks.ColumnsOf(b), expert.inner_size(), y);
      for (int c = 0; c < blocks.ColumnsOf(b); ++c) {
        const auto slot = static_cast<std::size_t>(expert.first_slot + b * kBlockColumns + c);
        kernels_.scale_add(out + slot_rows_[slot] * hidden + row, slot_weights_[slot],
                           y + c * lanes, count);
      }
    }
  }
}

}  // namespace paluku
