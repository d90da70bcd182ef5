#include "engine/loader/gguf_types.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string_view>

#include "engine/tensor/dtype.h"

namespace paluku {
namespace {

struct TypeNumber {
  std::uint32_t gguf_id;
  std::string_view name;
};

// Numbers of GGUF that Paluku does not read; 31 to 33 were Q4_0 rearranged for ARM, until 2024.
constexpr TypeNumber kUnreadTypes[] = {
    {9, "Q8_1"},   {15, "Q8_K"},     {24, "I8"},       {25, "I16"},      {27, "I64"},
    {28, "F64"},   {31, "Q4_0_4_4"}, {32, "Q4_0_4_8"}, {33, "Q4_0_8_8"}, {34, "TQ1_0"},
    {35, "TQ2_0"}, {41, "Q1_0"},     {42, "Q2_0"},
};

// Numbers that ik_llama.cpp gives to types of its own (its ggml.h of August 2026). Files with them
// are common among the large models of DeepSeek's family.
constexpr TypeNumber kIkTypes[] = {
    {133, "Q6_0"},      {134, "IQ1_BN"},     {135, "IQ2_BN"},    {137, "IQ2_K"},
    {138, "IQ3_K"},     {139, "IQ4_K"},      {140, "IQ5_K"},     {141, "IQ6_K"},
    {144, "IQ4_KS"},    {145, "IQ2_KS"},     {146, "IQ4_KSS"},   {151, "Q8_KV"},
    {152, "IQ5_KS"},    {153, "IQ2_KT"},     {154, "IQ3_KT"},    {155, "IQ4_KT"},
    {156, "IQ3_KS"},    {157, "IQ2_KL"},     {158, "IQ1_KT"},    {202, "Q4_0_R8"},
    {206, "Q5_0_R4"},   {208, "Q8_0_R8"},    {210, "Q2_K_R4"},   {211, "Q3_K_R4"},
    {212, "Q4_K_R4"},   {213, "Q5_K_R4"},    {214, "Q6_K_R4"},   {216, "IQ2_XXS_R4"},
    {217, "IQ2_XS_R4"}, {218, "IQ3_XXS_R4"}, {219, "IQ1_S_R4"},  {220, "IQ4_NL_R4"},
    {221, "IQ3_S_R4"},  {222, "IQ2_S_R4"},   {223, "IQ4_XS_R8"}, {229, "IQ1_M_R4"},
    {230, "BF16_R16"},  {233, "Q6_0_R4"},    {335, "IQ2_BN_R4"}, {337, "IQ2_K_R4"},
    {338, "IQ3_K_R4"},  {339, "IQ4_K_R4"},   {340, "IQ5_K_R4"},  {344, "IQ4_KS_R4"},
    {352, "IQ5_KS_R4"}, {353, "MXFP4_R8"},   {397, "Q8_K_R16"},  {398, "Q8_KV_R8"},
    {399, "Q8_K_R8"},
};

template <std::size_t kCount>
std::string_view NameIn(const TypeNumber (&types)[kCount], std::uint32_t gguf_id) {
  const auto* found = std::ranges::find(types, gguf_id, &TypeNumber::gguf_id);
  return found == std::end(types) ? std::string_view() : found->name;
}

}  // namespace

std::string GgufTypeName(std::uint32_t gguf_id) {
  if (const std::optional<DType> dtype = DTypeFromGguf(gguf_id)) {
    return std::string(Info(*dtype).name);
  }
  if (const std::string_view name = NameIn(kUnreadTypes, gguf_id); !name.empty()) {
    return std::string(name);
  }
  if (const std::string_view name = NameIn(kIkTypes, gguf_id); !name.empty()) {
    return "ik_llama.cpp " + std::string(name);
  }
  return "type " + std::to_string(gguf_id);
}

}  // namespace paluku
