// HostExperts: routed experts whose weights stay in the memory of the host. The processor computes
// them between two events of the card's stream, while the card goes on with what does not wait for
// them (the shared experts).
//
// A layer is three pieces of work on a stream of its own: x, ids and weights of the rows to pinned
// memory, a call into the program's CPU backend (on a thread of the CUDA runtime), the sums back to
// the card. All three can be recorded. Used by the engine's thread; the call itself touches only
// what belongs to its layer, and layers follow one another.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "engine/backend/cuda/device.h"
#include "engine/backend/cuda/plugin_api.h"
#include "engine/backend/cuda/recordings.h"

namespace paluku::cuda {

class HostExperts {
 public:
  HostExperts(Device& device, Recordings& recordings, const CudaHost& host)
      : device_(device), recordings_(recordings), host_(host) {}
  ~HostExperts();
  HostExperts(const HostExperts&) = delete;
  HostExperts& operator=(const HostExperts&) = delete;

  // A step begins; the work of its layers ends early after a request to stop.
  void Begin(std::stop_token stop);
  // Hands the rows of a layer over; the shared experts of `p` are not looked at. Between the two
  // calls the card may be given other work.
  void Start(const MoeFfnParams& p);
  // The card's stream waits for the sums of Start(). [rows, hidden], in memory of the card until
  // the next Start(); nullptr after a failure.
  const float* Await();
  // 1.0, `rows` times, in memory of the card.
  const float* ones() const { return ones_; }
  // The first error of the calls since the last time, once the card's stream has been waited for.
  // No call is under way afterwards.
  std::optional<Error> TakeError();

 private:
  // What one call needs; recordings hold its address.
  struct Job {
    HostExperts* owner = nullptr;
    SwiGluWeights routed;
    int rows = 0;
    int hidden = 0;
    int chosen = 0;
  };
  static void Run(void* job);
  void Compute(const Job& job);
  Job* JobFor(const MoeFfnParams& p);
  // Room for the rows of `p`; false after a failure.
  bool Reserve(const MoeFfnParams& p);
  bool Prepare();
  void Forget();

  Device& device_;
  Recordings& recordings_;
  CudaHost host_;
  std::unique_ptr<Backend> processor_;
  std::stop_token stop_;
  // Held by a call: after a failure of the card the stream no longer waits for the one under way.
  std::mutex working_;
  std::optional<Error> error_;  // of a call
  bool busy_ = false;           // calls may be on their way

  cudaStream_t stream_ = nullptr;
  cudaEvent_t given_ = nullptr;
  cudaEvent_t taken_ = nullptr;
  Buffer pinned_;
  Buffer card_;
  std::int64_t slots_room_ = 0;   // rows * chosen
  std::int64_t values_room_ = 0;  // rows * hidden
  std::int64_t rows_room_ = 0;
  float* x_ = nullptr;           // pinned [rows, hidden]
  float* sums_ = nullptr;        // pinned [rows, hidden]
  std::int32_t* ids_ = nullptr;  // pinned [rows, chosen]
  float* weights_ = nullptr;     // pinned [rows, chosen]
  float* card_sums_ = nullptr;   // [rows, hidden]
  const float* ones_ = nullptr;  // [rows]
  std::vector<std::unique_ptr<Job>> jobs_;
};

}  // namespace paluku::cuda
