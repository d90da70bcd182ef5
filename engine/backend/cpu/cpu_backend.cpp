#include "engine/backend/cpu/cpu_backend.h"

#include <cmath>
#include <cstring>
#include <utility>

#include "engine/backend/cpu/instruction_set.h"
#include "engine/backend/cpu/rotate.h"
#include "engine/backend/host_memory.h"
#include "engine/backend/latent_row.h"

namespace paluku {
namespace {

// Rows per piece of operations that walk over activations.
constexpr std::int64_t kActivationRows = 8;

}  // namespace

Result<std::unique_ptr<CpuBackend>> CpuBackend::Create(int threads,
                                                       std::string_view instruction_set) {
  PALUKU_ASSIGN_OR_RETURN(const Kernels* kernels, ChooseKernels(instruction_set));
  return std::unique_ptr<CpuBackend>(new CpuBackend(threads, *kernels));
}

Result<Buffer> CpuBackend::Allocate(std::int64_t bytes) { return AllocateHostMemory(bytes); }

Result<Tensor> CpuBackend::PrepareWeight(const Tensor& host, std::vector<Buffer>&,
                                         const std::stop_token&) {
  if (WeightsOf(host).dot != nullptr) return host;
  return Fail(ErrorCode::kUnsupportedTensorType, {}, std::string(Info(host.dtype).name));
}

void CpuBackend::Upload(std::span<const std::byte> from, std::byte* to) {
  std::memcpy(to, from.data(), from.size());
}

void CpuBackend::Download(const std::byte* from, std::span<std::byte> to) {
  std::memcpy(to.data(), from, to.size());
}

void CpuBackend::Copy(const std::byte* from, std::byte* to, std::int64_t bytes) {
  std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

void CpuBackend::RunStep(std::int64_t, const StepBatch& batch, const LatentPages& pages,
                         std::stop_token stop, const std::function<void()>& body) {
  batch_ = batch;
  pages_ = pages;
  stop_ = std::move(stop);
  rope_table_source_ = nullptr;
  body();
}

Status CpuBackend::Synchronise() {
  switch (std::exchange(failure_, Failure::kNone)) {
    case Failure::kCancelled:
      return Fail(ErrorCode::kCancelled);
    case Failure::kOutOfMemory:
      return Fail(ErrorCode::kOutOfMemory, {}, "a workspace");
    case Failure::kNone:
      break;
  }
  return {};
}

bool CpuBackend::Idle() {
  if (failure_ == Failure::kNone && stop_.stop_requested()) failure_ = Failure::kCancelled;
  return failure_ != Failure::kNone;
}

bool CpuBackend::OutOfMemory() {
  if (scratch_.failed()) failure_ = Failure::kOutOfMemory;
  return scratch_.failed();
}

bool CpuBackend::ReserveWorkers(std::int64_t bytes) {
  worker_memory_.resize(static_cast<std::size_t>(pool_.threads()));
  for (Buffer& buffer : worker_memory_) {
    if (buffer.bytes >= bytes) continue;
    buffer = {};
    Result<Buffer> larger = AllocateHostMemory(bytes);
    if (!larger) {
      failure_ = Failure::kOutOfMemory;
      return false;
    }
    buffer = std::move(*larger);
  }
  return true;
}

void CpuBackend::Embed(const Tensor& table, float scale, const Tensor& out) {
  PALUKU_CHECK(out.rows() == batch_.rows() && out.columns() == table.columns());
  if (Idle()) return;
  RunRanges(batch_.rows(), kActivationRows, [&](std::int64_t first, std::int64_t last, int) {
    for (std::int64_t r = first; r < last; ++r) {
      const std::int32_t token = batch_.tokens[static_cast<std::size_t>(r)];
      PALUKU_CHECK(token >= 0 && token < table.dim(0));
      float* row = out.f32() + r * out.columns();
      Info(table.dtype).dequantise(table.data + token * table.row_bytes(), row, out.columns());
      if (scale == 1) continue;
      for (std::int64_t i = 0; i < out.columns(); ++i) row[i] *= scale;
    }
  });
}

void CpuBackend::RmsNorm(const Tensor& x, const Tensor& weight, float epsilon, const Tensor& out) {
  PALUKU_CHECK(x.columns() == weight.columns() && out.rows() == x.rows());
  if (Idle()) return;
  const std::int64_t n = x.columns();
  RunRanges(x.rows(), kActivationRows, [&](std::int64_t first, std::int64_t last, int) {
    for (std::int64_t r = first; r < last; ++r) {
      kernels_.rms_norm(x.f32() + r * n, weight.f32(), epsilon, n, out.f32() + r * n);
    }
  });
}

void CpuBackend::AddRmsNorm(const Tensor& x, const Tensor& delta, const Tensor& weight,
                            float epsilon, const Tensor& out) {
  PALUKU_CHECK(x.columns() == weight.columns() && out.rows() == x.rows() &&
               delta.rows() == x.rows());
  if (Idle()) return;
  const std::int64_t n = x.columns();
  RunRanges(x.rows(), kActivationRows, [&](std::int64_t first, std::int64_t last, int) {
    for (std::int64_t r = first; r < last; ++r) {
      kernels_.add(x.f32() + r * n, delta.f32() + r * n, n);
      kernels_.rms_norm(x.f32() + r * n, weight.f32(), epsilon, n, out.f32() + r * n);
    }
  });
}

const float* CpuBackend::RopeTable(const RopeParams& params) {
  const std::size_t pairs = params.inverse_frequency.size();
  if (rope_table_source_ == params.inverse_frequency.data()) return rope_table_.data();
  rope_table_.resize(batch_.positions.size() * pairs * 2);
  float* out = rope_table_.data();
  for (const std::int32_t position : batch_.positions) {
    for (const float frequency : params.inverse_frequency) {
      // In double: an angle of 160,000 radians has no exact digits left in f32.
      const double angle = static_cast<double>(position) * static_cast<double>(frequency);
      *out++ = static_cast<float>(std::cos(angle));
      *out++ = static_cast<float>(std::sin(angle));
    }
  }
  rope_table_source_ = params.inverse_frequency.data();
  return rope_table_.data();
}

void CpuBackend::RotateQueries(const LatentAppendParams& params, const float* table) {
  const int rope = pages_.rope, width = params.nope + rope;
  PALUKU_CHECK(params.q.columns() == static_cast<std::int64_t>(params.heads) * width);
  RunRanges(params.q.rows(), kActivationRows, [&](std::int64_t first, std::int64_t last, int) {
    for (std::int64_t r = first; r < last; ++r) {
      for (int h = 0; h < params.heads; ++h) {
        RotateRow(params.q.f32() + r * params.q.columns() + h * width + params.nope, rope,
                  params.rope.interleaved, table + r * rope);
      }
    }
  });
}

void CpuBackend::LatentAppend(const LatentAppendParams& params) {
  const int latent = pages_.latent, rope = pages_.rope, width = latent + rope;
  PALUKU_CHECK(params.kv.columns() == width && params.norm.columns() == latent &&
               static_cast<int>(params.rope.inverse_frequency.size()) * 2 == rope);
  if (Idle()) return;
  const float* table = RopeTable(params.rope);
  if (!ReserveWorkers(width * 4)) return;
  if (params.q) RotateQueries(params, table);
  for (const StepSequence& sequence : batch_.sequences) {
    RunRanges(
        sequence.rows, kActivationRows, [&](std::int64_t first, std::int64_t last, int worker) {
          auto* row = reinterpret_cast<float*>(WorkerMemory(worker));
          for (std::int64_t i = first; i < last; ++i) {
            const std::int64_t r = sequence.first_row + i;
            const float* kv = params.kv.f32() + r * width;
            kernels_.rms_norm(kv, params.norm.f32(), params.epsilon, latent, row);
            std::memcpy(row + latent, kv + latent, static_cast<std::size_t>(rope) * sizeof(float));
            RotateRow(row + latent, rope, params.rope.interleaved, table + r * rope);
            StoreLatentRow(
                pages_, row,
                pages_.Row(sequence.page_table.data(), params.layer, sequence.cached + i));
          }
        });
  }
}

void CpuBackend::GatherRows(const Tensor& x, const Tensor& out) {
  PALUKU_CHECK(out.columns() == x.columns() &&
               out.rows() == static_cast<std::int64_t>(batch_.output_rows.size()));
  if (Idle()) return;
  const std::int64_t n = x.columns();
  for (std::size_t i = 0; i < batch_.output_rows.size(); ++i) {
    std::memcpy(out.f32() + static_cast<std::int64_t>(i) * n, x.f32() + batch_.output_rows[i] * n,
                static_cast<std::size_t>(n) * sizeof(float));
  }
}

void CpuBackend::Sample(const Tensor& logits, const SamplingParams& params,
                        std::span<const std::int32_t> history, std::uint64_t position,
                        const Tensor& out) {
  if (Idle()) return;
  const std::span<const float> row(logits.f32(), static_cast<std::size_t>(logits.columns()));
  *out.i32() = sampler_.Choose(row, params, history, position);
}

}  // namespace paluku
