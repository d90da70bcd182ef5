#include "engine/model/family.h"

#include <array>
#include <string>

#include "engine/base/utf8.h"

namespace paluku {
namespace {

// The release that made the golden logits; tests/data/requirements.txt pins it.
constexpr std::string_view kOracleProgram = "transformers 5.23.0";

constexpr Proof kMistral = {"mistral4", "Mistral4ForCausalLM"};

constexpr std::array<Family, 5> kFamilies = {{
    {.architecture = "deepseek2", .name = "DeepSeek-V2/V3", .temperature = true},
    {.architecture = "deepseek32", .name = "DeepSeek-V3.2", .indexer = true},
    {.architecture = "mistral4", .name = "Mistral 4", .temperature = true},
    {.architecture = "minicpm3",
     .name = "MiniCPM3",
     .interleaved_rope = false,
     .long_rope = true,
     .value_from_hidden = true,
     .embedding_scale = 12,
     .residual_depth = 1.4,
     .logit_base = 256},
    {.architecture = "plm", .name = "PLM", .squared_relu = true},
}};

constexpr std::string_view kNoLatent = "its attention has no latent";
constexpr std::string_view kNewAttention = "the attention of this generation is not known";
constexpr std::string_view kLinear = "its linear attention is not known";
constexpr std::string_view kDouble = "its double layers are not known";
constexpr std::array<RefusedFamily, 10> kRefused = {{
    {"deepseek", kNoLatent},
    {"deepseek2-ocr", kNoLatent},
    {"minicpm", kNoLatent},
    {"deepseek4", kNewAttention},
    {"deepseek41", kNewAttention},
    {"glm-dsa", "layers that share an indexer are not known"},
    {"kimi-linear", kLinear},
    {"kimi-k3", kLinear},
    {"longcat-flash", kDouble},
    {"longcat-flash-ngram", kDouble},
}};

constexpr std::array<KnownModel, 15> kKnownModels = {{
    {.name = "DeepSeek-V2-Lite",
     .also = "Coder-V2-Lite",
     .architecture = "deepseek2",
     .shape = {27, 16, 64, 102400},
     .proof = {"v2-lite", "DeepseekV2ForCausalLM"}},
    {.name = "Moonlight or Kimi-VL",
     .architecture = "deepseek2",
     .shape = {27, 16, 64, 163840},
     .proof = {"moonlight", "DeepseekV3ForCausalLM"}},
    {.name = "DeepSeek-V2",
     .also = "V2.5, Coder-V2",
     .architecture = "deepseek2",
     .shape = {.experts = 160},
     .groups = 8,
     .groups_chosen = 3,
     .proof = {"v2-236b", "DeepseekV2ForCausalLM"}},
    {.name = "DeepSeek-V3",
     .also = "R1, V3.1",
     .architecture = "deepseek2",
     .shape = {.layers = 61, .experts = 256},
     .groups = 8,
     .groups_chosen = 4,
     .proof = {"v3", "DeepseekV3ForCausalLM"}},
    {.name = "DeepSeek-V3.2",
     .architecture = "deepseek32",
     .shape = {.layers = 61, .experts = 256},
     .groups = 8,
     .groups_chosen = 4,
     .proof = {"v3.2", "DeepseekV32ForCausalLM"}},
    {.name = "Kimi K2",
     .architecture = "deepseek2",
     .shape = {.experts = 384},
     .yarn_beta_fast = 1,
     .proof = {"kimi-k2", "DeepseekV3ForCausalLM"}},
    {.name = "GLM-4.7-Flash",
     .architecture = "deepseek2",
     .shape = {47, 20, 64, 154880},
     .proof = {"glm-4.7-flash", "Glm4MoeLiteForCausalLM"}},
    {.name = "JoyAI-LLM-Flash",
     .architecture = "deepseek2",
     .shape = {40, 32, 256, 129280},
     .proof = {"joyai", "DeepseekV3ForCausalLM"}},
    {.name = "Youtu-LLM",
     .architecture = "deepseek2",
     .shape = {32, 16, 0, 128256},
     .proof = {"youtu", "YoutuForCausalLM"}},
    {.name = "Kanana-2",
     .architecture = "deepseek2",
     .shape = {48, 32, 128, 128256},
     .proof = {"kanana-2", "DeepseekV3ForCausalLM"}},
    {.name = "GigaChat3",
     .architecture = "deepseek2",
     .shape = {26, 32, 64, 128256},
     .proof = {"gigachat3", "DeepseekV3ForCausalLM"}},
    {.name = "Mistral-Large-3",
     .architecture = "deepseek2",
     .shape = {61, 128, 128, 131072},
     .proof = kMistral},
    {.name = "Mistral-Small-4",
     .architecture = "mistral4",
     .shape = {36, 32, 128, 131072},
     .proof = kMistral},
    {.name = "MiniCPM3-4B",
     .architecture = "minicpm3",
     .shape = {62, 40, 0, 73448},
     .proof = {"minicpm3", "MiniCPM3ForCausalLM"}},
    {.name = "PLM", .architecture = "plm", .proof = {"plm", "YoutuForCausalLM with PLM's network"}},
}};

bool Fits(int wanted, int value) { return wanted == 0 || wanted == value; }

}  // namespace

Result<const Family*> FindFamily(std::string_view architecture, std::string_view path) {
  for (const Family& family : kFamilies) {
    if (family.architecture == architecture) return &family;
  }
  const std::string name(architecture);
  for (const RefusedFamily& refusal : kRefused) {
    if (refusal.architecture != architecture) continue;
    return Fail(ErrorCode::kModelNotRunnable, std::string(path),
                name + ": " + std::string(refusal.reason));
  }
  return Fail(ErrorCode::kUnsupportedArchitecture, std::string(path), PlainLine(name, 64));
}

const KnownModel* FindKnownModel(std::string_view architecture, const ModelShape& shape) {
  for (const KnownModel& model : kKnownModels) {
    if (model.architecture == architecture && Fits(model.shape.layers, shape.layers) &&
        Fits(model.shape.heads, shape.heads) && Fits(model.shape.experts, shape.experts) &&
        Fits(model.shape.vocabulary, shape.vocabulary)) {
      return &model;
    }
  }
  return nullptr;
}

std::span<const KnownModel> KnownModels() { return kKnownModels; }
std::span<const RefusedFamily> RefusedFamilies() { return kRefused; }

std::string Sentence(const Proof& proof) {
  return std::string(kOracleProgram) + ", " + std::string(proof.oracle) + " (checkpoint " +
         std::string(proof.checkpoint) + ")";
}

}  // namespace paluku
