#include "engine/backend/cuda/recordings.h"

namespace paluku::cuda {
namespace {

// More shapes of steps than a conversation has; beyond it all begin anew.
constexpr std::size_t kMostRecordings = 64;

}  // namespace

void Recordings::Run(std::uint64_t fingerprint, const std::function<bool()>& issue) {
  const auto found = graphs_.find(fingerprint);
  if (found == graphs_.end()) {
    if (graphs_.size() >= kMostRecordings) Clear();
    if (issue()) graphs_.emplace(fingerprint, nullptr);
    return;
  }
  if (found->second == nullptr) Record(fingerprint, issue);
  const auto recorded = graphs_.find(fingerprint);  // gone after a failure
  if (recorded == graphs_.end() || device_.failed()) return;
  device_.Check(cudaGraphLaunch(recorded->second, device_.stream()), "replaying a step");
}

void Recordings::Record(std::uint64_t fingerprint, const std::function<bool()>& issue) {
  graphs_.erase(fingerprint);
  const cudaStream_t stream = device_.stream();
  if (!device_.Check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal),
                     "recording a step")) {
    return;
  }
  const bool complete = issue();
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  if (!device_.Check(cudaStreamEndCapture(stream, &graph), "recording a step")) return;
  const bool made = complete && !device_.failed() &&
                    device_.Check(cudaGraphInstantiate(&executable, graph, 0), "a recording");
  cudaGraphDestroy(graph);
  if (made) graphs_.emplace(fingerprint, executable);
}

void Recordings::Clear() {
  for (const auto& [fingerprint, graph] : graphs_) {
    if (graph != nullptr) cudaGraphExecDestroy(graph);
  }
  graphs_.clear();
}

}  // namespace paluku::cuda
