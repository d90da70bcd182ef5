// Family: what the architecture name of a file says before its keys are read, and what published
// models have that their files do not say.
//
// One row per architecture; model_config reads the keys with the row in hand, so that a new family
// is a row and what it computes differently, not a branch. Pure data. Architecture names are those
// of GGUF files (llama.cpp).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/base/error.h"

namespace paluku {

struct Family {
  std::string_view architecture;   // general.architecture, and the prefix of the file's keys
  std::string_view name;           // for people
  bool interleaved_rope = true;    // pairs (2i, 2i+1); otherwise (i, i + rope/2)
  bool squared_relu = false;       // dense networks are down(ReLU(up x)^2)
  bool indexer = false;            // DeepSeek Sparse Attention
  bool temperature = false;        // of queries, by position
  bool long_rope = false;          // rope_factors_short and rope_factors_long
  bool value_from_hidden = false;  // a missing value width is hidden / heads
  // Scales of MiniCPM3, which its files do not carry. 0: none.
  double embedding_scale = 0;
  double residual_depth = 0;  // branches are multiplied by residual_depth / sqrt(layers)
  double logit_base = 0;      // logits are multiplied by logit_base / hidden
};

// The row of `architecture`. Errors: kModelNotRunnable with the name and the reason for families
// that are known and not supported, kUnsupportedArchitecture with the name for all others.
Result<const Family*> FindFamily(std::string_view architecture, std::string_view path);

// An architecture that Paluku knows and cannot run.
struct RefusedFamily {
  std::string_view architecture;
  std::string_view reason;
};

// What tells published models of one architecture apart.
struct ModelShape {
  int layers = 0;
  int heads = 0;
  int experts = 0;
  int vocabulary = 0;
};

// What showed that a model is computed right: a small checkpoint (NAME.gguf of tests/data), whose
// logits a class of Hugging Face transformers gave in double precision.
struct Proof {
  std::string_view checkpoint;
  std::string_view oracle;  // the class
};

// A published model, with what older files of it leave out although it was trained that way.
struct KnownModel {
  std::string_view name;
  std::string_view also = {};  // others of the same shape and computation
  std::string_view architecture;
  ModelShape shape = {};  // 0: any
  int groups = 1;         // of experts
  int groups_chosen = 1;
  double yarn_beta_fast = 32;
  Proof proof;
};

// The first published model of this shape; nullptr when none is known.
const KnownModel* FindKnownModel(std::string_view architecture, const ModelShape& shape);

// For lists of what runs and what does not.
std::span<const KnownModel> KnownModels();
std::span<const RefusedFamily> RefusedFamilies();

// "transformers 5.23.0, DeepseekV2ForCausalLM (checkpoint v2-lite)".
std::string Sentence(const Proof& proof);

}  // namespace paluku
