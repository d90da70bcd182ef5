// Streams, events, graphs: when the work that a program has queued runs.
//
// By default work runs as late as legal: only when somebody waits for it, and only what that needs.
// So a missing wait shows in the values. Work carries sequence numbers; a dependency is "stream S
// up to number N". The legacy default stream waits for all blocking streams and they for it. All
// functions are called with the API lock held.
#pragma once

#include <driver_types.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace paluku::emulator {

struct Stream;

// One step of a graph, or of a stream.
struct Work {
  enum class Kind { kKernel, kCopy, kFill, kHost, kAllocation, kMark };
  Kind kind = Kind::kMark;
  std::function<void()> run;
};

struct Dependency {
  Stream* stream;
  std::uint64_t up_to;
};

// What is being recorded between cudaStreamBeginCapture and cudaStreamEndCapture.
struct Capture {
  Stream* origin = nullptr;
  std::vector<Stream*> streams;
  std::vector<Work> work;
  bool broken = false;  // a call that cannot be captured was made
};

struct Stream {
  struct Item {
    std::uint64_t number;
    std::vector<Dependency> after;
    Work work;
  };
  std::deque<Item> items;
  std::uint64_t last = 0;  // number of the newest item ever queued
  bool blocking = true;    // takes part in the rules of the legacy default stream
  int priority = 0;
  std::vector<Dependency> next_after;  // from cudaStreamWaitEvent, for the next item
  std::shared_ptr<Capture> capture;
};

struct Event {
  Stream* stream = nullptr;  // of the last record; null before
  std::uint64_t number = 0;
  std::shared_ptr<Capture> capture;  // recorded inside it
  bool timing = true;
};

struct Graph {
  std::vector<Work> work;
};

class Streams {
 public:
  static Streams& Get();

  Stream* Default() { return &legacy_; }
  Stream* Create(bool blocking, int priority);
  void Destroy(Stream* stream);
  bool Exists(const Stream* stream) const;

  // Queues, or records when the stream is being captured.
  void Enqueue(Stream* stream, Work work);
  void Record(Event& event, Stream* stream);
  void Wait(Stream* stream, const Event& event);
  // Runs everything up to item `number` of the stream, and what it depends on.
  void Advance(Stream* stream, std::uint64_t number);
  void Drain(Stream* stream) { Advance(stream, stream->last); }
  void DrainAll();
  bool Done(const Event& event) const;

  void BeginCapture(Stream* stream);
  // Null when the capture is broken or other streams have not come back.
  std::unique_ptr<Graph> EndCapture(Stream* stream);
  bool Capturing() const { return captures_ > 0; }
  // Work still queued is dropped (the device is lost, or was reset).
  void Clear();

 private:
  void AfterEnqueue(Stream* stream);

  Stream legacy_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::uint64_t next_ = 0;
  int captures_ = 0;
};

}  // namespace paluku::emulator
