#include "tests/engine/loader/tiny_model.h"

#include <cmath>
#include <random>

#include "engine/base/utf8.h"

namespace paluku::test {
namespace {

constexpr int kHidden = 64;
constexpr int kHeads = 4;
constexpr int kNope = 16;
constexpr int kRope = 8;
constexpr int kValue = 16;
constexpr int kLatent = 32;
constexpr int kInner = 96;
constexpr int kExperts = 8;
constexpr int kExpertInner = 32;

// Adds tensors of normal random numbers, scaled so that a product keeps the size of its input.
class RandomTensors {
 public:
  RandomTensors(GgufBuilder& builder, const TinyModel& model)
      : builder_(builder), model_(model), random_(model.seed) {}

  void Add(const std::string& name, std::vector<std::int64_t> shape) {
    if (name == model_.leave_out) return;
    if (name == model_.misshape) ++shape.front();
    std::size_t count = 1;
    for (const std::int64_t dim : shape) count *= static_cast<std::size_t>(dim);
    std::normal_distribution<float> normal(0.0f,
                                           1.0f / std::sqrt(static_cast<float>(shape.back())));
    std::vector<float> values(count);
    for (float& value : values) value = normal(random_);
    builder_.Tensor(name, shape, std::as_bytes(std::span(values)));
  }
  void AddOnes(const std::string& name, std::int64_t count) {
    const std::vector<float> ones(static_cast<std::size_t>(count), 1.0f);
    builder_.Tensor(name, {count}, std::as_bytes(std::span(ones)));
  }

 private:
  GgufBuilder& builder_;
  const TinyModel& model_;
  std::mt19937 random_;
};

void AddMetadata(GgufBuilder& builder, const TinyModel& model) {
  builder.Text("general.architecture", "deepseek2")
      .Text("general.name", "Tiny")
      .U32("deepseek2.block_count", static_cast<std::uint32_t>(model.layers))
      .U32("deepseek2.context_length", static_cast<std::uint32_t>(model.context))
      .U32("deepseek2.embedding_length", kHidden)
      .U32("deepseek2.feed_forward_length", kInner)
      .U32("deepseek2.attention.head_count", kHeads)
      .U32("deepseek2.attention.kv_lora_rank", kLatent)
      .U32("deepseek2.attention.key_length", kNope + kRope)
      .U32("deepseek2.attention.value_length", kValue)
      .F32("deepseek2.attention.layer_norm_rms_epsilon", 1e-6f)
      .U32("deepseek2.rope.dimension_count", kRope)
      .U32("deepseek2.leading_dense_block_count", 1)
      .U32("deepseek2.expert_count", kExperts)
      .U32("deepseek2.expert_used_count", 2)
      .U32("deepseek2.expert_shared_count", 1)
      .U32("deepseek2.expert_feed_forward_length", kExpertInner);
}

void AddTokenizer(GgufBuilder& builder) {
  std::vector<std::string> tokens;
  ByteWriter types;
  types.U32(static_cast<std::uint32_t>(ValueType::kI32)).U64(kTinyVocabulary);
  int moved = 0;
  for (int byte = 0; byte < 256; ++byte) {
    // The byte alphabet of GPT-2: printable Latin-1 stands for itself, the rest follows U+0100.
    const bool plain = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte != 0xad);
    std::string token;
    AppendUtf8(token, static_cast<char32_t>(plain ? byte : 0x100 + moved++));
    tokens.push_back(token);
    types.U32(1);
  }
  for (const char* special :
       {"<bos>", "<eos>", "<think>", "</think>", "<｜User｜>", "<｜Assistant｜>"}) {
    tokens.emplace_back(special);
    const bool thinking = std::string_view(special).find("think") != std::string_view::npos;
    types.U32(thinking ? 4 : 3);  // user-defined, control
  }
  builder.Text("tokenizer.ggml.model", "gpt2")
      .Text("tokenizer.ggml.pre", "deepseek-v3")
      .Texts("tokenizer.ggml.tokens", tokens)
      .Entry("tokenizer.ggml.token_type", ValueType::kArray, types)
      .Texts("tokenizer.ggml.merges", {})
      .U32("tokenizer.ggml.bos_token_id", 256)
      .U32("tokenizer.ggml.eos_token_id", 257);
}

void AddLayer(RandomTensors& tensors, int index) {
  const std::string blk = "blk." + std::to_string(index) + ".";
  tensors.AddOnes(blk + "attn_norm.weight", kHidden);
  tensors.Add(blk + "attn_q.weight", {kHeads * (kNope + kRope), kHidden});
  tensors.Add(blk + "attn_kv_a_mqa.weight", {kLatent + kRope, kHidden});
  tensors.AddOnes(blk + "attn_kv_a_norm.weight", kLatent);
  tensors.Add(blk + "attn_kv_b.weight", {kHeads * (kNope + kValue), kLatent});
  tensors.Add(blk + "attn_output.weight", {kHidden, kHeads * kValue});
  tensors.AddOnes(blk + "ffn_norm.weight", kHidden);
  if (index == 0) {
    tensors.Add(blk + "ffn_gate.weight", {kInner, kHidden});
    tensors.Add(blk + "ffn_up.weight", {kInner, kHidden});
    tensors.Add(blk + "ffn_down.weight", {kHidden, kInner});
    return;
  }
  tensors.Add(blk + "ffn_gate_inp.weight", {kExperts, kHidden});
  tensors.Add(blk + "ffn_gate_exps.weight", {kExperts, kExpertInner, kHidden});
  tensors.Add(blk + "ffn_up_exps.weight", {kExperts, kExpertInner, kHidden});
  tensors.Add(blk + "ffn_down_exps.weight", {kExperts, kHidden, kExpertInner});
  tensors.Add(blk + "ffn_gate_shexp.weight", {kExpertInner, kHidden});
  tensors.Add(blk + "ffn_up_shexp.weight", {kExpertInner, kHidden});
  tensors.Add(blk + "ffn_down_shexp.weight", {kHidden, kExpertInner});
}

}  // namespace

GgufBuilder V2LiteMetadata() {
  GgufBuilder builder;
  builder.Text("general.architecture", "deepseek2")
      .U32("deepseek2.block_count", 27)
      .U32("deepseek2.context_length", 163'840)
      .U32("deepseek2.embedding_length", 2048)
      .U32("deepseek2.feed_forward_length", 10'944)
      .U32("deepseek2.attention.head_count", 16)
      .U32("deepseek2.attention.kv_lora_rank", 512)
      .U32("deepseek2.attention.key_length", 576)
      .U32("deepseek2.attention.value_length", 512)
      .U32("deepseek2.attention.key_length_mla", 192)
      .U32("deepseek2.attention.value_length_mla", 128)
      .F32("deepseek2.attention.layer_norm_rms_epsilon", 1e-6f)
      .U32("deepseek2.rope.dimension_count", 64)
      .F32("deepseek2.rope.freq_base", 10'000)
      .U32("deepseek2.leading_dense_block_count", 1)
      .U32("deepseek2.expert_used_count", 6)
      .U32("deepseek2.expert_shared_count", 2)
      .U32("deepseek2.expert_feed_forward_length", 1408)
      .RawTensor("token_embd.weight", {256, 102'400}, 34, 0)
      .RawTensor("blk.0.attn_q.weight", {256, 16}, 34, 32)
      .Tail(64);
  return builder;
}

GgufBuilder MakeTinyModel(const TinyModel& model) {
  GgufBuilder builder;
  AddMetadata(builder, model);
  if (model.tokenizer) AddTokenizer(builder);
  RandomTensors tensors(builder, model);
  tensors.Add("token_embd.weight", {kTinyVocabulary, kHidden});
  tensors.Add("output.weight", {kTinyVocabulary, kHidden});
  tensors.AddOnes("output_norm.weight", kHidden);
  for (int i = 0; i < model.layers; ++i) AddLayer(tensors, i);
  return builder;
}

}  // namespace paluku::test
