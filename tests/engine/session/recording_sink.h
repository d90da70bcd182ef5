// A sink that remembers what it was told and may act on it.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/session/events.h"

namespace paluku::test {

struct RecordingSink : EventSink {
  void OnPrefill(int done, int total) override {
    prefill.emplace_back(done, total);
    if (on_prefill) on_prefill(done);
  }
  void OnText(std::string_view text, bool is_reasoning, int tokens) override {
    (is_reasoning ? reasoning : answer) += text;
    pieces.emplace_back(text);
    if (on_text) on_text(tokens);
  }

  std::vector<std::pair<int, int>> prefill;
  std::vector<std::string> pieces;
  std::string answer;
  std::string reasoning;
  std::function<void(int done)> on_prefill;
  std::function<void(int tokens)> on_text;
};

}  // namespace paluku::test
