// Recipe: which type each tensor of a converted file gets. The rules are those of llama.cpp's
// quantiser (its README "quantize"), without an importance matrix. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/tensor/dtype.h"

namespace paluku {

struct Recipe {
  std::string_view name;    // "Q4_K_M"
  std::uint32_t file_type;  // general.file_type
  DType base;
  DType output;      // of the output matrix, and of the embedding that stands for it
  DType down;        // of down projections in layers that get more bits
  DType first_down;  // of down projections in the first eighth
};

std::span<const Recipe> Recipes();
// By the name people write, in any case; nullptr for others.
const Recipe* FindRecipe(std::string_view name);

// What a tensor is, for the choice of its type.
struct TensorRole {
  std::string_view name;            // "blk.3.ffn_down_exps.weight"
  std::vector<std::int64_t> shape;  // outermost first
  int layers = 0;                   // of the model
  bool tied = false;                // the embedding is the output matrix as well
};

// Norms, routers, biases and everything else of one dimension stay F32. Rows that are no whole
// number of blocks fall back to a type of shorter blocks, at last to F16.
DType ChooseType(const Recipe& recipe, const TensorRole& role);

}  // namespace paluku
