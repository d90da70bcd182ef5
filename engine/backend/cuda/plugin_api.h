// The C entry point of libpaluku_cuda.so, seen from both sides.
//
// The library is a separate file so that one program runs with and without an NVIDIA driver. It
// gets what it needs of the host (its log, its CPU backend) through CudaHost and answers with a
// Backend, an ordinary C++ object; that is safe only between two halves of one build, so it refuses
// another build's id.
#pragma once

namespace paluku {

class Backend;

struct CudaHost {
  const char* build_id;
  // engine/base/log.h of the host; level as LogLevel.
  void (*log)(int level, const char* message);
  // The backend that computes experts which stay in the host's memory; owned by the caller; nullptr
  // when there is none. `threads` as in BackendOptions.
  Backend* (*make_processor)(int threads) = nullptr;
  int threads = 0;
};

struct CudaAnswer {
  Backend* backend;  // owned by the caller; nullptr: no CUDA
  char reason[256];  // why not, in words
};

inline constexpr char kCudaEntryName[] = "paluku_cuda_open";
using CudaEntry = void (*)(const CudaHost* host, CudaAnswer* answer);

}  // namespace paluku
