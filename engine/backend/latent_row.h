// Encoding of one row of the latent cache (layouts: latent_pages.h). This is the definition that
// every backend follows; fast readers in the backends decode the same bytes. Pure functions.
#pragma once

#include <cstddef>

#include "engine/backend/latent_pages.h"

namespace paluku {

// Writes `values` [latent | rope] to `row` in the layout of `pages.type`. kQ8: the scale of a group
// is its largest magnitude / 127, rounded to f16; each value is rounded to the nearest multiple of
// it.
void StoreLatentRow(const LatentPages& pages, const float* values, std::byte* row);

// Reads `row` back as f32 [latent | rope].
void LoadLatentRow(const LatentPages& pages, const std::byte* row, float* values);

// The indexer's key behind the row: writes `values` [index], reads them back as f32.
void StoreIndexKey(const LatentPages& pages, const float* values, std::byte* row);
void LoadIndexKey(const LatentPages& pages, const std::byte* row, float* values);

}  // namespace paluku
