// The CUDA runtime: streams, events, graphs.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <memory>

#include "tests/support/cuda_emulator/api_state.h"

#pragma GCC visibility push(default)

using namespace paluku::emulator;  // this file is nothing but the outside of that namespace

namespace {

Event* ToEvent(cudaEvent_t event) { return reinterpret_cast<Event*>(event); }
Graph* ToGraph(cudaGraph_t graph) { return reinterpret_cast<Graph*>(graph); }
Graph* ToGraph(cudaGraphExec_t graph) { return reinterpret_cast<Graph*>(graph); }

// The stream a handle names, or null.
Stream* Known(cudaStream_t handle) {
  Stream* stream = ToStream(handle);
  return Streams::Get().Exists(stream) ? stream : nullptr;
}

}  // namespace

extern "C" {

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int priority) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  *stream = reinterpret_cast<cudaStream_t>(
      Streams::Get().Create((flags & cudaStreamNonBlocking) == 0, priority));
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  return cudaStreamCreateWithPriority(stream, flags, 0);
}

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return cudaStreamCreateWithPriority(stream, cudaStreamDefault, 0);
}

cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  const ApiLock lock;
  Stream* stream = Known(handle);
  if (stream == nullptr || stream == Streams::Get().Default())
    return Remember(cudaErrorInvalidResourceHandle);
  Streams::Get().Destroy(stream);
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  Stream* stream = Known(handle);
  if (stream == nullptr) return Remember(cudaErrorInvalidResourceHandle);
  if (stream->capture != nullptr) {
    stream->capture->broken = true;
    return Remember(cudaErrorStreamCaptureUnsupported);
  }
  Streams::Get().Drain(stream);
  return Remember(Broken());
}

cudaError_t cudaStreamQuery(cudaStream_t handle) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  Stream* stream = Known(handle);
  if (stream == nullptr) return Remember(cudaErrorInvalidResourceHandle);
  // Whoever asks again and again must get on: each question lets one item run.
  if (stream->items.empty()) return cudaSuccess;
  Streams::Get().Advance(stream, stream->items.front().number);
  return stream->items.empty() ? Remember(Broken()) : cudaErrorNotReady;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  Stream* stream = Known(handle);
  if (stream == nullptr || event == nullptr) return Remember(cudaErrorInvalidResourceHandle);
  Streams::Get().Wait(stream, *ToEvent(event));
  return cudaSuccess;
}

cudaError_t cudaStreamGetFlags(cudaStream_t handle, unsigned* flags) {
  const ApiLock lock;
  const Stream* stream = Known(handle);
  if (stream == nullptr) return Remember(cudaErrorInvalidResourceHandle);
  *flags = stream->blocking ? cudaStreamDefault : cudaStreamNonBlocking;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  *least = 0;
  *greatest = -5;
  return cudaSuccess;
}

cudaError_t cudaLaunchHostFunc(cudaStream_t handle, cudaHostFn_t function, void* data) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  EnqueueWork(handle, Work{Work::Kind::kHost, [=] { function(data); }});
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  auto fresh = std::make_unique<Event>();
  fresh->timing = (flags & cudaEventDisableTiming) == 0;
  *event = reinterpret_cast<cudaEvent_t>(fresh.release());
  return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return cudaEventCreateWithFlags(event, cudaEventDefault);
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const ApiLock lock;
  if (event == nullptr) return Remember(cudaErrorInvalidResourceHandle);
  delete ToEvent(event);
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t handle) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  Stream* stream = Known(handle);
  if (stream == nullptr || event == nullptr) return Remember(cudaErrorInvalidResourceHandle);
  Streams::Get().Record(*ToEvent(event), stream);
  return cudaSuccess;
}

cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned) {
  return cudaEventRecord(event, stream);
}

cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  const Event& event = *ToEvent(handle);
  if (event.capture != nullptr) return Remember(cudaErrorCapturedEvent);
  if (!Streams::Get().Done(event)) Streams::Get().Advance(event.stream, event.number);
  return Remember(Broken());
}

cudaError_t cudaEventQuery(cudaEvent_t handle) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  const Event& event = *ToEvent(handle);
  if (!Streams::Get().Done(event))
    Streams::Get().Advance(event.stream, event.stream->items.front().number);
  return Streams::Get().Done(event) ? Remember(Broken()) : cudaErrorNotReady;
}

// There is no time here: events are as far apart as their numbers, in microseconds. Good for tests
// of bookkeeping.
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  const Event& from = *ToEvent(start);
  const Event& to = *ToEvent(end);
  if (from.stream == nullptr || to.stream == nullptr || !from.timing || !to.timing) {
    return Remember(cudaErrorInvalidResourceHandle);
  }
  if (!Streams::Get().Done(from) || !Streams::Get().Done(to)) return Remember(cudaErrorNotReady);
  *milliseconds = (static_cast<float>(to.number) - static_cast<float>(from.number)) * 1e-3F;
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  Stream* stream = Known(handle);
  if (stream == nullptr) return Remember(cudaErrorInvalidResourceHandle);
  if (stream == Streams::Get().Default()) return Remember(cudaErrorStreamCaptureUnsupported);
  if (stream->capture != nullptr) return Remember(cudaErrorIllegalState);
  Streams::Get().BeginCapture(stream);
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
  const ApiLock lock;
  Stream* stream = Known(handle);
  *graph = nullptr;
  if (stream == nullptr || stream->capture == nullptr) return Remember(cudaErrorIllegalState);
  auto captured = Streams::Get().EndCapture(stream);
  if (captured == nullptr) return Remember(cudaErrorStreamCaptureInvalidated);
  *graph = reinterpret_cast<cudaGraph_t>(captured.release());
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* status) {
  const ApiLock lock;
  const Stream* stream = Known(handle);
  if (stream == nullptr) return Remember(cudaErrorInvalidResourceHandle);
  *status = stream->capture == nullptr ? cudaStreamCaptureStatusNone
            : stream->capture->broken  ? cudaStreamCaptureStatusInvalidated
                                       : cudaStreamCaptureStatusActive;
  return cudaSuccess;
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  *mode = cudaStreamCaptureModeRelaxed;
  return cudaSuccess;
}

cudaError_t cudaGraphCreate(cudaGraph_t* graph, unsigned) {
  const ApiLock lock;
  *graph = reinterpret_cast<cudaGraph_t>(new Graph);
  return cudaSuccess;
}

// Only the number of nodes; there are no handles of single nodes here.
cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* count) {
  const ApiLock lock;
  if (nodes != nullptr) return Remember(cudaErrorNotSupported);
  *count = ToGraph(graph)->work.size();
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  *executable = reinterpret_cast<cudaGraphExec_t>(new Graph(*ToGraph(graph)));
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t* executable, cudaGraph_t graph,
                                          unsigned long long flags) {
  return cudaGraphInstantiate(executable, graph, flags);
}

// The recorded steps may change their arguments, but neither their number nor their kinds.
cudaError_t cudaGraphExecUpdate(cudaGraphExec_t executable, cudaGraph_t graph,
                                cudaGraphExecUpdateResultInfo* result) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  Graph& old = *ToGraph(executable);
  const Graph& fresh = *ToGraph(graph);
  const bool same =
      std::equal(old.work.begin(), old.work.end(), fresh.work.begin(), fresh.work.end(),
                 [](const Work& a, const Work& b) { return a.kind == b.kind; });
  if (result != nullptr) {
    *result = {};
    result->result = same ? cudaGraphExecUpdateSuccess : cudaGraphExecUpdateErrorTopologyChanged;
  }
  if (!same) return Remember(cudaErrorGraphExecUpdateFailure);
  old = fresh;
  return cudaSuccess;
}

cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) {
  const ApiLock lock;
  return Usable();
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t handle) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  Stream* stream = Known(handle);
  if (stream == nullptr) return Remember(cudaErrorInvalidResourceHandle);
  // One item: the executable may be changed or destroyed while this launch waits.
  const auto work = std::make_shared<std::vector<Work>>(ToGraph(executable)->work);
  Streams::Get().Enqueue(stream, Work{Work::Kind::kMark, [work] {
                                        for (const Work& step : *work) step.run();
                                      }});
  return Remember(Broken());
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  const ApiLock lock;
  delete ToGraph(graph);
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  const ApiLock lock;
  delete ToGraph(executable);
  return cudaSuccess;
}
}
