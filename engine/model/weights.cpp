#include "engine/model/weights.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "engine/backend/host_memory.h"
#include "engine/tensor/half.h"

namespace paluku {
namespace {

// Bytes copied between two looks at the stop token.
constexpr std::int64_t kSliceBytes = 16 << 20;

std::string ShapeText(const std::int64_t* shape, std::size_t rank) {
  std::string text = "[";
  for (std::size_t i = 0; i < rank; ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

// Writes `count` values as `dtype` (kF32, kF16 or kBF16), rounded to nearest even.
std::byte* Store(const float* values, std::int64_t count, DType dtype, std::byte* out) {
  for (std::int64_t i = 0; i < count; ++i) {
    if (dtype == DType::kF32) {
      std::memcpy(out, values + i, sizeof(float));
      out += sizeof(float);
      continue;
    }
    const std::uint16_t bits =
        dtype == DType::kF16 ? FloatToHalf(values[i]) : FloatToBFloat(values[i]);
    std::memcpy(out, &bits, sizeof bits);
    out += sizeof bits;
  }
  return out;
}

std::vector<float> Dequantise(const Tensor& tensor) {
  std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
  Info(tensor.dtype).dequantise(tensor.data, values.data(), tensor.elements());
  return values;
}

// Rows [first, first + count) of every slab of a 3-D tensor, in place.
Tensor RowsOfSlabs(Tensor tensor, std::int64_t first, std::int64_t count) {
  tensor.slab_stride = tensor.slab_bytes();
  tensor.data += first * tensor.row_bytes();
  tensor.shape[1] = count;
  return tensor;
}

class WeightLoader {
 public:
  WeightLoader(const ModelConfig& config, Backend& backend, const Weights::Progress& progress,
               std::stop_token stop, int expert_layers, Weights& out)
      : config_(config),
        backend_(backend),
        progress_(progress),
        stop_(std::move(stop)),
        expert_layers_(expert_layers),
        out_(out),
        file_(*out.file) {}

  Status Load() {
    for (const auto& [name, tensor] : file_.tensors()) total_ += tensor.bytes();
    const std::int64_t hidden = config_.hidden;
    PALUKU_ASSIGN_OR_RETURN(out_.embedding,
                            Take("token_embd.weight", {config_.vocabulary, hidden}));
    PALUKU_ASSIGN_OR_RETURN(out_.output_norm,
                            TakeF32("output_norm.weight", {hidden}, config_.output_scale));
    out_.output = out_.embedding;
    if (!ShapeOf(file_, "output.weight").empty()) {
      PALUKU_ASSIGN_OR_RETURN(out_.output, Take("output.weight", {config_.vocabulary, hidden}));
    }
    for (int i = 0; i < config_.layers; ++i) {
      prefix_ = "blk." + std::to_string(i) + ".";
      LayerWeights& layer = out_.layers.emplace_back();
      PALUKU_TRY(LoadAttention(layer.attention));
      if (config_.index > 0) PALUKU_TRY(LoadIndexer(layer.indexer));
      PALUKU_ASSIGN_OR_RETURN(layer.ffn_norm, TakeF32("ffn_norm.weight", {hidden}));
      PALUKU_TRY(config_.HasExperts(i) ? LoadMoe(layer.moe) : LoadDense(layer.dense));
    }
    if (progress_) progress_(total_, total_);  // what the model does not use is ready as well
    return {};
  }

 private:
  using Shape = std::initializer_list<std::int64_t>;

  bool Has(std::string_view name) const {
    return !ShapeOf(file_, prefix_ + std::string(name)).empty();
  }

  // The mapped tensor after its shape was found right.
  Result<Tensor> Find(std::string_view name, Shape shape) {
    if (stop_.stop_requested()) return Fail(ErrorCode::kCancelled);
    const std::string full = prefix_ + std::string(name);
    PALUKU_ASSIGN_OR_RETURN(Tensor tensor, file_.RequireTensor(full));
    if (static_cast<std::size_t>(tensor.rank) != shape.size() ||
        !std::equal(shape.begin(), shape.end(), tensor.shape.begin())) {
      return Fail(ErrorCode::kBadValue, file_.path(),
                  full + ": shape " +
                      ShapeText(tensor.shape.data(), static_cast<std::size_t>(tensor.rank)) +
                      ", not " + ShapeText(shape.begin(), shape.size()));
    }
    if (tensor.data == nullptr) PALUKU_TRY(Assemble(full, tensor));
    done_ += tensor.bytes();
    if (progress_) progress_(done_, total_);
    return tensor;
  }

  // Memory for a tensor that the file holds in pieces.
  Status Assemble(const std::string& name, Tensor& tensor) {
    PALUKU_ASSIGN_OR_RETURN(Buffer buffer, AllocateHostMemory(tensor.bytes()));
    tensor.data = buffer.data.get();
    out_.buffers.push_back(std::move(buffer));
    const std::int64_t rows = tensor.rows(), row_bytes = tensor.row_bytes();
    const std::int64_t slice = std::max<std::int64_t>(1, kSliceBytes / row_bytes);
    for (std::int64_t first = 0; first < rows; first += slice) {
      if (stop_.stop_requested()) return Fail(ErrorCode::kCancelled);
      const std::int64_t count = std::min(slice, rows - first);
      file_.CopyRows(name, first, count, tensor.data + first * row_bytes);
      if (progress_) progress_(done_ + (first + count) * row_bytes, total_);
    }
    return {};
  }

  Result<Tensor> Take(std::string_view name, Shape shape) {
    PALUKU_ASSIGN_OR_RETURN(const Tensor tensor, Find(name, shape));
    return Prepare(tensor, name);
  }

  Result<Tensor> Prepare(const Tensor& tensor, std::string_view name) {
    if (tensor.dtype == DType::kI32) {
      return Fail(ErrorCode::kUnsupportedTensorType, file_.path(),
                  prefix_ + std::string(name) + ": I32");
    }
    return backend_.PrepareWeight(tensor, out_.buffers, stop_);
  }

  Result<Tensor> TakeF32(std::string_view name, Shape shape, float scale = 1) {
    PALUKU_ASSIGN_OR_RETURN(Tensor tensor, Find(name, shape));
    if (tensor.dtype == DType::kF32 && scale == 1) {
      return backend_.PrepareWeight(tensor, out_.buffers, stop_);
    }
    std::vector<float> values = Dequantise(tensor);
    for (float& value : values) value *= scale;
    tensor.dtype = DType::kF32;
    return Own(tensor, std::as_bytes(std::span(values)));
  }

  // Memory of the backend that holds `bytes`, shaped like `like`.
  Result<Tensor> Own(Tensor like, std::span<const std::byte> bytes) {
    PALUKU_ASSIGN_OR_RETURN(Buffer buffer,
                            backend_.Allocate(static_cast<std::int64_t>(bytes.size())));
    backend_.Upload(bytes, buffer.data.get());
    like.data = buffer.data.get();
    out_.buffers.push_back(std::move(buffer));
    return like;
  }

  Status LoadAttention(AttentionWeights& out) {
    const std::int64_t hidden = config_.hidden;
    const std::int64_t heads = config_.heads;
    const std::int64_t q_rows = heads * (config_.nope + config_.rope);
    PALUKU_ASSIGN_OR_RETURN(out.norm, TakeF32("attn_norm.weight", {hidden}));
    if (config_.q_lora == 0) {
      PALUKU_ASSIGN_OR_RETURN(out.q, Take("attn_q.weight", {q_rows, hidden}));
    } else {
      PALUKU_ASSIGN_OR_RETURN(out.q_a, Take("attn_q_a.weight", {config_.q_lora, hidden}));
      PALUKU_ASSIGN_OR_RETURN(out.q_a_norm, TakeF32("attn_q_a_norm.weight", {config_.q_lora}));
      PALUKU_ASSIGN_OR_RETURN(out.q, Take("attn_q_b.weight", {q_rows, config_.q_lora}));
    }
    PALUKU_ASSIGN_OR_RETURN(out.kv_a,
                            Take("attn_kv_a_mqa.weight", {config_.latent + config_.rope, hidden}));
    PALUKU_ASSIGN_OR_RETURN(out.kv_a_norm, TakeF32("attn_kv_a_norm.weight", {config_.latent}));
    PALUKU_TRY(Has("attn_kv_b.weight") ? SplitUpProjections(out) : TakeUpProjections(out));
    PALUKU_ASSIGN_OR_RETURN(out.output,
                            Take("attn_output.weight", {hidden, heads * config_.value}));
    return {};
  }

  Status LoadIndexer(IndexerWeights& out) {
    const std::int64_t index = config_.index;
    const std::int64_t heads = config_.index_heads;
    PALUKU_ASSIGN_OR_RETURN(out.q,
                            Take("indexer.attn_q_b.weight", {heads * index, config_.q_lora}));
    PALUKU_ASSIGN_OR_RETURN(out.key, Take("indexer.attn_k.weight", {index, config_.hidden}));
    PALUKU_ASSIGN_OR_RETURN(out.norm, TakeF32("indexer.k_norm.weight", {index}));
    PALUKU_ASSIGN_OR_RETURN(out.norm_bias, TakeF32("indexer.k_norm.bias", {index}));
    PALUKU_ASSIGN_OR_RETURN(out.weights, Take("indexer.proj.weight", {heads, config_.hidden}));
    return {};
  }

  Tensor UpShape(DType source, std::int64_t rows) const {
    return {.dtype = UpProjectionType(source),
            .rank = 3,
            .shape = {config_.heads, rows, config_.latent},
            .data = nullptr};
  }

  // W_UK or W_UV stays in the type of the file.
  bool StaysAsItIs(DType type) const {
    return type == UpProjectionType(type) ||
           (type != DType::kI32 && backend_.TakesQuantisedUpProjections());
  }

  // Older files: attn_kv_b [heads * (nope + value), latent], per head the keys' rows first.
  Status SplitUpProjections(AttentionWeights& out) {
    const std::int64_t rows = config_.nope + config_.value;
    PALUKU_ASSIGN_OR_RETURN(const Tensor kv_b,
                            Find("attn_kv_b.weight", {config_.heads * rows, config_.latent}));
    if (StaysAsItIs(kv_b.dtype)) {
      const Tensor heads = {.dtype = kv_b.dtype,
                            .rank = 3,
                            .shape = {config_.heads, rows, config_.latent},
                            .data = kv_b.data};
      PALUKU_ASSIGN_OR_RETURN(out.w_uk, backend_.PrepareWeight(RowsOfSlabs(heads, 0, config_.nope),
                                                               out_.buffers, stop_));
      PALUKU_ASSIGN_OR_RETURN(
          out.w_uv, backend_.PrepareWeight(RowsOfSlabs(heads, config_.nope, config_.value),
                                           out_.buffers, stop_));
      return {};
    }
    const Tensor uk = UpShape(kv_b.dtype, config_.nope);
    const Tensor uv = UpShape(kv_b.dtype, config_.value);
    std::vector<std::byte> uk_bytes(static_cast<std::size_t>(uk.bytes()));
    std::vector<std::byte> uv_bytes(static_cast<std::size_t>(uv.bytes()));
    std::byte* to_uk = uk_bytes.data();
    std::byte* to_uv = uv_bytes.data();
    const std::int64_t uk_count = std::int64_t{config_.nope} * config_.latent;
    const std::int64_t uv_count = std::int64_t{config_.value} * config_.latent;
    for (int head = 0; head < config_.heads; ++head) {
      if (stop_.stop_requested()) return Fail(ErrorCode::kCancelled);
      const std::vector<float> values = Dequantise(kv_b.Rows(head * rows, rows));
      to_uk = Store(values.data(), uk_count, uk.dtype, to_uk);
      to_uv = Store(values.data() + uk_count, uv_count, uv.dtype, to_uv);
    }
    PALUKU_ASSIGN_OR_RETURN(out.w_uk, Own(uk, uk_bytes));
    PALUKU_ASSIGN_OR_RETURN(out.w_uv, Own(uv, uv_bytes));
    return {};
  }

  // Current files: attn_k_b [heads, latent, nope], transposed for the absorbed query, and
  // attn_v_b [heads, value, latent].
  Status TakeUpProjections(AttentionWeights& out) {
    const std::int64_t nope = config_.nope;
    const std::int64_t latent = config_.latent;
    PALUKU_ASSIGN_OR_RETURN(const Tensor k_b,
                            Find("attn_k_b.weight", {config_.heads, latent, nope}));
    out.w_uk_turned = k_b.dtype != UpProjectionType(k_b.dtype) && StaysAsItIs(k_b.dtype);
    if (out.w_uk_turned) {
      PALUKU_ASSIGN_OR_RETURN(out.w_uk, backend_.PrepareWeight(k_b, out_.buffers, stop_));
      return TakeValueProjection(out);
    }
    const Tensor uk = UpShape(k_b.dtype, nope);
    std::vector<std::byte> bytes(static_cast<std::size_t>(uk.bytes()));
    std::byte* to = bytes.data();
    std::vector<float> turned(static_cast<std::size_t>(nope * latent));
    for (int head = 0; head < config_.heads; ++head) {
      if (stop_.stop_requested()) return Fail(ErrorCode::kCancelled);
      const std::vector<float> values = Dequantise(k_b.Slab(head));
      for (std::int64_t c = 0; c < latent; ++c) {
        for (std::int64_t n = 0; n < nope; ++n) turned[n * latent + c] = values[c * nope + n];
      }
      to = Store(turned.data(), nope * latent, uk.dtype, to);
    }
    PALUKU_ASSIGN_OR_RETURN(out.w_uk, Own(uk, bytes));
    return TakeValueProjection(out);
  }

  Status TakeValueProjection(AttentionWeights& out) {
    PALUKU_ASSIGN_OR_RETURN(
        const Tensor v_b, Find("attn_v_b.weight", {config_.heads, config_.value, config_.latent}));
    const Tensor uv = UpShape(v_b.dtype, config_.value);
    if (StaysAsItIs(v_b.dtype)) {
      PALUKU_ASSIGN_OR_RETURN(out.w_uv, backend_.PrepareWeight(v_b, out_.buffers, stop_));
      return {};
    }
    std::vector<std::byte> bytes(static_cast<std::size_t>(uv.bytes()));
    std::byte* to = bytes.data();
    for (int head = 0; head < config_.heads; ++head) {
      if (stop_.stop_requested()) return Fail(ErrorCode::kCancelled);
      const std::vector<float> values = Dequantise(v_b.Slab(head));
      to = Store(values.data(), static_cast<std::int64_t>(values.size()), uv.dtype, to);
    }
    PALUKU_ASSIGN_OR_RETURN(out.w_uv, Own(uv, bytes));
    return {};
  }

  Status LoadDense(SwiGluWeights& out) { return LoadSwiGlu(out, "", config_.dense_inner); }

  // gate, up and down of one network; `kind` is "" or "_shexp".
  Status LoadSwiGlu(SwiGluWeights& out, const std::string& kind, std::int64_t inner) {
    const std::int64_t hidden = config_.hidden;
    if (!config_.squared_relu) {
      PALUKU_ASSIGN_OR_RETURN(out.gate, Take("ffn_gate" + kind + ".weight", {inner, hidden}));
    }
    PALUKU_ASSIGN_OR_RETURN(out.up, Take("ffn_up" + kind + ".weight", {inner, hidden}));
    PALUKU_ASSIGN_OR_RETURN(out.down, Take("ffn_down" + kind + ".weight", {hidden, inner}));
    return {};
  }

  Status LoadMoe(MoeWeights& out) {
    const std::int64_t hidden = config_.hidden;
    const std::int64_t experts = config_.experts;
    const std::int64_t inner = config_.expert_inner;
    PALUKU_ASSIGN_OR_RETURN(out.gate, TakeF32("ffn_gate_inp.weight", {experts, hidden}));
    if (Has("exp_probs_b.bias")) {
      PALUKU_ASSIGN_OR_RETURN(out.bias, TakeF32("exp_probs_b.bias", {experts}));
    }
    out.on_processor = expert_layers_ <= 0;
    --expert_layers_;
    PALUKU_TRY(LoadRouted(out));
    if (config_.experts_shared == 0) return {};
    return LoadSwiGlu(out.shared, "_shexp", std::int64_t{config_.experts_shared} * inner);
  }

  Status LoadRouted(MoeWeights& out) {
    const std::int64_t hidden = config_.hidden;
    const std::int64_t experts = config_.experts;
    const std::int64_t inner = config_.expert_inner;
    const auto place = [&](const Tensor& tensor, std::string_view name) -> Result<Tensor> {
      return out.on_processor && tensor.dtype != DType::kI32 ? tensor : Prepare(tensor, name);
    };
    if (Has("ffn_gate_up_exps.weight")) {
      PALUKU_ASSIGN_OR_RETURN(const Tensor both,
                              Find("ffn_gate_up_exps.weight", {experts, 2 * inner, hidden}));
      PALUKU_ASSIGN_OR_RETURN(out.routed.gate,
                              place(RowsOfSlabs(both, 0, inner), "ffn_gate_up_exps.weight"));
      PALUKU_ASSIGN_OR_RETURN(out.routed.up,
                              place(RowsOfSlabs(both, inner, inner), "ffn_gate_up_exps.weight"));
    } else {
      PALUKU_ASSIGN_OR_RETURN(const Tensor gate,
                              Find("ffn_gate_exps.weight", {experts, inner, hidden}));
      PALUKU_ASSIGN_OR_RETURN(out.routed.gate, place(gate, "ffn_gate_exps.weight"));
      PALUKU_ASSIGN_OR_RETURN(const Tensor up,
                              Find("ffn_up_exps.weight", {experts, inner, hidden}));
      PALUKU_ASSIGN_OR_RETURN(out.routed.up, place(up, "ffn_up_exps.weight"));
    }
    PALUKU_ASSIGN_OR_RETURN(const Tensor down,
                            Find("ffn_down_exps.weight", {experts, hidden, inner}));
    PALUKU_ASSIGN_OR_RETURN(out.routed.down, place(down, "ffn_down_exps.weight"));
    return {};
  }

  const ModelConfig& config_;
  Backend& backend_;
  const Weights::Progress& progress_;
  std::stop_token stop_;
  int expert_layers_;  // whose routed experts the backend still takes
  Weights& out_;
  const ModelFile& file_;
  std::string prefix_;  // "blk.7." while a layer is loaded
  std::int64_t done_ = 0;
  std::int64_t total_ = 0;
};

}  // namespace

DType UpProjectionType(DType source) {
  return source == DType::kF32 || source == DType::kBF16 ? source : DType::kF16;
}

Result<Weights> Weights::Load(std::shared_ptr<const ModelFile> file, const ModelConfig& config,
                              Backend& backend, const Progress& progress, std::stop_token stop,
                              int expert_layers) {
  Weights weights;
  weights.file = std::move(file);
  PALUKU_TRY(
      WeightLoader(config, backend, progress, std::move(stop), expert_layers, weights).Load());
  if (weights.file->damaged()) {
    return Fail(ErrorCode::kFileDamaged, weights.file->path(), "it changed while it was loaded");
  }
  return weights;
}

}  // namespace paluku
