// What one decode step costs on a card, counted by the emulator: kernels launched, and distinct
// 32-byte sectors that they read and write, against the bytes that cannot be avoided.
//
// Layers have the full shapes and types of published models; weights and cache are zeros, since
// what is touched does not depend on them. A layer's cost is the difference between models with and
// without it, and a model's that times its number of layers. Budgets: decode_budget.txt.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <numeric>
#include <utility>

#include "engine/backend/registry.h"
#include "engine/model/transformer.h"
#include "tests/support/cuda_emulator/cuda_emulator.h"

namespace paluku::test {
namespace {

constexpr std::int64_t kSectorBytes = 32;
constexpr int kExperts = 64;
constexpr int kLatent = 512;
constexpr int kRope = 64;
constexpr int kFewOutputs = 256;

// A published model, and what Q4_K_M makes of its tensors: of the two types that it gives down
// projections the narrower one, which leaves less room above the floor.
struct Model {
  const char* name;
  int dense_layers, moe_layers;
  int hidden, vocabulary, heads, q_lora, nope, value, dense_inner;
  int chosen, shared, expert_inner;
  GateFunction gate;
  DType dense_down, routed_down;  // Q4_K where rows are a multiple of 256
  bool current;  // generation of the file: W_UK turned and so with rows too short for Q4_K
};
constexpr Model kModels[] = {
    {"V2-Lite", 1, 26, 2048, 102400, 16, 0, 128, 128, 10944, 6, 2, 1408, GateFunction::kSoftmax,
     DType::kQ5_0, DType::kQ5_0, false},
    {"GLM-4.7-Flash", 1, 46, 2048, 154880, 20, 768, 192, 256, 10240, 4, 1, 1536,
     GateFunction::kSigmoid, DType::kQ4_K, DType::kQ4_K, true},
};

ModelConfig ConfigOf(const Model& m, int dense, int moe) {
  ModelConfig config;
  config.layers = dense + moe;
  config.dense_layers = dense;
  config.hidden = m.hidden;
  config.vocabulary = m.vocabulary;
  config.epsilon = config.latent_epsilon = 1e-6f;
  config.heads = m.heads;
  config.q_lora = m.q_lora;
  config.latent = kLatent;
  config.nope = m.nope;
  config.rope = kRope;
  config.value = m.value;
  config.attention_scale = 0.1f;
  config.inverse_frequency.assign(kRope / 2, 1e-3f);
  config.dense_inner = m.dense_inner;
  config.experts = kExperts;
  config.experts_chosen = m.chosen;
  config.experts_shared = m.shared;
  config.expert_inner = m.expert_inner;
  config.gate = m.gate;
  config.normalise_weights = m.gate == GateFunction::kSigmoid;
  return config;
}

// Weights of zeros on the card. Adds up what a file holds of those that one token needs.
class WeightMaker {
 public:
  WeightMaker(Backend& backend, std::vector<Buffer>& owners) : backend_(backend), owners_(owners) {}

  // A token needs `used` of shape[0] slabs; 0: all.
  Tensor Make(DType dtype, std::initializer_list<std::int64_t> shape, std::int64_t used = 0) {
    Tensor host{.dtype = dtype, .rank = static_cast<int>(shape.size()), .shape = {}, .data = {}};
    std::copy(shape.begin(), shape.end(), host.shape.begin());
    PALUKU_CHECK(host.bytes() <= kZeros);
    host.data = zeros_.get();
    floor_ += used == 0 ? host.bytes() : host.bytes() / host.shape[0] * used;
    auto made = backend_.PrepareWeight(host, owners_, {});
    PALUKU_CHECK(made.has_value());
    return *made;
  }
  SwiGluWeights MakeNetwork(std::int64_t inner, std::int64_t hidden, DType down) {
    return {.gate = Make(DType::kQ4_K, {inner, hidden}),
            .up = Make(DType::kQ4_K, {inner, hidden}),
            .down = Make(down, {hidden, inner})};
  }
  std::int64_t TakeFloor() { return std::exchange(floor_, 0); }

 private:
  static constexpr std::int64_t kZeros = std::int64_t{512} << 20;
  Backend& backend_;
  std::vector<Buffer>& owners_;
  // Never written, so it takes no memory.
  std::unique_ptr<std::byte, decltype(&std::free)> zeros_{
      static_cast<std::byte*>(std::calloc(kZeros, 1)), &std::free};
  std::int64_t floor_ = 0;
};

AttentionWeights MakeAttention(const Model& m, WeightMaker& make) {
  const std::int64_t q_rows = std::int64_t{m.heads} * (m.nope + kRope);
  AttentionWeights w;
  w.norm = make.Make(DType::kF32, {m.hidden});
  if (m.q_lora > 0) {
    w.q_a = make.Make(DType::kQ4_K, {m.q_lora, m.hidden});
    w.q_a_norm = make.Make(DType::kF32, {m.q_lora});
  }
  w.q = make.Make(DType::kQ4_K, {q_rows, m.q_lora > 0 ? m.q_lora : m.hidden});
  w.kv_a = make.Make(DType::kQ4_K, {kLatent + kRope, m.hidden});
  w.kv_a_norm = make.Make(DType::kF32, {kLatent});
  w.w_uk_turned = m.current;
  w.w_uk = m.current ? make.Make(DType::kQ5_0, {m.heads, kLatent, m.nope})
                     : make.Make(DType::kQ4_K, {m.heads, m.nope, kLatent});
  w.w_uv = make.Make(DType::kQ4_K, {m.heads, m.value, kLatent});
  w.output = make.Make(DType::kQ4_K, {m.hidden, std::int64_t{m.heads} * m.value});
  return w;
}

MoeWeights MakeExperts(const Model& m, WeightMaker& make) {
  MoeWeights w;
  w.gate = make.Make(DType::kF32, {kExperts, m.hidden});
  w.routed = {.gate = make.Make(DType::kQ4_K, {kExperts, m.expert_inner, m.hidden}, m.chosen),
              .up = make.Make(DType::kQ4_K, {kExperts, m.expert_inner, m.hidden}, m.chosen),
              .down = make.Make(m.routed_down, {kExperts, m.hidden, m.expert_inner}, m.chosen)};
  w.shared = make.MakeNetwork(std::int64_t{m.shared} * m.expert_inner, m.hidden, DType::kQ4_K);
  return w;
}

// One layer of each kind and what is around them, and the bytes of a file that a token needs.
struct Parts {
  Weights around;      // no layers
  Tensor few_outputs;  // in place of around.output where it does not matter
  LayerWeights dense, moe;
  std::int64_t around_floor, dense_floor, moe_floor;
};

Parts MakeParts(const Model& m, Backend& backend) {
  Parts parts;
  WeightMaker make(backend, parts.around.buffers);
  parts.around.embedding = make.Make(DType::kQ4_K, {m.vocabulary, m.hidden}, 1);
  parts.around.output_norm = make.Make(DType::kF32, {m.hidden});
  parts.around.output = make.Make(DType::kQ6_K, {m.vocabulary, m.hidden});
  parts.around_floor = make.TakeFloor();
  parts.few_outputs = make.Make(DType::kQ6_K, {kFewOutputs, m.hidden});
  make.TakeFloor();
  parts.dense.attention = MakeAttention(m, make);
  parts.dense.ffn_norm = make.Make(DType::kF32, {m.hidden});
  const std::int64_t attention = make.TakeFloor();
  parts.dense.dense = make.MakeNetwork(m.dense_inner, m.hidden, m.dense_down);
  parts.dense_floor = attention + make.TakeFloor();
  // The same attention: no launch reads the weights of two layers.
  parts.moe.attention = parts.dense.attention;
  parts.moe.ffn_norm = parts.dense.ffn_norm;
  parts.moe.moe = MakeExperts(m, make);
  parts.moe_floor = attention + make.TakeFloor();
  return parts;
}

struct Cost {
  std::int64_t launches = 0;
  std::int64_t bytes = 0;
  Cost operator-(const Cost& o) const { return {launches - o.launches, bytes - o.bytes}; }
  Cost operator+(const Cost& o) const { return {launches + o.launches, bytes + o.bytes}; }
  Cost operator*(int n) const { return {launches * n, bytes * n}; }
};

// A backend and the parts of one model.
class Card {
 public:
  explicit Card(const Model& m) : model_(m), backend_(Open()), parts_(MakeParts(m, *backend_)) {}

  const Parts& parts() const { return parts_; }

  // A step of one token behind `cached` ones, through `dense` and `moe` layers, to the logits of
  // all tokens or of a few.
  Cost Decode(int dense, int moe, LatentType type, int cached, bool all_outputs = false) {
    ModelConfig config = ConfigOf(model_, dense, moe);
    Weights weights = parts_.around;
    if (!all_outputs) {
      config.vocabulary = kFewOutputs;
      weights.output = parts_.few_outputs;
    }
    weights.layers.assign(static_cast<std::size_t>(dense), parts_.dense);
    weights.layers.insert(weights.layers.end(), static_cast<std::size_t>(moe), parts_.moe);
    auto activations = Activations::Create(*backend_, config, 1, 1);
    PALUKU_CHECK(activations.has_value());
    const Transformer transformer(*backend_, config, weights, *activations);
    LatentPages pages{.type = type, .layers = config.layers, .latent = kLatent, .rope = kRope};
    pages.page_count = cached / kPageTokens + 1;
    const Buffer cache = MakeCache(pages);
    std::vector<std::int32_t> table(static_cast<std::size_t>(pages.page_count));
    std::iota(table.begin(), table.end(), 0);
    const std::int32_t token = 0, position = cached, output = 0;
    const StepSequence sequence{.first_row = 0, .rows = 1, .cached = cached, .page_table = table};
    const StepBatch batch{.tokens = {&token, 1},
                          .positions = {&position, 1},
                          .sequences = {&sequence, 1},
                          .output_rows = {&output, 1}};
    paluku_emu_reset_counters();
    backend_->RunStep(0, batch, pages, {},
                      [&] { transformer.Forward(batch, AttentionPath::kAuto); });
    const Status status = backend_->Synchronise();
    EXPECT_TRUE(status.has_value()) << status.error().Message();
    return Counted();
  }

 private:
  static std::unique_ptr<Backend> Open() {
    auto backend = CreateBackend({.name = "cuda"});
    PALUKU_CHECK(backend.has_value());
    return std::move(*backend);
  }

  // Latents of zeros.
  Buffer MakeCache(LatentPages& pages) {
    auto cache = backend_->Allocate(pages.page_bytes() * pages.page_count);
    PALUKU_CHECK(cache.has_value());
    pages.data = cache->data.get();
    const std::vector<std::byte> page(static_cast<std::size_t>(pages.page_bytes()));
    for (int i = 0; i < pages.page_count; ++i) {
      backend_->Upload(page, pages.data + i * pages.page_bytes());
    }
    return *cache;
  }

  static Cost Counted() {
    const PalukuEmuCounters all = paluku_emu_counters();
    if (std::getenv("PALUKU_DECODE_COST_KERNELS") != nullptr) {
      for (std::size_t i = 0; i < paluku_emu_launch_count(); ++i) {
        const PalukuEmuLaunch launch = paluku_emu_launch(i);
        const PalukuEmuCounters& c = launch.counters;
        std::printf("    %10llu read %10llu written %6.2f sectors a request %6.2f conflicts  %s\n",
                    static_cast<unsigned long long>(c.sectors_read * kSectorBytes),
                    static_cast<unsigned long long>(c.sectors_written * kSectorBytes),
                    static_cast<double>(c.request_sectors) / static_cast<double>(c.requests),
                    c.shared_requests == 0 ? 0
                                           : static_cast<double>(c.shared_conflicts) /
                                                 static_cast<double>(c.shared_requests),
                    launch.kernel);
      }
    }
    return {
        .launches = static_cast<std::int64_t>(all.launches),
        .bytes = static_cast<std::int64_t>(all.sectors_read + all.sectors_written) * kSectorBytes};
  }

  const Model& model_;
  std::unique_ptr<Backend> backend_;
  Parts parts_;
};

// What a step costs by part, behind kShort tokens.
struct ModelCost {
  Cost around, dense, moe;

  Cost Total(const Model& m) const { return around + dense * m.dense_layers + moe * m.moe_layers; }
};
constexpr int kShort = 4096;
constexpr int kContexts[] = {kShort, 32768, 131072};

ModelCost Measure(Card& card, LatentType type) {
  const Cost one = card.Decode(1, 0, type, kShort);
  const Cost dense = card.Decode(2, 0, type, kShort) - one;
  return {.around = card.Decode(1, 0, type, kShort, true) - dense,
          .dense = dense,
          .moe = card.Decode(1, 1, type, kShort) - one};
}

// "figure model ..." -> the most that is allowed.
std::map<std::string, double> Budget() {
  std::map<std::string, double> budget;
  std::ifstream in(PALUKU_SOURCE_DIR "/tests/engine/backend/cuda/decode_budget.txt");
  for (std::string line; std::getline(in, line);) {
    const std::size_t cut = line.rfind(' ');
    if (line.empty() || line[0] == '#' || cut == std::string::npos) continue;
    budget[line.substr(0, cut)] = std::stod(line.substr(cut + 1));
  }
  return budget;
}

void ExpectWithin(const std::string& what, double figure) {
  static const std::map<std::string, double> budget = Budget();
  std::printf("  %s %g\n", what.c_str(), figure);
  const auto it = budget.find(what);
  ASSERT_NE(it, budget.end()) << "no budget: " << what;
  EXPECT_LE(figure, it->second) << what;
}

// Bytes of a file and of the latent cache that a token needs.
std::int64_t Floor(const Model& m, const Parts& parts, LatentType type, int cached) {
  const LatentPages row{.type = type, .layers = 1, .latent = kLatent, .rope = kRope};
  return parts.around_floor + parts.dense_floor * m.dense_layers + parts.moe_floor * m.moe_layers +
         row.row_bytes() * (m.dense_layers + m.moe_layers) * (cached + std::int64_t{1});
}

class DecodeCost : public testing::TestWithParam<Model> {};

TEST_P(DecodeCost, IsWithinTheBudget) {
  constexpr LatentType kType = LatentType::kQ8;
  const Model& m = GetParam();
  const std::string name = m.name;
  Card card(m);
  const ModelCost cost = Measure(card, kType);
  ExpectWithin(name + " launches around layers", static_cast<double>(cost.around.launches));
  ExpectWithin(name + " launches per dense layer", static_cast<double>(cost.dense.launches));
  ExpectWithin(name + " launches per MoE layer", static_cast<double>(cost.moe.launches));
  const Cost short_layer = card.Decode(1, 0, kType, kShort);
  for (const int cached : kContexts) {
    // Only attention depends on the number of tokens, alike in every layer.
    const Cost more = card.Decode(1, 0, kType, cached) - short_layer;
    const Cost all = cost.Total(m) + more * (m.dense_layers + m.moe_layers);
    const std::int64_t floor = Floor(m, card.parts(), kType, cached);
    std::printf("  %s, %d tokens: %.3f GB moved, floor %.3f GB\n", m.name, cached,
                static_cast<double>(all.bytes) * 1e-9, static_cast<double>(floor) * 1e-9);
    ExpectWithin(name + " bytes over floor at " + std::to_string(cached),
                 static_cast<double>(all.bytes) / static_cast<double>(floor));
  }
}

std::string PlainName(const testing::TestParamInfo<Model>& info) {
  std::string name = info.param.name;
  std::erase_if(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; });
  return name;
}

INSTANTIATE_TEST_SUITE_P(Models, DecodeCost, testing::ValuesIn(kModels), PlainName);

}  // namespace
}  // namespace paluku::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  // Only count. Multiprocessors decide how often the context is split: those of an RTX 3060.
  paluku_emu_set("shadow", "0");
  paluku_emu_set("count", "1");
  if (std::getenv("PALUKU_EMU_PROCESSORS") == nullptr) paluku_emu_set("processors", "28");
  return RUN_ALL_TESTS();
}
