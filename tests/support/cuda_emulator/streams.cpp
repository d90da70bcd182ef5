#include "tests/support/cuda_emulator/streams.h"

#include <algorithm>
#include <utility>

#include "tests/support/cuda_emulator/random.h"
#include "tests/support/cuda_emulator/settings.h"

namespace paluku::emulator {

Streams& Streams::Get() {
  static auto* streams = new Streams;
  return *streams;
}

Stream* Streams::Create(bool blocking, int priority) {
  streams_.push_back(std::make_unique<Stream>());
  streams_.back()->blocking = blocking;
  streams_.back()->priority = priority;
  return streams_.back().get();
}

bool Streams::Exists(const Stream* stream) const {
  return stream == &legacy_ || std::any_of(streams_.begin(), streams_.end(),
                                           [&](const auto& s) { return s.get() == stream; });
}

void Streams::Destroy(Stream* stream) {
  Drain(stream);
  // Others may still name it as a dependency; it is drained, so they may forget it.
  const auto forget = [&](Stream& other) {
    const auto names = [&](const Dependency& d) { return d.stream == stream; };
    std::erase_if(other.next_after, names);
    for (Stream::Item& item : other.items) std::erase_if(item.after, names);
  };
  forget(legacy_);
  for (const auto& other : streams_) forget(*other);
  std::erase_if(streams_, [&](const auto& s) { return s.get() == stream; });
}

void Streams::Enqueue(Stream* stream, Work work) {
  if (stream->capture != nullptr) {
    stream->capture->work.push_back(std::move(work));
    return;
  }
  Stream::Item item{++next_, std::exchange(stream->next_after, {}), std::move(work)};
  if (stream == &legacy_) {
    for (const auto& other : streams_) {
      if (other->blocking && other->capture == nullptr)
        item.after.push_back({other.get(), other->last});
    }
  } else if (stream->blocking) {
    item.after.push_back({&legacy_, legacy_.last});
  }
  stream->last = item.number;
  stream->items.push_back(std::move(item));
  AfterEnqueue(stream);
}

void Streams::AfterEnqueue(Stream* stream) {
  if (settings().streams == StreamOrder::kEager) {
    Drain(stream);
  } else if (settings().streams == StreamOrder::kRandom) {
    Random random(settings().seed + next_);
    const std::uint32_t pick = random.Below(static_cast<std::uint32_t>(streams_.size()) + 1);
    Stream* chosen = pick == streams_.size() ? &legacy_ : streams_[pick].get();
    if (!chosen->items.empty()) {
      const auto steps = random.Below(static_cast<std::uint32_t>(chosen->items.size()) + 1);
      if (steps > 0) Advance(chosen, chosen->items[steps - 1].number);
    }
  }
}

void Streams::Advance(Stream* stream, std::uint64_t number) {
  while (!stream->items.empty() && stream->items.front().number <= number) {
    // Dependencies have lower numbers, so this ends.
    const std::vector<Dependency> after = std::exchange(stream->items.front().after, {});
    for (const Dependency& dependency : after) Advance(dependency.stream, dependency.up_to);
    Work work = std::move(stream->items.front().work);
    stream->items.pop_front();
    if (work.run) work.run();
  }
}

void Streams::DrainAll() {
  Drain(&legacy_);
  for (std::size_t i = 0; i < streams_.size(); ++i) Drain(streams_[i].get());
}

void Streams::Record(Event& event, Stream* stream) {
  event.capture = stream->capture;
  if (stream->capture != nullptr) return;
  Enqueue(stream, Work{});
  event.stream = stream;
  event.number = stream->last;
}

void Streams::Wait(Stream* stream, const Event& event) {
  if (event.capture != nullptr) {
    // The waiting stream joins the capture; its work is recorded in the order of the calls.
    if (stream->capture == nullptr) {
      stream->capture = event.capture;
      event.capture->streams.push_back(stream);
    }
    return;
  }
  if (event.stream == nullptr || !Exists(event.stream)) return;
  if (stream->capture != nullptr) {
    stream->capture->broken = true;  // work from outside the capture cannot be waited for in it
    return;
  }
  stream->next_after.push_back({event.stream, event.number});
  Enqueue(stream, Work{});
}

bool Streams::Done(const Event& event) const {
  if (event.stream == nullptr || !Exists(event.stream)) return true;
  const auto& items = event.stream->items;
  return items.empty() || items.front().number > event.number;
}

void Streams::BeginCapture(Stream* stream) {
  stream->capture = std::make_shared<Capture>();
  stream->capture->origin = stream;
  ++captures_;
}

std::unique_ptr<Graph> Streams::EndCapture(Stream* stream) {
  const std::shared_ptr<Capture> capture = std::exchange(stream->capture, nullptr);
  --captures_;
  for (Stream* other : capture->streams) other->capture = nullptr;
  if (capture->broken || capture->origin != stream) return nullptr;
  auto graph = std::make_unique<Graph>();
  graph->work = std::move(capture->work);
  return graph;
}

void Streams::Clear() {
  const auto clear = [](Stream& stream) {
    stream.items.clear();
    stream.next_after.clear();
  };
  clear(legacy_);
  for (const auto& stream : streams_) clear(*stream);
}

}  // namespace paluku::emulator
