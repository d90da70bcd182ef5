// Recordings: CUDA graphs of decode steps, by fingerprint.
//
// A step is issued directly the first time, recorded the second time and replayed from then on, so
// that a step that never comes back costs no recording.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <functional>
#include <unordered_map>

#include "engine/backend/cuda/device.h"

namespace paluku::cuda {

class Recordings {
 public:
  explicit Recordings(Device& device) : device_(device) {}
  ~Recordings() { Clear(); }
  Recordings(const Recordings&) = delete;
  Recordings& operator=(const Recordings&) = delete;

  // Runs the step: `issue` launches its kernels on the device's stream; it returns false when it
  // stopped half-way, and then nothing is kept.
  void Run(std::uint64_t fingerprint, const std::function<bool()>& issue);
  // Forgets all; after memory that kernels use has moved.
  void Clear();

 private:
  void Record(std::uint64_t fingerprint, const std::function<bool()>& issue);

  Device& device_;
  std::unordered_map<std::uint64_t, cudaGraphExec_t> graphs_;  // nullptr: seen once
};

}  // namespace paluku::cuda
