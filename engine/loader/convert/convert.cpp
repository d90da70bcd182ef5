#include "engine/loader/convert/convert.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <deque>
#include <map>
#include <span>
#include <string_view>
#include <thread>
#include <utility>

#include "engine/loader/convert/tensor_plan.h"
#include "engine/loader/gguf_writer.h"
#include "engine/model/model_config.h"
#include "engine/text/vocabulary.h"

namespace paluku {
namespace {

// Values that are in memory at once as f32; four times as many bytes.
constexpr std::int64_t kSliceValues = 8 << 20;
constexpr float kLargestHalf = 65'504.0f;

// Calls work(first, last) for parts of [0, count) that together cover it, on `threads` threads.
template <class Work>
void InParallel(int threads, std::int64_t count, const Work& work) {
  const std::int64_t part = std::max<std::int64_t>(1, (count + threads - 1) / threads);
  std::vector<std::jthread> others;
  for (std::int64_t first = part; first < count; first += part) {
    others.emplace_back(
        [&work, first, last = std::min(count, first + part)] { work(first, last); });
  }
  work(0, std::min(count, part));
}

class Converter {
 public:
  Converter(const ModelFile& file, const ModelConfig& config, const ConvertOptions& options,
            const ConvertProgress& progress, std::stop_token stop)
      : file_(file), config_(config), progress_(progress), stop_(std::move(stop)) {
    const auto processors = static_cast<int>(std::thread::hardware_concurrency());
    threads_ = std::max(1, options.threads == 0 ? processors : options.threads);
  }

  Status Run(const std::vector<PlannedTensor>& tensors, GgufWriter& writer) {
    for (const PlannedTensor& tensor : tensors) total_ += tensor.out.bytes();
    for (const PlannedTensor& tensor : tensors) PALUKU_TRY(WriteTensor(tensor, writer));
    return {};
  }

 private:
  // Rows of the new tensor that are made together: one head where rows are turned into columns.
  std::int64_t SliceRows(const PlannedTensor& tensor) const {
    if (tensor.source == TensorSource::kKeyUp) return config_.latent;
    return std::max<std::int64_t>(1, kSliceValues / tensor.out.columns());
  }

  Status WriteTensor(const PlannedTensor& tensor, GgufWriter& writer) {
    const Tensor& from = *file_.FindTensor(tensor.from);
    const bool copied = tensor.source == TensorSource::kWhole && from.dtype == tensor.out.dtype;
    if (!copied && Info(tensor.out.dtype).quantise == nullptr) {
      return Fail(ErrorCode::kUnsupportedTensorType, tensor.out.name,
                  std::string(Info(tensor.out.dtype).name) + " cannot be written");
    }
    const std::int64_t rows = tensor.out.rows(), slice = SliceRows(tensor);
    const std::int64_t row_bytes = RowBytes(tensor.out.dtype, tensor.out.columns());
    for (std::int64_t first = 0; first < rows; first += slice) {
      if (stop_.stop_requested()) return Fail(ErrorCode::kCancelled);
      const std::int64_t count = std::min(slice, rows - first);
      blocks_.resize(static_cast<std::size_t>(count * row_bytes));
      if (copied) {
        file_.CopyRows(tensor.from, first, count, blocks_.data());
        PALUKU_TRY(CheckCopied(tensor, count));
      } else {
        PALUKU_TRY(MakeRows(tensor, from, first, count));
      }
      PALUKU_TRY(writer.Write(blocks_));
      done_ += static_cast<std::int64_t>(blocks_.size());
      if (progress_) progress_(done_, total_);
      // What was read need not stay in memory.
      for (const auto& mapping : file_.mappings()) mapping->ReleasePages();
    }
    return {};
  }

  // The copied rows hold numbers: a scale of a block may be infinite, or none at all.
  Status CheckCopied(const PlannedTensor& tensor, std::int64_t count) {
    const std::int64_t columns = tensor.out.columns();
    const DTypeInfo& info = Info(tensor.out.dtype);
    values_.resize(static_cast<std::size_t>(count * columns));
    std::atomic<bool> good = true;
    InParallel(threads_, count, [&](std::int64_t begin, std::int64_t end) {
      float* out = values_.data() + begin * columns;
      const std::int64_t n = (end - begin) * columns;
      info.dequantise(blocks_.data() + begin * RowBytes(info.dtype, columns), out, n);
      if (!std::all_of(out, out + n, [](float x) { return std::isfinite(x); })) good = false;
    });
    return good ? Status() : NotFinite(tensor);
  }

  tl::unexpected<Error> NotFinite(const PlannedTensor& tensor) const {
    return Fail(ErrorCode::kBadValue, file_.path(),
                tensor.from + ": a weight that is not a finite number");
  }

  // Rows [first, first + count) of the new tensor into blocks_.
  Status MakeRows(const PlannedTensor& tensor, const Tensor& from, std::int64_t first,
                  std::int64_t count) {
    const std::int64_t columns = tensor.out.columns();
    values_.resize(static_cast<std::size_t>(count * columns));
    switch (tensor.source) {
      case TensorSource::kWhole:
        ReadRows(tensor.from, from, first, count, values_.data());
        break;
      case TensorSource::kValueUp:
        ReadValueRows(tensor.from, from, first, count);
        break;
      case TensorSource::kKeyUp:
        ReadKeyHead(tensor.from, from, first / config_.latent);
        break;
    }
    const DTypeInfo& info = Info(tensor.out.dtype);
    const float most = tensor.out.dtype == DType::kF16 ? kLargestHalf : HUGE_VALF;
    std::atomic<bool> finite = true;
    std::atomic<bool> fits = true;
    InParallel(threads_, count, [&](std::int64_t begin, std::int64_t end) {
      const float* in = values_.data() + begin * columns;
      const std::int64_t n = (end - begin) * columns;
      if (!std::all_of(in, in + n, [](float x) { return std::isfinite(x); })) {
        finite = false;
      } else if (!std::all_of(in, in + n, [&](float x) { return std::fabs(x) <= most; })) {
        fits = false;
      } else {
        info.quantise(in, blocks_.data() + begin * RowBytes(info.dtype, columns), n);
      }
    });
    if (!finite) return NotFinite(tensor);
    if (fits) return {};
    return Fail(ErrorCode::kBadValue, file_.path(),
                tensor.from + ": a weight that " + std::string(info.name) + " cannot hold");
  }

  // Dequantised rows of a tensor of the old file.
  void ReadRows(const std::string& name, const Tensor& from, std::int64_t first, std::int64_t count,
                float* out) {
    const std::int64_t row_bytes = from.row_bytes(), columns = from.columns();
    const std::byte* rows = from.data == nullptr ? nullptr : from.data + first * row_bytes;
    if (rows == nullptr) {
      pieces_.resize(static_cast<std::size_t>(count * row_bytes));
      rows = pieces_.data();
    }
    InParallel(threads_, count, [&](std::int64_t begin, std::int64_t end) {
      if (from.data == nullptr) {
        file_.CopyRows(name, first + begin, end - begin, pieces_.data() + begin * row_bytes);
      }
      Info(from.dtype)
          .dequantise(rows + begin * row_bytes, out + begin * columns, (end - begin) * columns);
    });
  }

  // Rows of W_UV: in attn_kv_b each head's stand behind its rows of W_UK.
  void ReadValueRows(const std::string& name, const Tensor& from, std::int64_t first,
                     std::int64_t count) {
    const std::int64_t value = config_.value, per_head = config_.nope + value;
    for (std::int64_t row = first; row < first + count;) {
      const std::int64_t in_head = row % value;
      const std::int64_t run = std::min(value - in_head, first + count - row);
      ReadRows(name, from, row / value * per_head + config_.nope + in_head, run,
               values_.data() + (row - first) * config_.latent);
      row += run;
    }
  }

  // One head of W_UK, turned from [nope, latent] to [latent, nope].
  void ReadKeyHead(const std::string& name, const Tensor& from, std::int64_t head) {
    const std::int64_t nope = config_.nope, latent = config_.latent;
    turned_.resize(static_cast<std::size_t>(nope * latent));
    ReadRows(name, from, head * (nope + config_.value), nope, turned_.data());
    for (std::int64_t c = 0; c < latent; ++c) {
      for (std::int64_t n = 0; n < nope; ++n) {
        values_[static_cast<std::size_t>(c * nope + n)] =
            turned_[static_cast<std::size_t>(n * latent + c)];
      }
    }
  }

  const ModelFile& file_;
  const ModelConfig& config_;
  const ConvertProgress& progress_;
  std::stop_token stop_;
  int threads_ = 1;
  std::int64_t done_ = 0;
  std::int64_t total_ = 0;
  std::vector<float> values_;      // of the slice
  std::vector<float> turned_;      // of one head
  std::vector<std::byte> pieces_;  // of a slice that stands nowhere as it is
  std::vector<std::byte> blocks_;  // of the new file
};

using Entries = std::map<std::string, MetadataValue, std::less<>>;

// The old file's entries without those that speak of its own bytes, and with those of the current
// generation.
Entries NewEntries(const ModelFile& file, const ModelConfig& config, const Recipe& recipe) {
  Entries entries = file.entries();
  std::erase_if(entries, [](const auto& entry) {
    return entry.first.starts_with("split.") || entry.first == "general.alignment" ||
           entry.first.ends_with(".nextn_predict_layers");
  });
  entries["general.file_type"] = std::uint64_t{recipe.file_type};
  entries["general.quantization_version"] = std::uint64_t{2};
  const std::string architecture(file.String("general.architecture").value());
  const auto set = [&](std::string_view key, std::int64_t value) {
    entries[architecture + "." + std::string(key)] = static_cast<std::uint64_t>(value);
  };
  set("block_count", config.layers);
  if (config.experts > 0) {  // what old files leave to be guessed
    set("expert_gating_func", config.gate == GateFunction::kSigmoid ? 2 : 1);
    set("expert_group_count", config.groups);
    set("expert_group_used_count", config.groups_chosen);
  }
  if (config.yarn.factor > 1) {  // likewise; where they are absent, programs differ
    entries[architecture + ".rope.scaling.yarn_beta_fast"] = config.yarn.beta_fast;
    entries[architecture + ".rope.scaling.yarn_beta_slow"] = config.yarn.beta_slow;
  }
  if (!SplitsUpProjections(architecture)) return entries;
  set("attention.head_count_kv", 1);
  set("attention.key_length", config.latent + config.rope);
  set("attention.value_length", config.latent);
  set("attention.key_length_mla", config.nope + config.rope);
  set("attention.value_length_mla", config.value);
  return entries;
}

// Merges that only the ids tell (tiktoken) are listed, because other programs want the list. Of a
// vocabulary that Paluku cannot read nothing is said.
Status AddMerges(const ModelFile& file, const std::stop_token& stop, std::deque<std::string>& texts,
                 Entries& entries) {
  constexpr char kMerges[] = "tokenizer.ggml.merges";
  const bool byte_level = file.StringOr("tokenizer.ggml.model", "").value_or("") == "gpt2";
  if (!byte_level || file.Has(kMerges)) return {};
  const auto vocabulary = VocabularyFromGguf(file);
  if (!vocabulary) return {};
  PALUKU_ASSIGN_OR_RETURN(const std::vector<Merge> merges, MergesOfIds(*vocabulary, stop));
  std::vector<std::string_view> views;
  views.reserve(merges.size());
  for (const Merge& merge : merges)
    views.push_back(texts.emplace_back(merge.left + " " + merge.right));
  entries[kMerges] = std::move(views);
  return {};
}

ConvertResult Describe(const std::vector<PlannedTensor>& tensors) {
  std::map<std::string, int> types;
  for (const PlannedTensor& tensor : tensors) ++types[std::string(Info(tensor.out.dtype).name)];
  return {.file_bytes = 0, .tensor_types = {types.begin(), types.end()}};
}

}  // namespace

Result<ConvertResult> ConvertModel(const ModelFile& file, const std::string& path,
                                   const ConvertOptions& options, const ConvertProgress& progress,
                                   std::stop_token stop) {
  PALUKU_ASSIGN_OR_RETURN(const ModelConfig config, ModelConfig::Parse(file));
  PALUKU_ASSIGN_OR_RETURN(const std::vector<PlannedTensor> tensors,
                          PlanTensors(file, config, *options.recipe));
  std::vector<GgufTensorInfo> infos;
  infos.reserve(tensors.size());
  for (const PlannedTensor& tensor : tensors) infos.push_back(tensor.out);
  Entries entries = NewEntries(file, config, *options.recipe);
  std::deque<std::string> texts;  // of entries that the old file does not have
  PALUKU_TRY(AddMerges(file, stop, texts, entries));
  PALUKU_ASSIGN_OR_RETURN(GgufWriter writer, GgufWriter::Create(path, entries, infos));
  PALUKU_TRY(Converter(file, config, options, progress, std::move(stop)).Run(tensors, writer));
  if (file.damaged()) {
    return Fail(ErrorCode::kFileDamaged, file.path(), "it changed while it was read");
  }
  ConvertResult result = Describe(tensors);
  PALUKU_ASSIGN_OR_RETURN(result.file_bytes, writer.Finish());
  return result;
}

}  // namespace paluku
