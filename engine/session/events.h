// What the engine tells while it works. The sink's methods are called one at a time, before the
// verb that was given the sink returns, on the engine's thread or (text that waited too long) on a
// helper of it; they must return at once: the engine never waits for an interface or a disk.
#pragma once

#include <cstdint>
#include <string_view>

namespace paluku {

enum class StopReason : std::uint8_t {
  kEndOfTurn,    // the model ended by itself
  kTokenLimit,   // max_tokens of the request
  kContextFull,  // the latent cache has no room for another token
  kCancelled,    // the request's stop token
};

struct GenerationStats {
  int prompt_tokens = 0;
  int reused_tokens = 0;  // of them already in the latent cache
  int generated_tokens = 0;
  double prefill_seconds = 0;
  double decode_seconds = 0;
  double first_token_seconds = 0;  // from the request to the first token
};

class EventSink {
 public:
  virtual ~EventSink() = default;
  // `done` of `total` prompt tokens are in the cache. At least once per chunk.
  virtual void OnPrefill(int done, int total) = 0;
  // Whole characters of the answer, or of the reasoning before it; never half a cluster. `tokens`:
  // generated so far.
  virtual void OnText(std::string_view text, bool reasoning, int tokens) = 0;
};

}  // namespace paluku
