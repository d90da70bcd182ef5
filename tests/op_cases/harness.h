// Harness of the operation cases: random tensors of every type, every CPU variant, comparison with
// the reference.
//
// A variant is an instruction set with a number of threads. An operation is run on the reference
// backend and on each variant with the same inputs; results are compared by NMSE and by the exact
// positions of NaN, and the variants of one instruction set bit by bit. Tolerances stand in
// tolerances.h.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/backend/cpu/cpu_backend.h"

namespace paluku::op_cases {

struct Variant {
  std::string name;  // "avx2, 3 threads"
  std::string instruction_set;
  Backend* backend;
};
// Every instruction set this processor runs, with 1, 2 and 3 threads each; with PALUKU_BACKEND=cuda
// the card alone, behind a DeviceMirror.
const std::vector<Variant>& Variants();
// The variant is a card; its tensor cores round what processors do not.
bool OnCard();
Backend& Reference();

// A tensor that owns its memory.
struct OwnedTensor {
  Buffer buffer;
  Tensor tensor;
  operator const Tensor&() const { return tensor; }
  OwnedTensor Copy() const;
};
OwnedTensor MakeTensor(DType dtype, std::initializer_list<std::int64_t> shape);
// f32: normal with standard deviation `sigma`; other types: random blocks whose values have about
// that size.
OwnedTensor RandomTensor(DType dtype, std::initializer_list<std::int64_t> shape, std::uint64_t seed,
                         double sigma = 1);
// Sets every byte of the blocks but those of the binary16 or 8-bit float scales.
void FillAllButScales(const Tensor& tensor, std::byte fill);
// f32 [rows, k] that quantises to int8 without error: multiples of a power of two, 127 of them in
// every group of 32.
OwnedTensor ExactlyQuantisable(std::int64_t rows, std::int64_t k, std::uint64_t seed);
// Random numbers of the tests (splitmix64 and Box-Muller).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t Bits();
  double Uniform();  // [0, 1)
  double Normal();

 private:
  std::uint64_t state_;
};

// Rows of a step: one sequence per entry.
struct SequenceShape {
  int cached = 0;
  int rows = 0;
};
// A batch, its pages in an order that is not the order of the tokens, and a cache filled with
// random rows.
class Step {
 public:
  // `index`: values of the indexer's key.
  Step(std::vector<SequenceShape> shapes, LatentType type, int layers, int latent, int rope,
       std::uint64_t seed, int index = 0);
  // A step without a cache, for operations that only count rows.
  explicit Step(int rows);

  int rows() const { return static_cast<int>(tokens_.size()); }
  const StepBatch& batch() const { return batch_; }
  // The cache, a fresh copy of the same content at each call.
  LatentPages FreshPages();
  void SetTokens(std::vector<std::int32_t> tokens);
  void SetOutputRows(std::vector<std::int32_t> rows);
  const std::vector<SequenceShape>& shapes() const { return shapes_; }

 private:
  void Lay(std::vector<SequenceShape> shapes);
  std::vector<SequenceShape> shapes_;
  std::vector<std::int32_t> tokens_, positions_, output_rows_;
  std::vector<std::vector<std::int32_t>> tables_;
  std::vector<StepSequence> sequences_;
  StepBatch batch_;
  LatentPages pages_;
  std::vector<std::byte> content_;
  std::vector<std::unique_ptr<std::vector<std::byte>>> copies_;
};

// Runs `body` as a step of `backend` and expects success.
void RunStep(Backend& backend, Step& step, const LatentPages& pages,
             const std::function<void()>& body);

// Mean squared difference over mean square of `expected`, over positions where both are numbers;
// infinite when the NaN positions differ.
double Nmse(const std::vector<float>& expected, const std::vector<float>& got);
std::vector<float> Values(const Tensor& tensor);

// Runs `run(backend)`, which returns the values to compare, everywhere and expects NMSE <=
// tolerance and equal bits for every number of threads.
void ExpectAgreement(const std::string& what, double tolerance,
                     const std::function<std::vector<float>(Backend&)>& run);

// `text` as the name of a case with a parameter: letters and digits, all else as underscores.
std::string TestName(std::string_view text);

}  // namespace paluku::op_cases
