// Texts that both sides of the kill test can compute: what was written must be what is found.
#pragma once

#include <string>

namespace paluku {

inline std::string UserText(int number) { return "question " + std::to_string(number) + " తెలుగు"; }

// The first `length` bytes of an endless text that differs from reply to reply.
inline std::string ReplyText(const std::string& id, int length) {
  std::string text;
  while (text.size() < static_cast<std::size_t>(length)) text += id + " ";
  text.resize(static_cast<std::size_t>(length));
  return text;
}

}  // namespace paluku
