// How file types become the forms that kernels read (kernels/weight_view.h). Lossless: a value out
// of the repacked form equals the file's value bit for bit. Runs on the processor while a model is
// loaded; pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "engine/backend/cuda/kernels/weight_view.h"
#include "engine/tensor/tensor.h"

namespace paluku::cuda {

// The parts of one repacked matrix: offsets from its start, each 256-byte aligned.
struct WeightLayout {
  WeightForm form = WeightForm::kF32;
  ScaleForm scale_form = ScaleForm::kHalf;
  int zero = 0;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  // Bytes of one row in each plane and where the planes begin.
  std::int64_t low_row = 0, high_row = 0, scale_row = 0, super_row = 0;
  std::int64_t high_at = 0, scale_at = 0, super_at = 0;
  std::int64_t bytes = 0;

  WeightView At(const std::byte* base) const;
};

// Nothing for a type without a form.
std::optional<WeightLayout> LayoutOf(DType dtype, std::int64_t rows, std::int64_t columns);

// Rows [first, first + count) of `host`, repacked: each plane's part goes to the pointer of its
// plane, as rows of that plane.
struct PlanePointers {
  std::byte* low = nullptr;
  std::byte* high = nullptr;
  std::byte* scales = nullptr;
  std::byte* supers = nullptr;
};
void RepackRows(const Tensor& host, const WeightLayout& layout, std::int64_t first,
                std::int64_t count, const PlanePointers& to);

}  // namespace paluku::cuda
