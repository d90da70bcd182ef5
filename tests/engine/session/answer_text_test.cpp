// What a sink is told of the tokens of an answer.
#include "engine/session/answer_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>

#include "engine/base/utf8.h"
#include "tests/engine/loader/tiny_model.h"
#include "tests/engine/session/recording_sink.h"

namespace paluku::test {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::Truly;

class AnswerTextTest : public testing::Test {
 protected:
  AnswerTextTest() {
    const auto file = ModelFile::Open(MakeTinyModel().Write("answer.gguf")).value();
    tokenizer_ = Tokenizer::Create(VocabularyFromGguf(*file).value()).value();
    template_ = ChatTemplate::Create(*tokenizer_).value();
  }
  void Push(AnswerText& text, std::string_view bytes) {
    for (const std::int32_t id : tokenizer_->Encode(bytes, SpecialTokens::kParse)) {
      text.Push(id, ++tokens_);
    }
  }
  AnswerText Make(std::vector<std::int32_t> prompt) {
    return AnswerText(*tokenizer_, template_.get(), prompt, sink_);
  }

  std::shared_ptr<const Tokenizer> tokenizer_;
  std::shared_ptr<const ChatTemplate> template_;
  RecordingSink sink_;
  int tokens_ = 0;
};

TEST_F(AnswerTextTest, ReasoningIsToldApart) {
  AnswerText text = Make({kTinyBos, kTinyUser, 'a', kTinyAssistant});
  Push(text, "<think>why</think>because");
  text.Finish();
  EXPECT_EQ(sink_.reasoning, "why");
  EXPECT_EQ(sink_.answer, "because");
}

TEST_F(AnswerTextTest, ATemplateMayOpenTheReasoning) {
  AnswerText text = Make({kTinyBos, kTinyUser, 'a', kTinyAssistant, kTinyThinkOpen, 10});
  Push(text, "hm</think>yes");
  text.Finish();
  EXPECT_EQ(sink_.reasoning, "hm");
  EXPECT_EQ(sink_.answer, "yes");
}

TEST_F(AnswerTextTest, AUserWhoWritesTheMarkOpensNothing) {
  AnswerText text = Make({kTinyBos, kTinyUser, kTinyThinkOpen, kTinyAssistant});
  Push(text, "yes");
  text.Finish();
  EXPECT_EQ(sink_.answer, "yes");
}

TEST_F(AnswerTextTest, BytesBecomeWholeCharactersAndMarksAreNotShown) {
  AnswerText text = Make({kTinyBos});
  Push(text, "శుభోదయం 👍");
  text.Push(kTinyUser, ++tokens_);
  text.Push(kTinyVocabulary + 5, ++tokens_);  // a row of the embedding without a token
  text.Finish();
  EXPECT_EQ(sink_.answer, "శుభోదయం 👍");
  EXPECT_THAT(sink_.pieces, Each(Truly([](const std::string& s) { return IsValidUtf8(s); })));
}

TEST_F(AnswerTextTest, AHeldBackClusterIsToldThoughNoTokenFollows) {
  std::promise<void> told;
  AnswerText text = Make({kTinyBos});
  Push(text, "క");
  sink_.on_text = [&told](int) { told.set_value(); };
  Push(text, "్");  // a virama: the next consonant may change its shape
  ASSERT_EQ(told.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
  sink_.on_text = {};
  text.Finish();
  EXPECT_EQ(sink_.answer, "క్");
}

TEST_F(AnswerTextTest, AClusterThatIsCompletedIsToldOnce) {
  AnswerText text = Make({kTinyBos});
  for (int i = 0; i < 50; ++i) Push(text, "క్ష");
  text.Finish();
  std::string expected;
  for (int i = 0; i < 50; ++i) expected += "క్ష";
  EXPECT_EQ(sink_.answer, expected);
}

}  // namespace
}  // namespace paluku::test
