#include "engine/backend/latent_row.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "engine/tensor/half.h"

namespace paluku {
namespace {

void StoreHalves(const float* values, int count, std::byte* out) {
  for (int i = 0; i < count; ++i) {
    const std::uint16_t half = FloatToHalf(values[i]);
    std::memcpy(out + 2 * i, &half, 2);
  }
}

void LoadHalves(const std::byte* from, int count, float* values) {
  for (int i = 0; i < count; ++i) {
    std::uint16_t half;
    std::memcpy(&half, from + 2 * i, 2);
    values[i] = HalfToFloat(half);
  }
}

// One group of kLatentScaleGroup values as int8 and a scale.
void StoreGroup(const float* values, std::byte* quantised, std::byte* scale_out) {
  float largest = 0;
  for (int i = 0; i < kLatentScaleGroup; ++i) largest = std::max(largest, std::fabs(values[i]));
  const std::uint16_t half = FloatToHalf(largest / 127.0f);
  const float scale = HalfToFloat(half);
  for (int i = 0; i < kLatentScaleGroup; ++i) {
    const float q = scale > 0 ? std::nearbyint(values[i] / scale) : 0.0f;
    const auto byte = static_cast<std::int8_t>(std::clamp(q, -127.0f, 127.0f));
    std::memcpy(quantised + i, &byte, 1);
  }
  std::memcpy(scale_out, &half, 2);
}

}  // namespace

void StoreLatentRow(const LatentPages& pages, const float* values, std::byte* row) {
  const int width = pages.latent + pages.rope;
  if (pages.type == LatentType::kF32) {
    std::memcpy(row, values, sizeof(float) * static_cast<std::size_t>(width));
    return;
  }
  if (pages.type == LatentType::kF16) {
    StoreHalves(values, width, row);
    return;
  }
  const int groups = pages.latent / kLatentScaleGroup;
  for (int g = 0; g < groups; ++g) {
    const int first = g * kLatentScaleGroup;
    StoreGroup(values + first, row + first, row + pages.latent + 2 * g);
  }
  StoreHalves(values + pages.latent, pages.rope, row + pages.latent + 2 * groups);
}

void LoadLatentRow(const LatentPages& pages, const std::byte* row, float* values) {
  const int width = pages.latent + pages.rope;
  if (pages.type == LatentType::kF32) {
    std::memcpy(values, row, sizeof(float) * static_cast<std::size_t>(width));
    return;
  }
  if (pages.type == LatentType::kF16) {
    LoadHalves(row, width, values);
    return;
  }
  const int groups = pages.latent / kLatentScaleGroup;
  for (int i = 0; i < pages.latent; ++i) {
    std::int8_t q;
    std::memcpy(&q, row + i, 1);
    float scale;
    LoadHalves(row + pages.latent + 2 * (i / kLatentScaleGroup), 1, &scale);
    values[i] = static_cast<float>(q) * scale;
  }
  LoadHalves(row + pages.latent + 2 * groups, pages.rope, values + pages.latent);
}

void StoreIndexKey(const LatentPages& pages, const float* values, std::byte* row) {
  if (pages.index == 0) return;  // a model without an indexer has no key to copy
  std::byte* to = row + pages.latent_row_bytes();
  if (pages.type == LatentType::kF32) {
    std::memcpy(to, values, sizeof(float) * static_cast<std::size_t>(pages.index));
  } else {
    StoreHalves(values, pages.index, to);
  }
}

void LoadIndexKey(const LatentPages& pages, const std::byte* row, float* values) {
  if (pages.index == 0) return;
  const std::byte* from = row + pages.latent_row_bytes();
  if (pages.type == LatentType::kF32) {
    std::memcpy(values, from, sizeof(float) * static_cast<std::size_t>(pages.index));
  } else {
    LoadHalves(from, pages.index, values);
  }
}

}  // namespace paluku
