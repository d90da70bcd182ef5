// Speed of the CPU backend's operations on the shapes of DeepSeek-V2-Lite, beside what the memory
// gives in the same run.
//
// "GB/s" counts the bytes of weights or cached rows an operation must read at least once; the share
// of the memory floor is that over ReadBandwidth of the same run. PALUKU_CPU chooses the
// instruction set, PALUKU_THREADS the threads.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <cstring>
#include <numeric>

#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/cpu/worker_pool.h"
#include "engine/backend/cuda/weight_layout.h"
#include "tests/op_cases/harness.h"

namespace paluku::op_cases {
namespace {

constexpr int kHidden = 2048, kHeads = 16, kNope = 128, kRope = 64, kLatent = 512, kValue = 128;
constexpr int kExperts = 64, kChosen = 6, kInner = 1408;

int Threads() {
  const char* text = std::getenv("PALUKU_THREADS");
  return text != nullptr ? std::atoi(text) : 0;
}

CpuBackend& Cpu() {
  static const auto backend = CpuBackend::Create(Threads(), "auto");
  PALUKU_CHECK(backend.has_value());
  return **backend;
}

// Random bytes are slow to make; a block repeated is as good for speed, where values do not matter.
OwnedTensor Repeated(DType dtype, std::initializer_list<std::int64_t> shape) {
  OwnedTensor owned = MakeTensor(dtype, shape);
  const OwnedTensor row = RandomTensor(dtype, {64, owned.tensor.columns()}, 1, 0.02);
  const std::int64_t total = owned.tensor.bytes(), part = row.tensor.bytes();
  for (std::int64_t at = 0; at < total; at += part) {
    std::memcpy(owned.tensor.data + at, row.tensor.data,
                static_cast<std::size_t>(std::min(part, total - at)));
  }
  return owned;
}

void Step(int rows, const std::function<void()>& body) {
  op_cases::Step step(rows);
  Cpu().RunStep(0, step.batch(), {}, {}, body);
  PALUKU_CHECK(Cpu().Synchronise().has_value());
}

void CountBytes(benchmark::State& state, double bytes) {
  state.counters["GB/s"] =
      benchmark::Counter(bytes * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}
void CountMultiplications(benchmark::State& state, double count) {
  state.counters["GMAC/s"] =
      benchmark::Counter(count * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

// All threads read 512 MiB once.
void ReadBandwidth(benchmark::State& state) {
  static WorkerPool pool(Threads());
  const std::vector<std::uint64_t> data(64u << 20, 3);
  constexpr std::size_t kPiece = 1 << 16;
  for (auto _ : state) {
    pool.Run(static_cast<int>(data.size() / kPiece), {}, [&](int piece, int) {
      const std::uint64_t* p = data.data() + static_cast<std::size_t>(piece) * kPiece;
      std::uint64_t sums[8] = {};
      for (std::size_t i = 0; i < kPiece; i += 8) {
        for (std::size_t j = 0; j < 8; ++j) sums[j] += p[i + j];
      }
      benchmark::DoNotOptimize(std::accumulate(sums, sums + 8, std::uint64_t{0}));
    });
  }
  CountBytes(state, static_cast<double>(data.size() * sizeof(data[0])));
}
BENCHMARK(ReadBandwidth)->UseRealTime()->Unit(benchmark::kMillisecond);

// One row times 50,000 rows of weights: far more than any cache holds.
void MatVec(benchmark::State& state) {
  const auto dtype = static_cast<DType>(state.range(0));
  const OwnedTensor weight = Repeated(dtype, {50'000, kHidden});
  const OwnedTensor x = RandomTensor(DType::kF32, {1, kHidden}, 2),
                    out = MakeTensor(DType::kF32, {1, 50'000});
  state.SetLabel(std::string(Info(dtype).name));
  Step(1, [&] {
    for (auto _ : state) Cpu().MatMul(x, weight, out);
  });
  CountBytes(state, static_cast<double>(weight.tensor.bytes()));
}
void EveryType(benchmark::internal::Benchmark* b) {
  for (int t = 0; t < kDTypeCount; ++t) {
    if (static_cast<DType>(t) != DType::kI32) b->Arg(t);
  }
}
BENCHMARK(MatVec)->Apply(EveryType)->UseRealTime()->Unit(benchmark::kMillisecond);

void MatMulRows(benchmark::State& state) {
  const auto dtype = static_cast<DType>(state.range(0));
  const std::int64_t rows = state.range(1);
  const OwnedTensor weight = Repeated(dtype, {3072, kHidden});
  const OwnedTensor x = RandomTensor(DType::kF32, {rows, kHidden}, 2),
                    out = MakeTensor(DType::kF32, {rows, 3072});
  state.SetLabel(std::string(Info(dtype).name));
  Step(static_cast<int>(rows), [&] {
    for (auto _ : state) Cpu().MatMul(x, weight, out);
  });
  CountMultiplications(state, static_cast<double>(rows) * 3072 * kHidden);
}
void EveryTypeAt512(benchmark::internal::Benchmark* b) {
  for (int t = 0; t < kDTypeCount; ++t) {
    if (static_cast<DType>(t) != DType::kI32) b->Args({t, 512});
  }
  for (const int rows : {2, 3, 4, 8, 16, 48}) b->Args({static_cast<int>(DType::kQ4_K), rows});
}
BENCHMARK(MatMulRows)->Apply(EveryTypeAt512)->UseRealTime()->Unit(benchmark::kMillisecond);

// Writing of 64 rows, one thread.
void Quantise(benchmark::State& state) {
  const DTypeInfo& info = Info(static_cast<DType>(state.range(0)));
  const OwnedTensor x = RandomTensor(DType::kF32, {64, kHidden}, 9),
                    out = MakeTensor(info.dtype, {64, kHidden});
  state.SetLabel(std::string(info.name));
  for (auto _ : state) info.quantise(x.tensor.f32(), out.tensor.data, 64 * kHidden);
  state.counters["Mvalues/s"] =
      benchmark::Counter(64e-6 * kHidden, benchmark::Counter::kIsIterationInvariantRate);
}
void EveryWritableType(benchmark::internal::Benchmark* b) {
  for (int t = 0; t < kDTypeCount; ++t) {
    if (Info(static_cast<DType>(t)).quantise != nullptr) b->Arg(t);
  }
}
BENCHMARK(Quantise)->Apply(EveryWritableType)->Unit(benchmark::kMillisecond);

// The experts of one layer in the mix of a Q4_K_M file: Q4_K gate and up, Q5_0 down; shared experts
// Q4_K.
void MoeLayer(benchmark::State& state) {
  const std::int64_t rows = state.range(0);
  static const OwnedTensor gate = Repeated(DType::kQ4_K, {kExperts, kInner, kHidden});
  static const OwnedTensor up = Repeated(DType::kQ4_K, {kExperts, kInner, kHidden});
  static const OwnedTensor down = Repeated(DType::kQ5_0, {kExperts, kHidden, kInner});
  static const OwnedTensor shared_gate = Repeated(DType::kQ4_K, {2 * kInner, kHidden});
  static const OwnedTensor shared_up = Repeated(DType::kQ4_K, {2 * kInner, kHidden});
  static const OwnedTensor shared_down = Repeated(DType::kQ4_K, {kHidden, 2 * kInner});
  const OwnedTensor x = RandomTensor(DType::kF32, {rows, kHidden}, 3),
                    out = MakeTensor(DType::kF32, {rows, kHidden});
  const OwnedTensor ids = MakeTensor(DType::kI32, {rows, kChosen}),
                    weights = RandomTensor(DType::kF32, {rows, kChosen}, 4);
  Random random(5);
  Step(static_cast<int>(rows), [&] {
    for (auto _ : state) {
      state.PauseTiming();  // other experts each time, or a small batch would stay in the cache
      for (std::int64_t r = 0; r < rows; ++r) {
        const int start = static_cast<int>(random.Bits() % kExperts);
        for (int k = 0; k < kChosen; ++k)
          ids.tensor.i32()[r * kChosen + k] = (start + 11 * k) % kExperts;
      }
      state.ResumeTiming();
      Cpu().MoeFfn({.x = x,
                    .ids = ids,
                    .weights = weights,
                    .routed = {gate, up, down},
                    .shared = {shared_gate, shared_up, shared_down},
                    .out = out});
    }
  });
  const double per_row = 3.0 * kHidden * (kChosen * kInner + 2 * kInner);
  CountMultiplications(state, static_cast<double>(rows) * per_row);
  const double expert_bytes =
      static_cast<double>(gate.tensor.bytes() + up.tensor.bytes() + down.tensor.bytes()) / kExperts;
  const auto shared_bytes = static_cast<double>(
      shared_gate.tensor.bytes() + shared_up.tensor.bytes() + shared_down.tensor.bytes());
  CountBytes(state, expert_bytes * std::min<double>(kExperts, static_cast<double>(rows) * kChosen) +
                        shared_bytes);
}
BENCHMARK(MoeLayer)->Arg(1)->Arg(2)->Arg(8)->Arg(64)->Arg(512)->UseRealTime()->Unit(
    benchmark::kMillisecond);

// Weights to the form that a card reads, one thread: what bringing experts to a card costs here.
void CardForm(benchmark::State& state) {
  const auto dtype = static_cast<DType>(state.range(0));
  const OwnedTensor weight = Repeated(dtype, {16'384, kHidden});
  const auto layout = cuda::LayoutOf(dtype, weight.tensor.rows(), kHidden);
  PALUKU_CHECK(layout.has_value());
  std::vector<std::byte> card(static_cast<std::size_t>(layout->bytes));
  std::byte* at = card.data();
  state.SetLabel(std::string(Info(dtype).name));
  for (auto _ : state) {
    cuda::RepackRows(weight, *layout, 0, layout->rows,
                     {.low = at,
                      .high = at + layout->high_at,
                      .scales = at + layout->scale_at,
                      .supers = at + layout->super_at});
  }
  CountBytes(state, static_cast<double>(layout->bytes));
}
void TypesOfExperts(benchmark::internal::Benchmark* b) {
  for (const DType type : {DType::kQ4_0, DType::kQ4_K, DType::kQ5_0, DType::kQ5_K, DType::kQ6_K,
                           DType::kQ8_0, DType::kIQ4_XS, DType::kMXFP4}) {
    b->Arg(static_cast<int>(type));
  }
}
BENCHMARK(CardForm)->Apply(TypesOfExperts)->Unit(benchmark::kMillisecond);

// One layer's attention: `rows` new tokens after `cached`.
void Attention(benchmark::State& state) {
  const auto rows = static_cast<int>(state.range(0)), cached = static_cast<int>(state.range(1));
  const auto type = static_cast<LatentType>(state.range(2));
  op_cases::Step step({{.cached = cached, .rows = rows}}, type, 1, kLatent, kRope, 6);
  const LatentPages pages = step.FreshPages();
  const OwnedTensor q = RandomTensor(DType::kF32, {rows, kHeads * (kNope + kRope)}, 7);
  const OwnedTensor w_uk = Repeated(DType::kF16, {kHeads, kNope, kLatent});
  const OwnedTensor w_uv = Repeated(DType::kF16, {kHeads, kValue, kLatent});
  const OwnedTensor out = MakeTensor(DType::kF32, {rows, kHeads * kValue});
  Cpu().RunStep(0, step.batch(), pages, {}, [&] {
    for (auto _ : state) {
      Cpu().MlaAttention({.q = q,
                          .w_uk = w_uk,
                          .w_uv = w_uv,
                          .heads = kHeads,
                          .nope = kNope,
                          .rope = kRope,
                          .latent = kLatent,
                          .value = kValue,
                          .scale = 0.1147f,
                          .layer = 0,
                          .out = out});
    }
  });
  PALUKU_CHECK(Cpu().Synchronise().has_value());
  CountBytes(state, static_cast<double>(pages.row_bytes()) * (cached + rows));
}
void AttentionShapes(benchmark::internal::Benchmark* b) {
  for (const int cached : {0, 4096, 16384}) {
    b->Args({1, cached, static_cast<int>(LatentType::kF16)});
    b->Args({512, cached, static_cast<int>(LatentType::kF16)});
  }
  b->Args({1, 16384, static_cast<int>(LatentType::kQ8)});
}
BENCHMARK(Attention)->Apply(AttentionShapes)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace paluku::op_cases

BENCHMARK_MAIN();
