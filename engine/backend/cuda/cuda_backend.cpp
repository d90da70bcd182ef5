#include "engine/backend/cuda/cuda_backend.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "engine/backend/cuda/kernels/norm.h"
#include "engine/backend/cuda/weight_layout.h"
#include "engine/base/check.h"

namespace paluku::cuda {
Result<std::unique_ptr<CudaBackend>> CudaBackend::Create(const CudaHost& host) {
  PALUKU_ASSIGN_OR_RETURN(Device device, Device::Open());
  return std::unique_ptr<CudaBackend>(new CudaBackend(std::move(device), host));
}

CudaBackend::CudaBackend(Device device, const CudaHost& host)
    : device_(std::move(device)),
      step_(device_),
      recordings_(device_),
      scratch_(device_, recordings_),
      host_experts_(device_, recordings_, host),
      sender_(device_, host.threads),
      expert_stream_(device_, sender_, host),
      dense_library_(device_, recordings_, host),
      rounded_(device_, recordings_) {
  for (cudaEvent_t& event : pace_) {
    device_.Check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "making an event");
  }
}

CudaBackend::~CudaBackend() {
  cudaStreamSynchronize(device_.stream());
  for (cudaEvent_t event : pace_) cudaEventDestroy(event);
}

// --- memory -----------------------------------------------------------------------------------

Result<Buffer> CudaBackend::Allocate(std::int64_t bytes) { return device_.Allocate(bytes); }

Result<Tensor> CudaBackend::PrepareWeight(const Tensor& host, std::vector<Buffer>& owners,
                                          const std::stop_token& stop) {
  const auto layout = LayoutOf(host.dtype, host.rows(), host.columns());
  if (!layout) {
    return Fail(ErrorCode::kUnsupportedTensorType, {}, std::string(Info(host.dtype).name));
  }
  PALUKU_ASSIGN_OR_RETURN(Buffer card, device_.Allocate(layout->bytes));
  if (!sender_.Send(host, *layout, card.data.get(), device_.stream(), stop)) {
    // What is still on its way must not reach memory that is given back.
    PALUKU_TRY(device_.Synchronise());
    return Fail(ErrorCode::kCancelled);
  }
  Tensor weight = host;
  weight.slab_stride = 0;
  weight.data = card.data.get();
  owners.push_back(std::move(card));
  return weight;
}

void CudaBackend::Upload(std::span<const std::byte> from, std::byte* to) {
  if (device_.failed() || from.empty()) return;
  device_.Check(
      cudaMemcpyAsync(to, from.data(), from.size(), cudaMemcpyHostToDevice, device_.stream()),
      "copying to the card");
  device_.Check(cudaStreamSynchronize(device_.stream()), "copying to the card");
  rounded_of_ = {};
}

void CudaBackend::Download(const std::byte* from, std::span<std::byte> to) {
  if (device_.failed() || to.empty()) return;
  device_.Check(
      cudaMemcpyAsync(to.data(), from, to.size(), cudaMemcpyDeviceToHost, device_.stream()),
      "copying from the card");
  device_.Check(cudaStreamSynchronize(device_.stream()), "copying from the card");
}

void CudaBackend::Copy(const std::byte* from, std::byte* to, std::int64_t bytes) {
  if (device_.failed() || bytes == 0) return;
  device_.Check(cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), cudaMemcpyDeviceToDevice,
                                device_.stream()),
                "copying on the card");
  rounded_of_ = {};
}

// --- a step -----------------------------------------------------------------------------------

void CudaBackend::RunStep(std::int64_t bucket, const StepBatch& batch, const LatentPages& pages,
                          std::stop_token stop, const std::function<void()>& body) {
  PALUKU_CHECK(pass_ == Pass::kNone && batch.rows() > 0);
  batch_ = batch;
  pages_ = pages;
  stop_ = std::move(stop);
  host_experts_.Begin(stop_);
  std::int64_t tokens = 1;
  for (const StepSequence& sequence : batch.sequences) {
    tokens = std::max<std::int64_t>(tokens, sequence.cached + sequence.rows);
  }
  tokens_bound_ = static_cast<int>(std::bit_ceil(static_cast<std::uint64_t>(tokens)));
  if (step_.Fill(batch)) recordings_.Clear();

  fingerprint_ = {};
  for (const std::int64_t value :
       {bucket, std::int64_t{batch.rows()}, static_cast<std::int64_t>(batch.output_rows.size()),
        std::int64_t{tokens_bound_}, static_cast<std::int64_t>(pages.type),
        std::int64_t{pages.layers}, std::int64_t{pages.latent}, std::int64_t{pages.rope},
        std::int64_t{pages.index}}) {
    fingerprint_.Add(value);
  }
  fingerprint_.Add(static_cast<const void*>(pages.data));
  pass_ = Pass::kFingerprint;
  body();
  step_.Upload();
  rounded_of_ = {};
  if (!Stopped()) {
    if (batch.rows() <= kMaxColumns) {
      recordings_.Run(fingerprint_.value(), [&] { return LaunchAll(body); });
    } else {
      LaunchAll(body);
    }
  }
  pass_ = Pass::kNone;
}

bool CudaBackend::LaunchAll(const std::function<void()>& body) {
  pass_ = Pass::kLaunch;
  attentions_ = 0;
  rounded_of_ = {};
  body();
  return !Stopped();
}

// A long step is launched much faster than it runs: the host stays at most two layers ahead, so
// that a request to stop takes effect soon.
void CudaBackend::KeepPace() {
  if (batch_.rows() <= kMaxColumns) return;
  cudaEvent_t event = pace_[attentions_ % kPaceEvents];
  if (attentions_ >= kPaceEvents) device_.Check(cudaEventSynchronize(event), "keeping pace");
  device_.Check(cudaEventRecord(event, device_.stream()), "keeping pace");
  ++attentions_;
}

bool CudaBackend::Stopped() {
  cancelled_ = cancelled_ || stop_.stop_requested();
  return cancelled_ || device_.failed();
}

Status CudaBackend::Synchronise() {
  const Status done = device_.Synchronise();
  std::optional<Error> of_processor = host_experts_.TakeError();
  if (!done) return done;
  const bool cancelled = std::exchange(cancelled_, false);
  if (of_processor) return tl::unexpected(std::move(*of_processor));
  if (!cancelled) return {};
  return Fail(ErrorCode::kCancelled);
}

// --- activations ------------------------------------------------------------------------------

QuantisedRows CudaBackend::RoomForRounded(const Tensor& x) {
  rounded_of_ = {};
  rounded_rows_ = {};
  if (x.columns() % kGroup != 0) return {};
  Scratch::Plan plan;
  const std::int64_t values = plan.Add<std::int8_t>(x.elements());
  const std::int64_t groups = plan.Add<QuantisedGroup>(x.elements() / kGroup);
  std::byte* room = rounded_.Reserve(plan);
  if (room == nullptr) return {};
  rounded_of_ = x;
  rounded_rows_ = {.values = reinterpret_cast<std::int8_t*>(room + values),
                   .groups = reinterpret_cast<QuantisedGroup*>(room + groups)};
  return rounded_rows_;
}

Columns CudaBackend::ColumnsOf(const Tensor& x, bool integers) {
  if (!integers) return {.values = x.f32(), .quantised = {}};
  const bool known = rounded_of_.data == x.data && rounded_of_.shape == x.shape;
  if (!known) {
    const QuantisedRows room = RoomForRounded(x);
    PALUKU_CHECK(room.values != nullptr || device_.failed());
    if (device_.failed()) return {};
    LaunchQuantise(x.f32(), static_cast<int>(x.dim(0)), static_cast<int>(x.columns()), room,
                   device_.stream());
  }
  return {.values = x.f32(), .quantised = rounded_rows_};
}

void CudaBackend::Overwritten(const Tensor& tensor) {
  if (rounded_of_.data == tensor.data) rounded_of_ = {};
}

const float* CudaBackend::FrequenciesOf(const RopeParams& params) {
  for (const Frequencies& known : frequencies_) {
    if (std::equal(known.host.begin(), known.host.end(), params.inverse_frequency.begin(),
                   params.inverse_frequency.end())) {
      return reinterpret_cast<const float*>(known.card.data.get());
    }
  }
  Frequencies fresh;
  fresh.host.assign(params.inverse_frequency.begin(), params.inverse_frequency.end());
  const auto bytes = std::as_bytes(std::span(fresh.host));
  auto card = device_.Allocate(static_cast<std::int64_t>(bytes.size()));
  if (!card) {
    device_.Remember(card.error());
    return nullptr;
  }
  fresh.card = std::move(*card);
  Upload(bytes, fresh.card.data.get());
  frequencies_.push_back(std::move(fresh));
  return reinterpret_cast<const float*>(frequencies_.back().card.data.get());
}

CacheView CudaBackend::CacheOf(int layer) const {
  return {.pages = pages_, .layer = layer, .rows = step_.rows()};
}

}  // namespace paluku::cuda
