#include "engine/loader/convert/recipe.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace paluku {
namespace {

constexpr Recipe Plain(std::string_view name, std::uint32_t file_type, DType type, DType output) {
  return {name, file_type, type, output, type, type};
}

constexpr std::array<Recipe, 10> kRecipes = {{
    Plain("F32", 0, DType::kF32, DType::kF32),
    Plain("F16", 1, DType::kF16, DType::kF16),
    Plain("BF16", 32, DType::kBF16, DType::kBF16),
    Plain("Q8_0", 7, DType::kQ8_0, DType::kQ8_0),
    Plain("Q4_0", 2, DType::kQ4_0, DType::kQ6_K),
    Plain("Q5_0", 8, DType::kQ5_0, DType::kQ6_K),
    {"Q4_K_M", 15, DType::kQ4_K, DType::kQ6_K, DType::kQ6_K, DType::kQ4_K},
    {"Q5_K_M", 17, DType::kQ5_K, DType::kQ6_K, DType::kQ6_K, DType::kQ5_K},
    Plain("Q6_K", 18, DType::kQ6_K, DType::kQ6_K),
    {"IQ4_XS", 30, DType::kIQ4_XS, DType::kQ6_K, DType::kIQ4_XS, DType::kQ5_K},
}};

// The layer of "blk.12.name"; -1 for tensors outside the layers.
int LayerOf(std::string_view name) {
  int layer = -1;
  if (name.starts_with("blk.")) std::from_chars(name.data() + 4, name.data() + name.size(), layer);
  return layer;
}

// The layers at both ends and every third between them.
bool GetsMoreBits(int layer, int layers) {
  const int eighth = layers / 8;
  return layer < eighth || layer >= 7 * layers / 8 || (layer - eighth) % 3 == 2;
}

bool StaysF32(const TensorRole& role) {
  const std::string_view name = role.name;
  return role.shape.size() < 2 || name.ends_with("_norm.weight") || name.ends_with(".bias") ||
         name.find("ffn_gate_inp") != std::string_view::npos;
}

DType Wanted(const Recipe& recipe, const TensorRole& role) {
  if (role.name == "output.weight" || (role.tied && role.name == "token_embd.weight")) {
    return recipe.output;
  }
  if (role.name.find("ffn_down") == std::string_view::npos) return recipe.base;
  const int layer = LayerOf(role.name);
  if (recipe.first_down != recipe.base && layer < role.layers / 8) return recipe.first_down;
  return GetsMoreBits(layer, role.layers) ? recipe.down : recipe.base;
}

// The type whose blocks are shorter.
DType Shorter(DType type) {
  switch (type) {
    case DType::kQ4_K:
      return DType::kQ5_0;
    case DType::kQ5_K:
      return DType::kQ5_1;
    case DType::kQ6_K:
      return DType::kQ8_0;
    case DType::kIQ4_XS:
      return DType::kIQ4_NL;
    default:
      return DType::kF16;
  }
}

}  // namespace

std::span<const Recipe> Recipes() { return kRecipes; }

const Recipe* FindRecipe(std::string_view name) {
  const auto same = [&](const Recipe& recipe) {
    return std::equal(
        name.begin(), name.end(), recipe.name.begin(), recipe.name.end(),
        [](char a, char b) { return std::toupper(static_cast<unsigned char>(a)) == b; });
  };
  const auto* const found = std::find_if(kRecipes.begin(), kRecipes.end(), same);
  return found == kRecipes.end() ? nullptr : found;
}

DType ChooseType(const Recipe& recipe, const TensorRole& role) {
  if (StaysF32(role)) return DType::kF32;
  DType type = Wanted(recipe, role);
  while (role.shape.back() % Info(type).block_elements != 0) type = Shorter(type);
  return type;
}

}  // namespace paluku
