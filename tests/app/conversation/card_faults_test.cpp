// A card that is missing, too small or fails, on the emulator: the person gets an answer and is
// told in words. The whole way from the service down to the runtime library is the real one.
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "app/conversation/conversation_service.h"
#include "engine/base/log.h"
#include "tests/app/conversation/listener.h"
#include "tests/storage/storage_test_util.h"
#include "tests/support/cuda_emulator/cuda_emulator.h"

namespace paluku {
namespace {

const std::string kStarter = PALUKU_SOURCE_DIR "/resources/starter/paluku-starter.gguf";
constexpr LoadOptions kShort = {.context_tokens = 512};
constexpr std::size_t kFewBytes = 3 << 20;  // less than the model takes

void SetFault(const std::string& fault) {
  ASSERT_EQ(paluku_emu_set("fault", fault.c_str()), 0) << fault;
}

class CardFaults : public ::testing::Test {
 protected:
  void SetUp() override {
    unsetenv("PALUKU_BACKEND");
    paluku_emu_set("shadow", "0");  // kernels are checked elsewhere; here they are to be quick
  }
  void TearDown() override {
    service_.reset();
    storage_.reset();
    SetFault("");
    cudaDeviceReset();
    EXPECT_EQ(paluku_emu_report_count(), 0U);
  }

  void Start() {
    storage_ = Must(Storage::Open({.data_dir = dir_.path(),
                                   .access = StorageAccess::kWrite,
                                   .clock = SystemNowMs,
                                   .vfs = {}}));
    service_ = Must(ConversationService::Create(*storage_, {.backend = "auto", .threads = 1},
                                                [listener = listener_] { listener->Wake(); }));
  }
  ModelHome Load() {
    service_->LoadModel(kStarter, kShort);
    return listener_->Await<ModelReady>(*service_).model->home;
  }
  void Send(int max_tokens = 12) {
    AnswerOptions options{.sampling = {}, .max_tokens = max_tokens, .instruction = {}};
    options.sampling.temperature = 0;
    service_->Send(
        {.conversation = {}, .parent = {}, .text = "What is Paluku?", .options = options});
  }
  // A whole answer, and that it says something.
  MessageState Answer() {
    Send();
    const ReplyFinished end = listener_->Await<ReplyFinished>(*service_);
    EXPECT_FALSE(Message(end.message).text.empty());
    return end.state;
  }
  MessageRecord Message(const std::string& id) {
    return Must(Do(*storage_, [&](Stores& stores) { return stores.conversations.Message(id); }));
  }
  // The reply under way fails with `code`; what it said is stored, and the processor goes on.
  MessageRecord AwaitFailure(ErrorCode code) {
    const ReplyFinished end = listener_->Await<ReplyFinished>(*service_);
    EXPECT_EQ(end.state, MessageState::kFailed);
    EXPECT_TRUE(end.error && end.error->code == code);
    const ModelHome home = listener_->Await<ModelReady>(*service_).model->home;
    EXPECT_EQ(home.card, "");
    EXPECT_TRUE(home.no_card && home.no_card->code == code);
    EXPECT_EQ(home.card_lost, code == ErrorCode::kDeviceFailed);
    const MessageRecord reply = Message(end.message);
    EXPECT_EQ(reply.text, listener_->Text(end.message));
    return reply;
  }

  TempDir dir_;
  std::unique_ptr<Storage> storage_;
  std::shared_ptr<Listener> listener_ = std::make_shared<Listener>();
  std::unique_ptr<ConversationService> service_;
};

TEST_F(CardFaults, WithoutAFaultTheCardAnswers) {
  Start();
  const ModelHome home = Load();
  EXPECT_EQ(home.card, "Emulated sm_80");
  EXPECT_FALSE(home.no_card);
  EXPECT_EQ(Answer(), MessageState::kLength);
  EXPECT_GT(paluku_emu_counters().launches, 0U);
}

TEST_F(CardFaults, WithoutADriverOrACardTheProcessorAnswers) {
  for (const auto& [fault, reason] :
       {std::pair{"no-driver", "the NVIDIA driver is missing or too old"},
        std::pair{"no-device", "there is no NVIDIA card"}}) {
    SetFault(fault);
    Start();
    const ModelHome home = Load();
    EXPECT_EQ(home.card, "");
    ASSERT_TRUE(home.no_card);
    EXPECT_EQ(home.no_card->detail, reason);
    EXPECT_FALSE(home.card_lost);
    EXPECT_EQ(Answer(), MessageState::kLength);
    service_.reset();
    storage_.reset();
  }
}

TEST_F(CardFaults, AModelThatDoesNotFitIsComputedByTheProcessorAndTheNextTriesAgain) {
  SetFault("memory:" + std::to_string(kFewBytes));
  Start();
  const ModelHome home = Load();
  EXPECT_EQ(home.card, "");
  EXPECT_TRUE(home.no_card && home.no_card->code == ErrorCode::kOutOfMemory);
  EXPECT_FALSE(home.card_lost);
  EXPECT_EQ(Answer(), MessageState::kLength);
  EXPECT_EQ(paluku_emu_memory_used(), 0U) << "what was allocated before the end is given back";
  SetFault("");
  EXPECT_EQ(Load().card, "Emulated sm_80");
  EXPECT_EQ(Answer(), MessageState::kLength);
}

TEST_F(CardFaults, MemoryThatRunsOutUnderAnAnswerMovesTheModel) {
  Start();
  EXPECT_NE(Load().card, "");
  SetFault("memory:" + std::to_string(paluku_emu_memory_used()));
  Send();
  AwaitFailure(ErrorCode::kOutOfMemory);
  EXPECT_EQ(Answer(), MessageState::kLength);
}

TEST_F(CardFaults, AFailedLaunchLeavesTheTextAndTheProcessorGoesOn) {
  Start();
  EXPECT_NE(Load().card, "");
  // The starter answers in a few hundred launches.
  SetFault("launch:" + std::to_string(paluku_emu_launch_count() + 300));
  Send(64);
  AwaitFailure(ErrorCode::kDeviceFailed);
  EXPECT_EQ(Answer(), MessageState::kLength);
}

TEST_F(CardFaults, ACardThatIsLostInTheMiddleOfAnAnswer) {
  Start();
  EXPECT_NE(Load().card, "");
  Send(64);
  listener_->Await<ReplyText>(*service_);
  SetFault("lost:1");
  const MessageRecord reply = AwaitFailure(ErrorCode::kDeviceFailed);
  EXPECT_FALSE(reply.text.empty());

  AnswerOptions options{.sampling = {}, .max_tokens = 0, .instruction = {}};
  options.sampling.temperature = 0;
  service_->Continue({.reply = reply.id, .options = options});
  EXPECT_EQ(listener_->Await<ReplyFinished>(*service_).state, MessageState::kComplete);
  const MessageRecord whole = Message(reply.id);
  EXPECT_GT(whole.text.size(), reply.text.size());
  EXPECT_EQ(whole.text.substr(0, reply.text.size()), reply.text);
  EXPECT_FALSE(whole.error);

  // The card serves no more in this process, and again in the next.
  EXPECT_TRUE(Load().card_lost);
  service_.reset();
  storage_.reset();
  SetFault("");
  cudaDeviceReset();
  Start();
  EXPECT_EQ(Load().card, "Emulated sm_80");
}

}  // namespace
}  // namespace paluku
