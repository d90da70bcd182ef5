// The real host over the real service, engine and starter model: what the window does, without it.
#include "app/hosts/service_host.h"

#include <gtest/gtest.h>

#include "app/app_controller.h"
#include "app/conversation/model_resolver.h"
#include "tests/app/app_test_util.h"

namespace paluku {
namespace {

const QString kStarter = QString::fromStdString(StarterModelPath());

class ServiceHostTest : public testing::Test {
 protected:
  ServiceHostTest() {
    const auto opened = host_.open(*storage_, {});
    EXPECT_TRUE(opened.has_value()) << opened.error().Message();
    controller_.attach(*storage_, host_, kStarter);
  }
  ~ServiceHostTest() override {  // the order of Program
    host_.close();
    storage_.close();
  }
  bool waitReady() {
    return waitUntil([this] { return controller_.chat()->phase() == ChatController::Idle; });
  }
  // Sends the text and waits until its answer has ended.
  bool converse(const QString& text) {
    ChatController& chat = *controller_.chat();
    chat.setDraft(text);
    chat.send();
    return waitUntil([&chat] { return chat.draft().isEmpty() && !chat.busy(); });
  }
  int footerState() {
    const TranscriptModel& rows = *controller_.chat()->transcript();
    return rows.data(rows.index(rows.count() - 1), TranscriptModel::TurnStateRole).toInt();
  }

  SettingsController settings_{*PlainSettings::Load("/nonexistent/settings.json"), u"/data"_qs};
  Appearance appearance_;
  AppController controller_{settings_, appearance_};
  ServiceHost host_{{.answer =
                         [] {
                           AnswerOptions options;
                           options.sampling.temperature = 0;
                           return options;
                         },
                     .load = [] { return LoadOptions(); }}};
  TestStorage storage_;
};

TEST_F(ServiceHostTest, AnswersAQuestionAndKeepsIt) {
  EXPECT_FALSE(controller_.firstRun()) << "not before the storage has answered";
  ASSERT_TRUE(waitReady());
  EXPECT_TRUE(controller_.firstRun());
  EXPECT_TRUE(controller_.chat()->meter()->visible());
  QSignalSpy texts(&host_, &ConversationHost::textArrived);
  ASSERT_TRUE(converse(u"What is Paluku?"_qs));
  EXPECT_FALSE(controller_.firstRun());
  EXPECT_GE(texts.count(), 1);
  EXPECT_EQ(footerState(), TranscriptModel::Complete);
  const QString answer =
      controller_.chat()->transcript()->sourceOf(controller_.chat()->transcript()->lastAnswerId());
  EXPECT_FALSE(answer.isEmpty());
  EXPECT_GT(controller_.chat()->meter()->figures().usedTokens, 0);
  const std::string id = controller_.conversations()->currentId().toStdString();
  const auto stored = storage_.run([&id](Stores& stores) {
    const auto record = stores.conversations.Get(id);
    return stores.conversations.Message(record->current_leaf);
  });
  EXPECT_EQ(stored->state, MessageState::kComplete);
  EXPECT_EQ(stored->text, answer.toStdString());
}

TEST_F(ServiceHostTest, TheContextIsCountedWhenAConversationIsOpened) {
  ASSERT_TRUE(waitReady());
  ASSERT_TRUE(converse(u"What is Paluku?"_qs));
  const QString id = controller_.conversations()->currentId();
  controller_.newConversation();
  storage_.settle();
  EXPECT_EQ(controller_.chat()->meter()->figures().usedTokens, 0);
  controller_.conversations()->open(id);
  EXPECT_TRUE(waitUntil([this] { return controller_.chat()->meter()->figures().usedTokens > 0; }));
}

TEST_F(ServiceHostTest, AFileThatIsNoModelIsToldAndTheNextOneLoads) {
  ASSERT_TRUE(waitReady());
  host_.loadModel(u"/dev/null"_qs);
  ASSERT_TRUE(waitUntil([this] { return host_.model().state == HostModel::State::kFailed; }));
  EXPECT_EQ(controller_.chat()->phase(), ChatController::NoModel);
  EXPECT_FALSE(controller_.library()->problem().isEmpty());
  host_.loadModel(kStarter);
  EXPECT_TRUE(waitReady());
}

TEST_F(ServiceHostTest, ALaterLoadReplacesAnEarlierOne) {
  host_.loadModel(u"/nonexistent.gguf"_qs);
  host_.loadModel(kStarter);
  EXPECT_TRUE(waitReady());
  EXPECT_EQ(host_.model().path, kStarter);
}

}  // namespace
}  // namespace paluku
