#include <gtest/gtest.h>

#include <thread>

#include "app/conversation/conversation_events.h"

namespace paluku {
namespace {

ReplyText Piece(const std::string& message, const std::string& text, int tokens) {
  return {.message = message,
          .text = text,
          .reasoning = {},
          .tokens = tokens,
          .context_tokens = 10 + tokens};
}

TEST(EventChannel, WakesOncePerDrain) {
  int wakes = 0;
  EventChannel channel([&] { ++wakes; });
  channel.Push(Piece("a", "x", 1));
  channel.Push(Piece("b", "y", 1));
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(channel.Drain().size(), 2u);
  EXPECT_TRUE(channel.Drain().empty());
  channel.Push(ModelUnloaded{});
  EXPECT_EQ(wakes, 2);
}

TEST(EventChannel, JoinsTextOfOneReplyOnly) {
  EventChannel channel([] {});
  channel.Push(Piece("a", "one ", 1));
  channel.Push(Piece("a", "two", 2));
  channel.Push(Piece("b", "three", 1));
  const std::vector<ConversationEvent> events = channel.Drain();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(std::get<ReplyText>(events[0]).text, "one two");
  EXPECT_EQ(std::get<ReplyText>(events[0]).tokens, 2);
  EXPECT_EQ(std::get<ReplyText>(events[0]).context_tokens, 12);
  EXPECT_EQ(std::get<ReplyText>(events[1]).text, "three");
}

TEST(EventChannel, KeepsTheNewestProgress) {
  EventChannel channel([] {});
  channel.Push(ModelLoading{"m", 1, 10});
  channel.Push(ModelLoading{"m", 7, 10});
  channel.Push(ModelUnloaded{});
  channel.Push(ModelLoading{"m", 9, 10});
  const std::vector<ConversationEvent> events = channel.Drain();
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(std::get<ModelLoading>(events[0]).done_bytes, 7);
}

TEST(EventChannel, LosesNothingBetweenThreads) {
  EventChannel channel([] {});
  constexpr int kPieces = 20'000;
  std::jthread writer([&] {
    for (int i = 1; i <= kPieces; ++i) channel.Push(Piece("a", "x", i));
  });
  std::size_t length = 0;
  while (length < kPieces) {
    for (const ConversationEvent& event : channel.Drain())
      length += std::get<ReplyText>(event).text.size();
  }
  EXPECT_EQ(length, static_cast<std::size_t>(kPieces));
}

}  // namespace
}  // namespace paluku
