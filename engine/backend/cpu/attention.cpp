// What both ways of MlaAttention share: the choice between them and the reading of cached rows.
#include <algorithm>
#include <cstring>

#include "engine/backend/cpu/cpu_backend.h"

namespace paluku {
namespace {

// Multiplications per way, from the shapes (DeepSeek-V2 section 2.1; in units of one head). The
// expanded way puts rows into lanes and pays for empty ones.
bool ExpandedIsCheaper(const MlaAttentionParams& p, const StepSequence& sequence, int lanes) {
  const double rows = sequence.rows, tokens = sequence.cached + rows;
  // Whole vectors of lanes. NOLINTNEXTLINE(bugprone-integer-division)
  const double padding = (sequence.rows + lanes - 1) / lanes * lanes - rows;
  const double pairs = rows * sequence.cached + rows * (rows + 1) / 2;
  const double per_row = static_cast<double>(p.latent) * (p.nope + p.value);
  const double absorbed = pairs * (2.0 * p.latent + p.rope) + rows * per_row;
  const double expanded =
      (pairs + padding * tokens) * (p.nope + p.rope + p.value) + tokens * per_row;
  return expanded < absorbed;
}

}  // namespace

void CpuBackend::MlaAttention(const MlaAttentionParams& p) {
  PALUKU_CHECK(p.latent == pages_.latent && p.rope == pages_.rope &&
               p.q.columns() == static_cast<std::int64_t>(p.heads) * (p.nope + p.rope) &&
               p.out.columns() == static_cast<std::int64_t>(p.heads) * p.value &&
               p.latent % 4 == 0 && p.value % 4 == 0);
  for (const StepSequence& sequence : batch_.sequences) {
    if (Idle()) return;
    BeginOperation();
    if (p.selected && sequence.cached + sequence.rows > p.selected.columns()) {
      AttendSelected(p, sequence);
      continue;
    }
    const bool expanded = p.path == AttentionPath::kAuto
                              ? ExpandedIsCheaper(p, sequence, kernels_.lanes)
                              : p.path == AttentionPath::kExpanded;
    if (expanded) {
      AttendExpanded(p, sequence);
    } else {
      AttendAbsorbed(p, sequence, 0, sequence.rows, {});
    }
  }
}

// Every row has a list of its own, so the rows cannot share what they read.
void CpuBackend::AttendSelected(const MlaAttentionParams& p, const StepSequence& sequence) {
  const std::int64_t most = p.selected.columns();
  for (int row = 0; row < sequence.rows && !Idle(); ++row) {
    BeginOperation();
    const std::int64_t count = std::min<std::int64_t>(most, sequence.cached + row + 1);
    const std::int32_t* list = p.selected.i32() + (sequence.first_row + row) * most;
    AttendAbsorbed(p, sequence, row, 1, {list, static_cast<std::size_t>(count)});
  }
}

void CpuBackend::LoadLatents(const StepSequence& sequence, int layer,
                             std::span<const std::int32_t> chosen, std::int64_t first, int count,
                             std::int64_t stride, float* out) const {
  const int width = pages_.latent + pages_.rope;
  for (int t = 0; t < count; ++t) {
    const std::int64_t token =
        chosen.empty() ? first + t : chosen[static_cast<std::size_t>(first + t)];
    const std::byte* row = pages_.Row(sequence.page_table.data(), layer, token);
    float* to = out + t * stride;
    switch (pages_.type) {
      case LatentType::kF32:
        std::memcpy(to, row, static_cast<std::size_t>(width) * sizeof(float));
        break;
      case LatentType::kF16:
        kernels_.load_f16(row, width, to);
        break;
      case LatentType::kQ8: {
        const std::byte* scales = row + pages_.latent;
        kernels_.load_q8(row, scales, pages_.latent, to);
        kernels_.load_f16(scales + 2 * (pages_.latent / kLatentScaleGroup), pages_.rope,
                          to + pages_.latent);
        break;
      }
    }
  }
  for (int t = count; t < kAttentionTile; ++t) {
    std::fill(out + t * stride, out + t * stride + width, 0.0f);
  }
}

void CpuBackend::PrefetchLatents(const StepSequence& sequence, int layer, std::int64_t first,
                                 std::int64_t last) const {
  for (std::int64_t t = first; t < last; ++t) {
    const std::byte* row = pages_.Row(sequence.page_table.data(), layer, t);
    for (std::int64_t at = 0; at < pages_.latent_row_bytes(); at += 64)
      __builtin_prefetch(row + at);
  }
}

}  // namespace paluku
