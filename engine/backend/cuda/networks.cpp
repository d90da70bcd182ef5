// Products and feed-forward networks. A few rows are multiplied weight by weight (mat_vec.h,
// experts.h); many rows by integer weights on tensor cores, the experts in groups (product.h,
// group.h), by float weights in f32 (float_product.h) or with cuBLAS (dense_library.h); networks of
// float weights in runs of a few.
#include <algorithm>
#include <functional>

#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/kernels/float_product.h"
#include "engine/backend/cuda/kernels/group.h"
#include "engine/backend/cuda/kernels/mat_vec.h"
#include "engine/backend/cuda/kernels/norm.h"
#include "engine/backend/cuda/kernels/product.h"
#include "engine/backend/cuda/weight_views.h"
#include "engine/base/check.h"

namespace paluku::cuda {
namespace {

Network NetworkOf(const SwiGluWeights& weights) {
  if (!weights.up) return {};
  return {.gate = weights.gate ? ViewOf(weights.gate) : WeightView{},
          .up = ViewOf(weights.up),
          .down = ViewOf(weights.down),
          .inner = static_cast<int>(weights.down.columns())};
}

bool WantsIntegers(const Network& network) {
  return network.inner > 0 && ((network.gate.low != nullptr && !IsFloat(network.gate.form)) ||
                               !IsFloat(network.up.form));
}

// Gated and of integers throughout: what the product on tensor cores serves.
bool IsIntegerSwiGlu(const Network& network) {
  return network.inner == 0 || (network.gate.low != nullptr && !IsFloat(network.gate.form) &&
                                !IsFloat(network.up.form) && !IsFloat(network.down.form));
}

// Columns from `first` on.
Columns From(const Columns& x, std::int64_t first, std::int64_t width) {
  Columns part;
  if (x.values != nullptr) part.values = x.values + first * width;
  if (x.quantised.values != nullptr) {
    part.quantised = {.values = x.quantised.values + first * width,
                      .groups = x.quantised.groups + first * (width / kGroup)};
  }
  return part;
}

// Places of the inner values of a network in the scratch memory.
struct InnerPlan {
  bool integers = false;
  std::int64_t values = 0, groups = 0;

  InnerPlan(Scratch::Plan& plan, const Network& network, std::int64_t rows)
      : integers(network.inner > 0 && !IsFloat(network.down.form)) {
    const std::int64_t count = rows * network.inner;
    values = integers ? plan.Add<std::int8_t>(count) : plan.Add<float>(count);
    groups = plan.Add<QuantisedGroup>(integers ? count / kGroup : 0);
  }
  InnerRows At(std::byte* room) const {
    if (!integers) return {.values = reinterpret_cast<float*>(room + values), .quantised = {}};
    return {.values = nullptr,
            .quantised = {.values = reinterpret_cast<std::int8_t*>(room + values),
                          .groups = reinterpret_cast<QuantisedGroup*>(room + groups)}};
  }
};

// Places of what a network of many rows needs.
struct ManyPlan {
  std::int64_t inner, values, groups, result;
  int rows;

  ManyPlan(Scratch::Plan& plan, const Network& network, int places, std::int64_t hidden)
      : rows(places) {
    const std::int64_t count = std::int64_t{places} * network.inner;
    inner = plan.Add<float>(count);
    values = plan.Add<std::int8_t>(count);
    groups = plan.Add<QuantisedGroup>(count / kGroup);
    result = plan.Add<float>(places * hidden);
  }
};

// The two products of a network: gate and up, and down.
enum class Part { kInner, kDown };
// Launches one of them with its weights; false when it was not launched, or not all of it.
using LaunchPart = std::function<bool(Part part, ProductArgs args)>;

// The network on `many.rows` places of x; result row by row, or slot by slot when there are groups;
// nullptr when `launch` has failed.
float* LaunchNetwork(int width, const QuantisedRows& x, int hidden, const ManyPlan& many,
                     const ExpertGroups& groups, int chosen, std::byte* room, cudaStream_t stream,
                     const LaunchPart& launch) {
  const bool grouped = groups.tiles != nullptr;
  auto* inner = reinterpret_cast<float*>(room + many.inner);
  auto* result = reinterpret_cast<float*>(room + many.result);
  const QuantisedRows rounded = {.values = reinterpret_cast<std::int8_t*>(room + many.values),
                                 .groups = reinterpret_cast<QuantisedGroup*>(room + many.groups)};
  ProductArgs args = {.weight = {},
                      .up = {},
                      .x = x,
                      .n = width,
                      .rows = many.rows,
                      .places = grouped ? Places::kGather : Places::kSame,
                      .chosen = chosen,
                      .groups = groups,
                      .out = inner};
  if (!launch(Part::kInner, args)) return nullptr;
  LaunchQuantise(inner, many.rows, width, rounded, stream);
  args.x = rounded;
  args.n = hidden;
  args.places = grouped ? Places::kScatter : Places::kSame;
  args.out = result;
  return launch(Part::kDown, args) ? result : nullptr;
}

// Weights that stay on the card.
LaunchPart WithResident(const Network& network, cudaStream_t stream) {
  return [&network, stream](Part part, ProductArgs args) {
    const bool down = part == Part::kDown;
    args.weight = down ? network.down : network.gate;
    args.up = down ? WeightView{} : network.up;
    LaunchProduct(args, stream);
    return true;
  };
}

// Weights that pass through the card, slice by slice.
LaunchPart WithPassing(const SwiGluWeights& weights, ExpertStream& experts,
                       const std::stop_token& stop, cudaStream_t stream) {
  return [&, stream](Part part, ProductArgs args) {
    const bool down = part == Part::kDown;
    const auto work = [&](const WeightView* views, int first, int count) {
      args.weight = views[0];
      args.up = down ? WeightView{} : views[1];
      args.first_expert = first;
      args.experts = count;
      LaunchProduct(args, stream);
    };
    return down ? experts.Pass({weights.down}, stop, work)
                : experts.Pass({weights.gate, weights.up}, stop, work);
  };
}

// The card has a form of integers for it.
bool IsOfIntegers(const Tensor& tensor) {
  const auto layout = LayoutOf(tensor.dtype, tensor.rows(), tensor.columns());
  return layout && !IsFloat(layout->form);
}

// The forms and the shape of experts in the host's memory, which nothing on the card reads.
Network ShapeOf(SwiGluWeights weights) {
  for (Tensor* tensor : {&weights.gate, &weights.up, &weights.down}) tensor->slab_stride = 0;
  return NetworkOf(weights);
}

}  // namespace

void CudaBackend::Multiply(const WeightView& weight, const Columns& x, int rows, float* out) {
  const bool done =
      !Stopped() && IsFloat(weight.form) && dense_library_.Multiply(weight, x.values, rows, out);
  if (!done) MultiplyByKernels(weight, x, rows, out);
}

void CudaBackend::MultiplyByKernels(const WeightView& weight, const Columns& x, int rows,
                                    float* out) {
  if (Stopped()) return;  // there may have been no memory for x
  if (rows <= kMaxColumns) {
    LaunchMatVec({.weight = weight, .out = out}, {}, x, rows, device_.stream());
  } else if (IsFloat(weight.form)) {
    LaunchFloatProduct(weight, x.values, rows, out, device_.stream());
  } else {
    LaunchProduct({.weight = weight,
                   .up = {},
                   .x = x.quantised,
                   .n = static_cast<int>(weight.rows),
                   .rows = rows,
                   .groups = {},
                   .out = out},
                  device_.stream());
  }
  Launched();
}

void CudaBackend::RunManyRows(const Tensor& x, const ExpertArgs& args, const Tensor& out,
                              const SwiGluWeights* passing) {
  const int rows = static_cast<int>(x.rows()), hidden = static_cast<int>(x.columns());
  const int slots = rows * args.chosen;
  const int experts = slots > 0 ? static_cast<int>(args.routed.down.rows / hidden) : 0;
  PALUKU_CHECK(experts <= kMaxGroupedExperts);
  const QuantisedRows rounded = ColumnsOf(x, true).quantised;
  Overwritten(out);
  Scratch::Plan plan;
  ExpertGroups groups;
  groups.tile = experts > 0 ? PlacesOfTile(slots, experts) : 0;
  groups.most_tiles = experts > 0 ? MostTiles(slots, experts, groups.tile) : 0;
  const std::int64_t order = plan.Add<std::int32_t>(slots);
  const std::int64_t tiles = plan.Add<ExpertTile>(groups.most_tiles);
  const ManyPlan routed(plan, args.routed, slots, hidden);
  const ManyPlan shared(plan, args.shared, args.shared.inner > 0 ? rows : 0, hidden);
  std::byte* room = scratch_.Reserve(plan);
  if (room == nullptr || device_.failed()) return;
  const cudaStream_t stream = device_.stream();
  AddSlotsArgs add = {.y = nullptr,
                      .weights = args.weights,
                      .shared = nullptr,
                      .rows = rows,
                      .chosen = args.chosen,
                      .n = hidden,
                      .out = out.f32()};
  if (slots > 0) {
    groups.order = reinterpret_cast<std::int32_t*>(room + order);
    groups.tiles = reinterpret_cast<ExpertTile*>(room + tiles);
    LaunchGroupExperts(args.ids, slots, experts, groups, stream);
    const LaunchPart launch = passing != nullptr
                                  ? WithPassing(*passing, expert_stream_, stop_, stream)
                                  : WithResident(args.routed, stream);
    add.y = LaunchNetwork(args.routed.inner, rounded, hidden, routed, groups, args.chosen, room,
                          stream, launch);
    if (add.y == nullptr) return;
  }
  if (args.shared.inner > 0) {
    add.shared = LaunchNetwork(args.shared.inner, rounded, hidden, shared, {}, 1, room, stream,
                               WithResident(args.shared, stream));
  }
  LaunchAddSlots(add, stream);
  Launched();
}

void CudaBackend::RunNetworks(const Tensor& x, ExpertArgs args, const Tensor& out) {
  if (x.rows() > kMaxColumns && IsIntegerSwiGlu(args.routed) && IsIntegerSwiGlu(args.shared)) {
    return RunManyRows(x, args, out, nullptr);
  }
  const int rows = static_cast<int>(x.rows());
  args.hidden = static_cast<int>(x.columns());
  const Columns all = ColumnsOf(x, WantsIntegers(args.routed) || WantsIntegers(args.shared));
  Overwritten(out);
  Scratch::Plan plan;
  const std::int64_t most = std::min(rows, kMaxColumns);
  const InnerPlan routed(plan, args.routed, most * args.chosen);
  const InnerPlan shared(plan, args.shared, most);
  std::byte* room = scratch_.Reserve(plan);
  if (room == nullptr || device_.failed()) return;
  args.routed_inner = routed.At(room);
  args.shared_inner = shared.At(room);
  const std::int32_t* ids = args.ids;
  const float* weights = args.weights;
  for (int first = 0; first < rows && !Stopped(); first += kMaxColumns) {
    args.rows = std::min(kMaxColumns, rows - first);
    args.x = From(all, first, args.hidden);
    if (ids != nullptr) args.ids = ids + first * args.chosen;
    if (weights != nullptr) args.weights = weights + first * args.chosen;
    args.out = out.f32() + std::int64_t{first} * args.hidden;
    LaunchExperts(args, device_.stream());
  }
  Launched();
}

// The processor has the routed experts; the card computes the shared ones meanwhile. Whatever
// happens in between, the stream waits for the processor: a recording must end where it began.
void CudaBackend::RunWithProcessor(const MoeFfnParams& p, const ExpertArgs& shared) {
  host_experts_.Start(p);
  if (p.shared.up) RunNetworks(p.x, shared, p.out);
  Overwritten(p.out);
  const float* routed = host_experts_.Await();
  if (routed == nullptr) return;
  LaunchAddSlots({.y = routed,
                  .weights = host_experts_.ones(),
                  .shared = p.shared.up ? p.out.f32() : nullptr,
                  .rows = static_cast<int>(p.x.rows()),
                  .chosen = 1,
                  .n = static_cast<int>(p.x.columns()),
                  .out = p.out.f32()},
                 device_.stream());
  Launched();
}

// Whether this step brings the routed experts of `p` to the card, with room made for them there.
bool CudaBackend::Passes(const MoeFfnParams& p) {
  return p.stream_rows > 0 && p.x.rows() >= p.stream_rows && p.x.rows() > kMaxColumns &&
         IsOfIntegers(p.routed.gate) && IsOfIntegers(p.routed.up) && IsOfIntegers(p.routed.down) &&
         IsIntegerSwiGlu(NetworkOf(p.shared)) && expert_stream_.Reserve(p.routed);
}

void CudaBackend::MoeFfn(const MoeFfnParams& p) {
  if (!Begin(Operation::kMoeFfn, p.x, p.ids, p.weights, p.routed, p.routed_on_processor, p.shared,
             p.out)) {
    return;
  }
  ExpertArgs args;
  args.shared = NetworkOf(p.shared);
  const bool passes = p.routed_on_processor && Passes(p);
  if (p.routed_on_processor && !passes) return RunWithProcessor(p, args);
  args.chosen = static_cast<int>(p.ids.columns());
  args.ids = p.ids.i32();
  args.weights = p.weights.f32();
  if (passes) {
    args.routed = ShapeOf(p.routed);
    return RunManyRows(p.x, args, p.out, &p.routed);
  }
  args.routed = NetworkOf(p.routed);
  RunNetworks(p.x, args, p.out);
}

void CudaBackend::SwiGluFfn(const Tensor& x, const SwiGluWeights& weights, const Tensor& out) {
  if (!Begin(Operation::kSwiGluFfn, x, weights, out)) return;
  ExpertArgs args;
  args.shared = NetworkOf(weights);
  RunNetworks(x, args, out);
}

void CudaBackend::ReluSquaredFfn(const Tensor& x, const Tensor& up, const Tensor& down,
                                 const Tensor& out) {
  if (!Begin(Operation::kReluSquaredFfn, x, up, down, out)) return;
  ExpertArgs args;
  args.shared = NetworkOf({.gate = {}, .up = up, .down = down});
  RunNetworks(x, args, out);
}

}  // namespace paluku::cuda
