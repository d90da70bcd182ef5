#include "engine/backend/reference/reference_backend.h"

#include <cmath>
#include <cstring>
#include <utility>

#include "engine/backend/host_memory.h"
#include "engine/backend/latent_row.h"

namespace paluku {
namespace reference {

Vector Row(const Tensor& tensor, std::int64_t index) {
  std::vector<float> values(static_cast<std::size_t>(tensor.columns()));
  Info(tensor.dtype)
      .dequantise(tensor.data + index * tensor.row_bytes(), values.data(), tensor.columns());
  return {values.begin(), values.end()};
}

Matrix AllRows(const Tensor& tensor) {
  Matrix rows;
  for (std::int64_t r = 0; r < tensor.rows(); ++r) rows.push_back(Row(tensor, r));
  return rows;
}

void StoreRow(const Tensor& tensor, std::int64_t index, const Vector& values) {
  PALUKU_CHECK(static_cast<std::int64_t>(values.size()) == tensor.columns());
  float* out = tensor.f32() + index * tensor.columns();
  for (std::size_t i = 0; i < values.size(); ++i) out[i] = static_cast<float>(values[i]);
}

double Dot(const Vector& a, const Vector& b) {
  PALUKU_CHECK(a.size() == b.size());
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

Vector Project(const Vector& x, const Matrix& weight) {
  Vector out;
  for (const Vector& row : weight) out.push_back(Dot(x, row));
  return out;
}

Vector Normalise(const Vector& x, const Vector& weight, double epsilon) {
  const double mean_square = Dot(x, x) / static_cast<double>(x.size());
  const double factor = 1 / std::sqrt(mean_square + epsilon);
  Vector out(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = x[i] * factor * weight[i];
  return out;
}

void Rotate(double* x, int rope, double position, const RopeParams& params) {
  for (int i = 0; i < rope / 2; ++i) {
    const int first = params.interleaved ? 2 * i : i;
    const int second = params.interleaved ? 2 * i + 1 : i + rope / 2;
    const double angle = position * params.inverse_frequency[static_cast<std::size_t>(i)];
    const double a = x[first], b = x[second];
    x[first] = a * std::cos(angle) - b * std::sin(angle);
    x[second] = a * std::sin(angle) + b * std::cos(angle);
  }
}

}  // namespace reference

using namespace reference;

Result<Buffer> ReferenceBackend::Allocate(std::int64_t bytes) { return AllocateHostMemory(bytes); }
Result<Tensor> ReferenceBackend::PrepareWeight(const Tensor& host, std::vector<Buffer>&,
                                               const std::stop_token&) {
  return host;
}

void ReferenceBackend::Upload(std::span<const std::byte> from, std::byte* to) {
  std::memcpy(to, from.data(), from.size());
}

void ReferenceBackend::Download(const std::byte* from, std::span<std::byte> to) {
  std::memcpy(to.data(), from, to.size());
}

void ReferenceBackend::Copy(const std::byte* from, std::byte* to, std::int64_t bytes) {
  std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

void ReferenceBackend::RunStep(std::int64_t, const StepBatch& batch, const LatentPages& pages,
                               std::stop_token stop, const std::function<void()>& body) {
  batch_ = batch;
  pages_ = pages;
  stop_ = std::move(stop);
  body();
}

Status ReferenceBackend::Synchronise() {
  if (!std::exchange(cancelled_, false)) return {};
  return Fail(ErrorCode::kCancelled);
}

bool ReferenceBackend::Stopped() {
  cancelled_ = cancelled_ || stop_.stop_requested();
  return cancelled_;
}

void ReferenceBackend::Embed(const Tensor& table, float scale, const Tensor& out) {
  if (Stopped()) return;
  for (int r = 0; r < batch_.rows(); ++r) {
    Vector row = Row(table, batch_.tokens[static_cast<std::size_t>(r)]);
    for (double& value : row) value *= static_cast<double>(scale);
    StoreRow(out, r, row);
  }
}

void ReferenceBackend::RmsNorm(const Tensor& x, const Tensor& weight, float epsilon,
                               const Tensor& out) {
  if (Stopped()) return;
  const Vector scale = Row(weight, 0);
  for (std::int64_t r = 0; r < x.rows(); ++r) {
    StoreRow(out, r, Normalise(Row(x, r), scale, epsilon));
  }
}

void ReferenceBackend::AddRmsNorm(const Tensor& x, const Tensor& delta, const Tensor& weight,
                                  float epsilon, const Tensor& out) {
  if (Stopped()) return;
  for (std::int64_t r = 0; r < x.rows(); ++r) {
    Vector sum = Row(x, r);
    const Vector add = Row(delta, r);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += add[i];
    StoreRow(x, r, sum);
  }
  RmsNorm(x, weight, epsilon, out);
}

void ReferenceBackend::MatMul(const Tensor& x, const Tensor& weight, const Tensor& out) {
  const Matrix inputs = AllRows(x);
  for (std::int64_t n = 0; n < weight.rows(); ++n) {
    if (Stopped()) return;
    const Vector row = Row(weight, n);
    for (std::size_t r = 0; r < inputs.size(); ++r) {
      out.f32()[static_cast<std::int64_t>(r) * out.columns() + n] =
          static_cast<float>(Dot(inputs[r], row));
    }
  }
}

void ReferenceBackend::LatentAppend(const LatentAppendParams& params) {
  if (Stopped()) return;
  for (std::int64_t r = 0; params.q && r < params.q.rows(); ++r) {
    Vector row = Row(params.q, r);
    const double position = batch_.positions[static_cast<std::size_t>(r)];
    for (int h = 0; h < params.heads; ++h) {
      double* head = row.data() + h * (params.nope + pages_.rope);
      Rotate(head + params.nope, pages_.rope, position, params.rope);
    }
    StoreRow(params.q, r, row);
  }
  const Vector norm = Row(params.norm, 0);
  for (const StepSequence& sequence : batch_.sequences) {
    for (int i = 0; i < sequence.rows; ++i) {
      const Vector kv = Row(params.kv, sequence.first_row + i);
      Vector row = Normalise({kv.begin(), kv.begin() + pages_.latent}, norm, params.epsilon);
      row.insert(row.end(), kv.begin() + pages_.latent, kv.end());
      const std::int64_t position = sequence.cached + i;
      Rotate(row.data() + pages_.latent, pages_.rope, static_cast<double>(position), params.rope);
      const std::vector<float> values(row.begin(), row.end());
      StoreLatentRow(pages_, values.data(),
                     pages_.Row(sequence.page_table.data(), params.layer, position));
    }
  }
}

void ReferenceBackend::GatherRows(const Tensor& x, const Tensor& out) {
  if (Stopped()) return;
  for (std::size_t i = 0; i < batch_.output_rows.size(); ++i) {
    StoreRow(out, static_cast<std::int64_t>(i), Row(x, batch_.output_rows[i]));
  }
}

void ReferenceBackend::Sample(const Tensor& logits, const SamplingParams& params,
                              std::span<const std::int32_t> history, std::uint64_t position,
                              const Tensor& out) {
  if (Stopped()) return;
  const std::span<const float> row(logits.f32(), static_cast<std::size_t>(logits.columns()));
  *out.i32() = sampler_.Choose(row, params, history, position);
}

}  // namespace paluku
