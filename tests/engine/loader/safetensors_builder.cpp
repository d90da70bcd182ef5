#include "tests/engine/loader/safetensors_builder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <span>

#include "tests/engine/loader/gguf_builder.h"

namespace paluku::test {

std::vector<std::byte> SafetensorsBytes(std::string_view json, std::size_t weights) {
  ByteWriter out;
  out.U64(json.size()).Chars(json).Raw(std::vector<std::byte>(weights));
  return out.bytes();
}

Checkpoint::Checkpoint(const std::string& name)
    : path_(testing::TempDir() + std::to_string(getpid()) + "-" + name) {
  std::filesystem::remove_all(path_);
  std::filesystem::create_directories(path_);
}

Checkpoint::~Checkpoint() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Checkpoint& Checkpoint::Put(const std::string& name, std::string_view text) {
  std::ofstream(File(name), std::ios::binary) << text;
  return *this;
}

Checkpoint& Checkpoint::Put(const std::string& name, const std::vector<std::byte>& bytes) {
  return Put(name, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

std::string TinyConfig() {
  return R"({"architectures": ["DeepseekV2ForCausalLM"], "model_type": "deepseek_v2",
    "hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 1, "vocab_size": 4,
    "max_position_embeddings": 64, "num_attention_heads": 2, "kv_lora_rank": 4,
    "q_lora_rank": null, "qk_nope_head_dim": 2, "qk_rope_head_dim": 2, "v_head_dim": 2,
    "rms_norm_eps": 1e-6, "rope_theta": 10000})";
}

}  // namespace paluku::test
