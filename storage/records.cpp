#include "storage/records.h"

namespace paluku {

std::string_view RoleName(MessageRole role) {
  switch (role) {
    case MessageRole::kUser:
      return "user";
    case MessageRole::kAssistant:
      return "assistant";
    case MessageRole::kSystem:
      return "system";
  }
  return "";
}

std::string_view StateName(MessageState state) {
  switch (state) {
    case MessageState::kComplete:
      return "complete";
    case MessageState::kStreaming:
      return "streaming";
    case MessageState::kStopped:
      return "stopped";
    case MessageState::kFailed:
      return "failed";
    case MessageState::kInterrupted:
      return "interrupted";
    case MessageState::kLength:
      return "length";
  }
  return "";
}

}  // namespace paluku
