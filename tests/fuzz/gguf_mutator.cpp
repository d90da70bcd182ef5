// A mutator that knows how GGUF is built: it changes entries and tensors of a file and writes the
// file again, so that most of what the fuzzer tries gets past the first length that does not fit.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max);

namespace {

using Bytes = std::vector<std::uint8_t>;

struct Entry {
  std::string key;
  std::uint32_t type = 0;
  Bytes value;
};

struct TensorInfo {
  std::string name;
  std::vector<std::uint64_t> dims;
  std::uint32_t type = 0;
  std::uint64_t offset = 0;
};

struct Sketch {
  std::uint32_t version = 3;
  std::vector<Entry> entries;
  std::vector<TensorInfo> tensors;
  Bytes rest;  // padding and weights
};

constexpr std::uint32_t kString = 8, kArray = 9, kTypes = 13;
constexpr std::array<std::uint32_t, kTypes> kWidths = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
constexpr std::array<std::uint64_t, 14> kNumbers = {
    0,          1,          2,    31, 32, 255, 256, 512, 65'536, 1ull << 31, (1ull << 31) + 1,
    1ull << 32, 1ull << 63, ~0ull};
constexpr std::array<std::string_view, 45> kKeys = {"general.architecture",
                                                    "general.name",
                                                    "deepseek2.vocab_size",
                                                    "deepseek2.nextn_predict_layers",
                                                    "deepseek2.expert_group_used_count",
                                                    "deepseek2.expert_gating_func",
                                                    "deepseek2.expert_weights_scale",
                                                    "deepseek2.attention.q_lora_rank",
                                                    "deepseek2.attention.temperature_scale",
                                                    "deepseek32.attention.indexer.key_length",
                                                    "deepseek32.attention.indexer.head_count",
                                                    "deepseek32.attention.indexer.top_k",
                                                    "minicpm3.rope.scaling.type",
                                                    "tokenizer.ggml.scores",
                                                    "tokenizer.ggml.bos_token_id",
                                                    "tokenizer.ggml.eos_token_id",
                                                    "tokenizer.ggml.eot_token_id",
                                                    "tokenizer.ggml.padding_token_id",
                                                    "tokenizer.ggml.add_bos_token",
                                                    "tokenizer.ggml.add_space_prefix",
                                                    "general.alignment",
                                                    "general.file_type",
                                                    "split.count",
                                                    "split.no",
                                                    "split.tensors.count",
                                                    "deepseek2.block_count",
                                                    "deepseek2.context_length",
                                                    "deepseek2.embedding_length",
                                                    "deepseek2.feed_forward_length",
                                                    "deepseek2.expert_count",
                                                    "deepseek2.expert_used_count",
                                                    "deepseek2.expert_group_count",
                                                    "deepseek2.attention.head_count",
                                                    "deepseek2.attention.kv_lora_rank",
                                                    "deepseek2.attention.key_length_mla",
                                                    "deepseek2.rope.dimension_count",
                                                    "deepseek2.rope.scaling.type",
                                                    "deepseek2.rope.scaling.factor",
                                                    "deepseek2.leading_dense_block_count",
                                                    "tokenizer.ggml.model",
                                                    "tokenizer.ggml.pre",
                                                    "tokenizer.ggml.tokens",
                                                    "tokenizer.ggml.token_type",
                                                    "tokenizer.ggml.merges",
                                                    "tokenizer.chat_template"};
constexpr std::array<std::string_view, 6> kNames = {
    "token_embd.weight",      "output.weight",          "blk.0.attn_q.weight",
    "blk.0.attn_kv_b.weight", "blk.0.exp_probs_b.bias", "blk.1.nextn.eh_proj.weight"};

constexpr std::array<std::string_view, 12> kTexts = {"",           "<0x41>",  "<0x-1>",    "<s>",
                                                     "<|im_end|>", "<think>", "\u2581",    "a b",
                                                     "\u0120",     "ab",      "deepseek2", "\xff"};

// Reads as far as the file makes sense; every step says whether there was enough.
class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  template <class T>
  bool Number(T& value) {
    if (bytes_.size() < sizeof value) return false;
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_ = bytes_.subspan(sizeof value);
    return true;
  }
  bool Take(std::uint64_t count, Bytes& out) {
    if (count > bytes_.size()) return false;
    out.insert(out.end(), bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(count));
    bytes_ = bytes_.subspan(count);
    return true;
  }
  bool Text(std::string& text) {
    std::uint64_t length = 0;
    Bytes bytes;
    if (!Number(length) || !Take(length, bytes)) return false;
    text.assign(bytes.begin(), bytes.end());
    return true;
  }
  // A length and as many bytes, both to `out`.
  bool RawText(Bytes& out) {
    std::uint64_t length = 0;
    if (bytes_.size() < sizeof length) return false;
    std::memcpy(&length, bytes_.data(), sizeof length);
    return Take(sizeof length, out) && Take(length, out);
  }
  bool Value(std::uint32_t type, Bytes& out) {
    if (type == kString) return RawText(out);
    if (type != kArray) return type < kTypes && Take(kWidths[type], out);
    std::uint32_t of = 0;
    std::uint64_t count = 0;
    Bytes head;
    if (!Take(12, head)) return false;
    std::memcpy(&of, head.data(), 4);
    std::memcpy(&count, head.data() + 4, 8);
    out.insert(out.end(), head.begin(), head.end());
    if (of >= kTypes || of == kArray || count > bytes_.size()) return false;
    if (of != kString) return Take(count * kWidths[of], out);
    for (std::uint64_t i = 0; i < count; ++i) {
      if (!RawText(out)) return false;
    }
    return true;
  }
  Bytes Rest() const { return {bytes_.begin(), bytes_.end()}; }

 private:
  std::span<const std::uint8_t> bytes_;
};

std::optional<Sketch> Parse(std::span<const std::uint8_t> bytes) {
  constexpr std::uint64_t kMost = 512;
  Sketch sketch;
  Reader in(bytes);
  std::uint32_t magic = 0;
  std::uint64_t tensors = 0, entries = 0;
  if (!in.Number(magic) || !in.Number(sketch.version) || !in.Number(tensors) ||
      !in.Number(entries) || tensors > kMost || entries > kMost) {
    return std::nullopt;
  }
  for (std::uint64_t i = 0; i < entries; ++i) {
    Entry entry;
    if (!in.Text(entry.key) || !in.Number(entry.type) || !in.Value(entry.type, entry.value)) {
      return std::nullopt;
    }
    sketch.entries.push_back(std::move(entry));
  }
  for (std::uint64_t i = 0; i < tensors; ++i) {
    TensorInfo tensor;
    std::uint32_t rank = 0;
    if (!in.Text(tensor.name) || !in.Number(rank) || rank > 8) return std::nullopt;
    tensor.dims.resize(rank);
    for (std::uint64_t& dim : tensor.dims) {
      if (!in.Number(dim)) return std::nullopt;
    }
    if (!in.Number(tensor.type) || !in.Number(tensor.offset)) return std::nullopt;
    sketch.tensors.push_back(std::move(tensor));
  }
  sketch.rest = in.Rest();
  return sketch;
}

template <class T>
void Append(Bytes& out, T value) {
  const auto* raw = reinterpret_cast<const std::uint8_t*>(&value);
  out.insert(out.end(), raw, raw + sizeof value);
}

void AppendText(Bytes& out, std::string_view text) {
  Append<std::uint64_t>(out, text.size());
  out.insert(out.end(), text.begin(), text.end());
}

Bytes Write(const Sketch& sketch) {
  Bytes out = {'G', 'G', 'U', 'F'};
  Append(out, sketch.version);
  Append<std::uint64_t>(out, sketch.tensors.size());
  Append<std::uint64_t>(out, sketch.entries.size());
  for (const Entry& entry : sketch.entries) {
    AppendText(out, entry.key);
    Append(out, entry.type);
    out.insert(out.end(), entry.value.begin(), entry.value.end());
  }
  for (const TensorInfo& tensor : sketch.tensors) {
    AppendText(out, tensor.name);
    Append(out, static_cast<std::uint32_t>(tensor.dims.size()));
    for (const std::uint64_t dim : tensor.dims) Append(out, dim);
    Append(out, tensor.type);
    Append(out, tensor.offset);
  }
  out.insert(out.end(), sketch.rest.begin(), sketch.rest.end());
  return out;
}

class Mutator {
 public:
  explicit Mutator(unsigned seed) : random_(seed) {}

  void Change(Sketch& sketch) {
    switch (Below(10)) {
      case 0:
        return AddEntry(sketch);
      case 1:
        return Rearrange(sketch.entries);
      case 2:
        return Rearrange(sketch.tensors);
      case 3:
        return sketch.rest.resize(Below(2) == 0 ? sketch.rest.size() / 2 : Below(4096));
      case 4:
      case 5:
      case 6:
        if (!sketch.entries.empty()) ChangeEntry(sketch.entries[Below(sketch.entries.size())]);
        return;
      default:
        if (!sketch.tensors.empty()) ChangeTensor(sketch.tensors[Below(sketch.tensors.size())]);
        return;
    }
  }

  // The counts of the header, made not to fit.
  void BreakCounts(Bytes& file) {
    if (file.size() < 24) return;
    const std::uint64_t number = Number();
    std::memcpy(file.data() + 8 + 8 * Below(2), &number, sizeof number);
  }

  std::size_t Below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }

 private:
  std::uint64_t Number() {
    const std::uint64_t known = kNumbers[Below(kNumbers.size())];
    return Below(3) == 0 ? known + Below(3) - 1 : known;
  }

  template <class T>
  void Rearrange(std::vector<T>& items) {
    if (items.empty()) return;
    const std::size_t at = Below(items.size());
    const std::size_t choice = Below(3);
    if (choice == 0) items.erase(items.begin() + static_cast<std::ptrdiff_t>(at));
    if (choice == 1) items.push_back(T(items[at]));
    if (choice == 2) std::swap(items[at], items[Below(items.size())]);
  }

  void AddEntry(Sketch& sketch) {
    Entry entry{std::string(kKeys[Below(kKeys.size())]), 4, {}};
    Append(entry.value, static_cast<std::uint32_t>(Number()));
    if (Below(2) == 0 && !sketch.entries.empty()) {
      const Entry& other = sketch.entries[Below(sketch.entries.size())];
      entry.type = other.type;
      entry.value = other.value;
    }
    sketch.entries.push_back(std::move(entry));
  }

  // The elements of an array of texts, or nothing.
  static std::vector<std::string> TextsOf(const Entry& entry) {
    std::vector<std::string> texts;
    Reader in(entry.value);
    std::uint32_t of = 0;
    std::uint64_t count = 0;
    std::string text;
    if (entry.type != kArray || !in.Number(of) || of != kString || !in.Number(count)) return {};
    while (texts.size() < count && in.Text(text)) texts.push_back(text);
    return texts;
  }

  void ChangeText(std::string& text) {
    if (Below(2) == 0) {
      text = kTexts[Below(kTexts.size())];
      return;
    }
    const std::size_t size = text.size();
    text.resize(size + 16);
    text.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(text.data()), size, size + 16));
  }

  // Changes one text of an array, or the order of its texts; the lengths stay right.
  bool ChangeTexts(Entry& entry) {
    std::vector<std::string> texts = TextsOf(entry);
    if (texts.empty()) return false;
    if (Below(2) == 0) {
      ChangeText(texts[Below(texts.size())]);
    } else {
      Rearrange(texts);
    }
    entry.value.resize(4);
    Append<std::uint64_t>(entry.value, texts.size());
    for (const std::string& text : texts) AppendText(entry.value, text);
    return true;
  }

  // Sets one element of an array of numbers.
  bool ChangeNumbers(Entry& entry) {
    std::uint32_t of = 0;
    if (entry.type != kArray || !Reader(entry.value).Number(of) || of >= kTypes) return false;
    const std::size_t width = kWidths[of];
    if (width == 0 || entry.value.size() < 12 + width) return false;
    const std::size_t count = (entry.value.size() - 12) / width;
    const std::uint64_t number = Below(2) == 0 ? Below(8) : Number();
    std::memcpy(entry.value.data() + 12 + width * Below(count), &number, width);
    return true;
  }

  void ChangeEntry(Entry& entry) {
    if (Below(2) == 0 && (ChangeTexts(entry) || ChangeNumbers(entry))) return;
    if (Below(4) == 0 && entry.type == kString) {
      std::string text;
      Reader(entry.value).Text(text);
      ChangeText(text);
      entry.value.clear();
      AppendText(entry.value, text);
      return;
    }
    switch (Below(4)) {
      case 0:
        entry.key = kKeys[Below(kKeys.size())];
        return;
      case 1:
        entry.type = static_cast<std::uint32_t>(Below(kTypes + 1));
        return;
      case 2:
        // A length, a count or a number at the front.
        if (entry.value.size() >= 8) {
          const std::uint64_t number = Number();
          const std::size_t at = entry.type == kArray && entry.value.size() >= 12 ? 4 : 0;
          std::memcpy(entry.value.data() + at, &number, sizeof number);
          return;
        }
        [[fallthrough]];
      default: {
        const std::size_t size = entry.value.size();
        entry.value.resize(size + 16);
        entry.value.resize(LLVMFuzzerMutate(entry.value.data(), size, size + 16));
      }
    }
  }

  void ChangeTensor(TensorInfo& tensor) {
    switch (Below(5)) {
      case 0:
        tensor.name = kNames[Below(kNames.size())];
        return;
      case 1:
        tensor.type = static_cast<std::uint32_t>(Below(43));
        return;
      case 2:
        tensor.offset = Below(2) == 0 ? Number() : 32 * Below(128);
        return;
      case 3:
        tensor.dims.resize(Below(6), Number());
        return;
      default:
        if (!tensor.dims.empty()) tensor.dims[Below(tensor.dims.size())] = Number();
    }
  }

  std::minstd_rand random_;
};

// One file changed by its parts; nothing where it is no GGUF file.
std::optional<Bytes> ChangeFile(Mutator& mutator, std::span<const std::uint8_t> file) {
  std::optional<Sketch> sketch = Parse(file);
  if (!sketch) return std::nullopt;
  for (std::size_t i = 0; i <= mutator.Below(3); ++i) mutator.Change(*sketch);
  Bytes changed = Write(*sketch);
  if (mutator.Below(16) == 0) mutator.BreakCounts(changed);
  return changed;
}

constexpr std::array<std::uint8_t, 3> kBorder = {'\n', 0x1f, '\n'};  // between parts of a set

std::vector<Bytes> PartsOf(std::span<const std::uint8_t> bytes) {
  std::vector<Bytes> parts;
  for (auto begin = bytes.begin();;) {
    const auto end = std::search(begin, bytes.end(), kBorder.begin(), kBorder.end());
    parts.emplace_back(begin, end);
    if (end == bytes.end()) return parts;
    begin = end + static_cast<std::ptrdiff_t>(kBorder.size());
  }
}

// Changes a file of the set, or which files it has.
std::optional<Bytes> ChangeSet(Mutator& mutator, std::span<const std::uint8_t> bytes) {
  std::vector<Bytes> parts = PartsOf(bytes);
  const std::size_t at = mutator.Below(parts.size());
  if (mutator.Below(16) == 0) {
    parts.push_back(Bytes(parts[at]));
  } else if (parts.size() > 1 && mutator.Below(16) == 0) {
    std::swap(parts[at], parts[mutator.Below(parts.size())]);
  } else {
    std::optional<Bytes> changed = ChangeFile(mutator, parts[at]);
    if (!changed) return std::nullopt;
    parts[at] = std::move(*changed);
  }
  Bytes joined;
  for (const Bytes& part : parts) {
    if (&part != &parts.front()) joined.insert(joined.end(), kBorder.begin(), kBorder.end());
    joined.insert(joined.end(), part.begin(), part.end());
  }
  return joined;
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max, unsigned seed) {
  Mutator mutator(seed);
  std::optional<Bytes> changed;
  if (mutator.Below(4) != 0) changed = ChangeSet(mutator, {data, size});
  if (!changed) return LLVMFuzzerMutate(data, size, max);
  const std::size_t kept = std::min(changed->size(), max);
  std::memcpy(data, changed->data(), kept);
  return kept;
}
