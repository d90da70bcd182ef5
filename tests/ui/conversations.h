// What was said on the stage: conversations that show every kind of block, in both languages.
#pragma once

#include <string>
#include <vector>

#include "storage/records.h"

namespace paluku {

inline constexpr const char* kSampleModel = "DeepSeek-V2-Lite-Chat";

struct SampleTurn {
  std::string user;
  std::string reply;
  MessageState state = MessageState::kComplete;
};

struct SampleConversation {
  std::string title;
  int daysAgo = 0;
  std::vector<SampleTurn> turns;
};

// Oldest first.
const std::vector<SampleConversation>& sampleConversations();

}  // namespace paluku
