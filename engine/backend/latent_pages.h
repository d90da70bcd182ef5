// The latent cache as a backend sees it: a pool of pages and, per sequence, a table of page
// numbers.
//
// A page holds `page_tokens` tokens of every layer: [layer][token][latent | rope]. A row is the
// RMS-normed latent (DeepSeek-V2, arXiv 2405.04434, section 2.1) followed by the rotated shared
// key; values are never stored, they are the first `latent` columns of the row. Row layouts:
//   kF32  latent f32, rope f32
//   kF16  latent f16, rope f16
//   kQ8   latent int8, one f16 scale per 32 latent values, rope f16 (512 + 32 + 128 = 672 bytes for
//   512 + 64)
// A model with an indexer (DeepSeek-V3.2) keeps its key behind the row, f32 for kF32, else f16.
#pragma once

#include <cstddef>
#include <cstdint>

namespace paluku {

enum class LatentType : std::uint8_t { kF32, kF16, kQ8 };

inline constexpr int kPageTokens = 64;
inline constexpr int kLatentScaleGroup = 32;  // latent values per scale of kQ8

struct LatentPages {
  LatentType type = LatentType::kF16;
  int layers = 0;
  int latent = 0;  // kv_lora_rank, a multiple of kLatentScaleGroup for kQ8
  int rope = 0;    // qk_rope_head_dim
  int index = 0;   // values of the indexer's key; 0: the model has none
  int page_count = 0;
  std::byte* data =
      nullptr;  // [page_count, layers, kPageTokens, row_bytes()], where the backend keeps it

  // Bytes of latent and rope, where the indexer's key starts.
  std::int64_t latent_row_bytes() const {
    switch (type) {
      case LatentType::kF32:
        return 4ll * (latent + rope);
      case LatentType::kF16:
        return 2ll * (latent + rope);
      case LatentType::kQ8:
        break;
    }
    return latent + 2ll * (latent / kLatentScaleGroup) + 2ll * rope;
  }
  std::int64_t row_bytes() const {
    return latent_row_bytes() + (type == LatentType::kF32 ? 4ll : 2ll) * index;
  }
  std::int64_t layer_bytes() const { return row_bytes() * kPageTokens; }
  std::int64_t page_bytes() const { return layer_bytes() * layers; }
  // Row of token `position` of a sequence whose pages are `table`.
  std::byte* Row(const std::int32_t* table, int layer, std::int64_t position) const {
    return data + table[position / kPageTokens] * page_bytes() + layer * layer_bytes() +
           (position % kPageTokens) * row_bytes();
  }
};

}  // namespace paluku
