#include "tests/op_cases/harness.h"

#include <gtest/gtest.h>

#include <bit>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <numbers>

#include "engine/backend/cpu/instruction_set.h"
#include "engine/backend/host_memory.h"
#include "engine/backend/latent_row.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/backend/registry.h"
#include "engine/tensor/half.h"
#include "tests/op_cases/device_mirror.h"
#include "tests/op_cases/tolerances.h"

namespace paluku::op_cases {

constexpr int kSkipped = 77;  // exit status that CTest counts as skipped

namespace {

std::vector<Variant> CpuVariants(std::vector<std::unique_ptr<Backend>>& owners) {
  std::vector<Variant> made;
  for (const std::string_view set : SupportedInstructionSets()) {
    for (int threads = 1; threads <= 3; ++threads) {
      auto backend = CpuBackend::Create(threads, set);
      PALUKU_CHECK(backend.has_value());
      const std::string name(set);
      made.push_back({name + ", " + std::to_string(threads) + " threads", name, backend->get()});
      owners.push_back(std::move(*backend));
    }
  }
  return made;
}

// The card that `PALUKU_BACKEND=cuda` names; without one there is nothing to test.
std::vector<Variant> CardVariants(std::vector<std::unique_ptr<Backend>>& owners) {
  auto card = CreateBackend({.name = "cuda"});
  if (!card) {
    std::printf("SKIPPED: %s\n", card.error().Message().c_str());
    std::exit(kSkipped);
  }
  owners.push_back(std::make_unique<DeviceMirror>(std::move(*card)));
  return {{"cuda", "cuda", owners.back().get()}};
}

}  // namespace

bool OnCard() {
  const char* name = std::getenv("PALUKU_BACKEND");
  return name != nullptr && std::string_view(name) == "cuda";
}

const std::vector<Variant>& Variants() {
  static std::vector<std::unique_ptr<Backend>> owners;
  static const std::vector<Variant> variants = [] {
    return OnCard() ? CardVariants(owners) : CpuVariants(owners);
  }();
  return variants;
}

Backend& Reference() {
  static ReferenceBackend backend;
  return backend;
}

OwnedTensor OwnedTensor::Copy() const {
  OwnedTensor copy{.buffer = *AllocateHostMemory(buffer.bytes), .tensor = tensor};
  copy.tensor.data = copy.buffer.data.get();
  std::memcpy(copy.tensor.data, tensor.data, static_cast<std::size_t>(buffer.bytes));
  return copy;
}

OwnedTensor MakeTensor(DType dtype, std::initializer_list<std::int64_t> shape) {
  OwnedTensor owned;
  owned.tensor.dtype = dtype;
  owned.tensor.rank = static_cast<int>(shape.size());
  std::size_t i = 0;
  for (const std::int64_t n : shape) owned.tensor.shape[i++] = n;
  owned.buffer = *AllocateHostMemory(owned.tensor.bytes());
  owned.tensor.data = owned.buffer.data.get();
  std::memset(owned.tensor.data, 0, static_cast<std::size_t>(owned.tensor.bytes()));
  return owned;
}

std::uint64_t Random::Bits() {
  std::uint64_t z = state_ += 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

double Random::Uniform() { return static_cast<double>(Bits() >> 11) * 0x1p-53; }

double Random::Normal() {
  const double radius = std::sqrt(-2 * std::log(1 - Uniform()));
  return radius * std::cos(2 * std::numbers::pi * Uniform());
}

namespace {

// Where a type keeps the scales of a block, and the size of a value per unit of them.
struct ScaleInfo {
  enum Kind { kHalf, kE8M0, kE4M3, kScattered } kind = kHalf;
  std::vector<std::int64_t> offsets;
  double unit = 1;
  double second = 1;  // factor of the second scale
};
ScaleInfo ScalesOf(DType dtype) {
  using enum ScaleInfo::Kind;
  switch (dtype) {
    case DType::kQ4_0:
      return {kHalf, {0}, 4.6};
    case DType::kQ4_1:
      return {kHalf, {0, 2}, 4.6, -7.5};
    case DType::kQ5_0:
      return {kHalf, {0}, 9.2};
    case DType::kQ5_1:
      return {kHalf, {0, 2}, 9.2, -15.5};
    case DType::kQ8_0:
    case DType::kIQ4_NL:
      return {kHalf, {0}, 74};
    case DType::kQ2_K:
      return {kHalf, {80, 82}, 8 * 1.5};
    case DType::kQ3_K:
      return {kHalf, {108}, 18 * 2.3};
    case DType::kQ4_K:
      return {kHalf, {0, 2}, 32 * 7};
    case DType::kQ5_K:
      return {kHalf, {0, 2}, 32 * 14};
    case DType::kQ6_K:
      return {kHalf, {208}, 74 * 18};
    case DType::kIQ4_XS:
      return {kHalf, {0}, 18 * 70};
    case DType::kIQ2_XXS:
    case DType::kIQ2_XS:
    case DType::kIQ2_S:
      return {kHalf, {0}, 2 * 28};
    case DType::kIQ3_XXS:
      return {kHalf, {0}, 4 * 36};
    case DType::kIQ3_S:
      return {kHalf, {0}, 16 * 9};
    case DType::kIQ1_S:
      return {kHalf, {0}, 8 * 0.8};
    case DType::kIQ1_M:
      return {kScattered, {49}, 8 * 0.8};
    case DType::kMXFP4:
      return {kE8M0, {0}, 3};
    case DType::kNVFP4:
      return {kE4M3, {0, 1, 2, 3}, 3};
    default:
      return {};
  }
}

void StoreScale(ScaleInfo::Kind kind, double d, std::byte* at) {
  const std::uint16_t half = FloatToHalf(static_cast<float>(d));
  switch (kind) {
    case ScaleInfo::kHalf:
      std::memcpy(at, &half, 2);
      break;
    case ScaleInfo::kE8M0:
      at[0] = static_cast<std::byte>(127 + std::lround(std::log2(d)));
      break;
    case ScaleInfo::kE4M3:  // exponent and three bits of fraction, as binary16 has them
      at[0] = static_cast<std::byte>(std::max(1, (half >> 7) - (8 << 3)));
      break;
    case ScaleInfo::kScattered:  // the upper nibbles of four 16-bit numbers, lowest first
      for (int i = 0; i < 4; ++i) {
        const auto nibble = static_cast<std::byte>(half >> (4 * i) << 4 & 0xf0);
        at[2 * i] = (at[2 * i] & std::byte{15}) | nibble;
      }
      break;
  }
}

std::int64_t ScaleBytes(ScaleInfo::Kind kind) {
  return kind == ScaleInfo::kHalf ? 2 : kind == ScaleInfo::kScattered ? 7 : 1;
}

void FillBlocks(const Tensor& tensor, Random& random, double sigma) {
  const DTypeInfo& info = Info(tensor.dtype);
  const ScaleInfo scales = ScalesOf(tensor.dtype);
  PALUKU_CHECK(!scales.offsets.empty());
  for (std::int64_t i = 0; i < tensor.bytes(); ++i) {
    tensor.data[i] = static_cast<std::byte>(random.Bits() >> 56);
  }
  for (std::byte* block = tensor.data; block < tensor.data + tensor.bytes();
       block += info.block_bytes) {
    for (const std::int64_t at : scales.offsets) {
      // Scales of different blocks differ by up to a factor of three, so that a mix-up shows.
      const double factor = scales.second != 1 && at != scales.offsets[0] ? scales.second : 1;
      const double d = sigma / scales.unit * (0.5 + random.Uniform()) * factor;
      StoreScale(scales.kind, d, block + at);
    }
  }
}

}  // namespace

OwnedTensor RandomTensor(DType dtype, std::initializer_list<std::int64_t> shape, std::uint64_t seed,
                         double sigma) {
  OwnedTensor owned = MakeTensor(dtype, shape);
  Random random(seed);
  if (Info(dtype).block_elements > 1) {
    FillBlocks(owned.tensor, random, sigma);
    return owned;
  }
  for (std::int64_t i = 0; i < owned.tensor.elements(); ++i) {
    const auto value = static_cast<float>(random.Normal() * sigma);
    const std::uint16_t half = dtype == DType::kF16 ? FloatToHalf(value) : FloatToBFloat(value);
    if (dtype == DType::kF32) {
      std::memcpy(owned.tensor.data + 4 * i, &value, 4);
    } else {
      std::memcpy(owned.tensor.data + 2 * i, &half, 2);
    }
  }
  return owned;
}

void FillAllButScales(const Tensor& tensor, std::byte fill) {
  const DTypeInfo& info = Info(tensor.dtype);
  const ScaleInfo scales = ScalesOf(tensor.dtype);
  std::vector<std::byte> kept(static_cast<std::size_t>(info.block_bytes));
  for (std::byte* block = tensor.data; block < tensor.data + tensor.bytes();
       block += info.block_bytes) {
    std::memcpy(kept.data(), block, kept.size());
    std::memset(block, static_cast<int>(fill), kept.size());
    for (const std::int64_t at : scales.offsets) {
      for (std::int64_t i = at; i < at + ScaleBytes(scales.kind); ++i) {
        const std::byte mask{static_cast<unsigned char>(scales.kind != ScaleInfo::kScattered ? 0xff
                                                        : (i - at) % 2 == 0                  ? 0xf0
                                                                                             : 0)};
        block[i] = (kept[static_cast<std::size_t>(i)] & mask) | (fill & ~mask);
      }
    }
  }
}

OwnedTensor ExactlyQuantisable(std::int64_t rows, std::int64_t k, std::uint64_t seed) {
  OwnedTensor owned = MakeTensor(DType::kF32, {rows, k});
  Random random(seed);
  for (std::int64_t group = 0; group < rows * k / 32; ++group) {
    // The scale is the largest magnitude / 127, so one value must be 127 steps.
    const double step = std::ldexp(1.0, static_cast<int>(random.Bits() % 8) - 8);
    const std::uint64_t peak = random.Bits() % 32;
    for (std::uint64_t i = 0; i < 32; ++i) {
      const double q = i == peak ? 127 : static_cast<double>(random.Bits() % 255) - 127;
      owned.tensor.f32()[group * 32 + static_cast<std::int64_t>(i)] = static_cast<float>(q * step);
    }
  }
  return owned;
}

Step::Step(int rows) { Lay({{.cached = 0, .rows = rows}}); }

Step::Step(std::vector<SequenceShape> shapes, LatentType type, int layers, int latent, int rope,
           std::uint64_t seed, int index) {
  Lay(std::move(shapes));
  pages_ = {.type = type, .layers = layers, .latent = latent, .rope = rope, .index = index};
  for (const auto& table : tables_) pages_.page_count += static_cast<int>(table.size());
  // Rows behind the last token are NaN in every type: nobody may let them count.
  content_.resize(static_cast<std::size_t>(pages_.page_bytes() * pages_.page_count),
                  std::byte{0xff});
  pages_.data = content_.data();
  Random random(seed);
  std::vector<float> row(static_cast<std::size_t>(latent + rope));
  std::vector<float> key(static_cast<std::size_t>(index));
  for (const StepSequence& sequence : sequences_) {
    for (int layer = 0; layer < layers; ++layer) {
      for (std::int64_t t = 0; t < sequence.cached + sequence.rows; ++t) {
        for (float& v : row) v = static_cast<float>(random.Normal());
        for (float& v : key) v = static_cast<float>(random.Normal());
        std::byte* to = pages_.Row(sequence.page_table.data(), layer, t);
        StoreLatentRow(pages_, row.data(), to);
        StoreIndexKey(pages_, key.data(), to);
      }
    }
  }
}

void Step::Lay(std::vector<SequenceShape> shapes) {
  shapes_ = std::move(shapes);
  std::int32_t pages = 0;
  for (const SequenceShape& shape : shapes_)
    pages += (shape.cached + shape.rows + kPageTokens - 1) / kPageTokens;
  // Pages are dealt from the last to the first, so that no sequence has them in order.
  std::int32_t next = pages;
  for (const SequenceShape& shape : shapes_) {
    const int count = (shape.cached + shape.rows + kPageTokens - 1) / kPageTokens;
    std::vector<std::int32_t>& table = tables_.emplace_back();
    for (int i = 0; i < count; ++i) table.push_back(--next);
    if (count > 2) std::swap(table[0], table[1]);
  }
  for (std::size_t s = 0; s < shapes_.size(); ++s) {
    const SequenceShape& shape = shapes_[s];
    sequences_.push_back({.first_row = rows(),
                          .rows = shape.rows,
                          .cached = shape.cached,
                          .page_table = tables_[s]});
    for (int i = 0; i < shape.rows; ++i) {
      tokens_.push_back(i);
      positions_.push_back(shape.cached + i);
    }
  }
  batch_ = {.tokens = tokens_, .positions = positions_, .sequences = sequences_, .output_rows = {}};
}

LatentPages Step::FreshPages() {
  copies_.push_back(std::make_unique<std::vector<std::byte>>(content_));
  LatentPages fresh = pages_;
  fresh.data = copies_.back()->data();
  return fresh;
}

void Step::SetTokens(std::vector<std::int32_t> tokens) {
  tokens_ = std::move(tokens);
  batch_.tokens = tokens_;
}

void Step::SetOutputRows(std::vector<std::int32_t> rows) {
  output_rows_ = std::move(rows);
  batch_.output_rows = output_rows_;
}

void RunStep(Backend& backend, Step& step, const LatentPages& pages,
             const std::function<void()>& body) {
  backend.RunStep(0, step.batch(), pages, {}, body);
  const Status status = backend.Synchronise();
  EXPECT_TRUE(status.has_value()) << status.error().Message();
}

double Nmse(const std::vector<float>& expected, const std::vector<float>& got) {
  if (expected.size() != got.size()) return std::numeric_limits<double>::infinity();
  double difference = 0, power = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (std::isnan(expected[i]) != std::isnan(got[i]))
      return std::numeric_limits<double>::infinity();
    if (std::isnan(expected[i])) continue;
    const double e = expected[i], g = got[i];
    difference += (e - g) * (e - g);
    power += e * e;
  }
  return power > 0 ? difference / power
                   : (difference > 0 ? std::numeric_limits<double>::infinity() : 0);
}

std::vector<float> Values(const Tensor& tensor) {
  std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
  for (std::int64_t r = 0; r < tensor.rows(); ++r) {
    Info(tensor.dtype)
        .dequantise(tensor.data + r * tensor.row_bytes(), values.data() + r * tensor.columns(),
                    tensor.columns());
  }
  return values;
}

namespace {

// What the emulator's setting of this name may add.
double Perturbation() {
  const char* ulp = std::getenv("PALUKU_EMU_PERTURB");
  return OnCard() && ulp != nullptr && std::string_view(ulp) != "0" ? kPerturbed : 0;
}

}  // namespace

void ExpectAgreement(const std::string& what, double tolerance,
                     const std::function<std::vector<float>(Backend&)>& run) {
  SCOPED_TRACE(what);
  const std::vector<float> expected = run(Reference());
  std::map<std::string, std::vector<float>> first_of_set;
  for (const Variant& variant : Variants()) {
    const std::vector<float> got = run(*variant.backend);
    EXPECT_LE(Nmse(expected, got), tolerance + Perturbation()) << variant.name;
    const auto [it, is_new] = first_of_set.emplace(variant.instruction_set, got);
    if (is_new || it->second.size() != got.size()) continue;
    EXPECT_EQ(std::memcmp(it->second.data(), got.data(), got.size() * sizeof(float)), 0)
        << variant.name << ": bits depend on the number of threads";
  }
}

std::string TestName(std::string_view text) {
  std::string name(text);
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
}

}  // namespace paluku::op_cases
