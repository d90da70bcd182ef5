// A card that is missing, too small or fails, on the emulator: the person gets an answer and is
// told in words. The whole way from the service down to the runtime library is the real one.
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "app/conversation/conversation_service.h"
#include "engine/loader/model_file.h"
#include "engine/model/memory_plan.h"
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

// Free memory with which a card takes the experts of about half of the starter's layers.
std::int64_t BytesForHalfOfTheExperts() {
  const auto file = Must(ModelFile::Open(kStarter));
  const ModelConfig config = Must(ModelConfig::Parse(*file));
  const auto plan = [&](int layers) {
    return Must(PlanMemory(*file, config,
                           {.card_bytes = std::int64_t{8} << 30,
                            .context_tokens = kShort.context_tokens,
                            .most_expert_layers = layers,
                            .runtime_loaded = true}));
  };
  const MemoryPlan all = plan(kAllLayers);
  return plan(all.expert_layers / 2).BytesAt(MemoryHome::kCard);
}

// Allocations since the process began: the fault strikes one by its number, and every try is one.
int Allocations() {
  for (int number = 2;; number += 2) {
    SetFault("allocation:" + std::to_string(number));
    void* memory = nullptr;
    const bool struck = cudaMalloc(&memory, 1) != cudaSuccess;
    cudaFree(memory);
    if (!struck) continue;
    cudaGetLastError();
    SetFault("");
    return number;
  }
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

TEST_F(CardFaults, AModelThatFitsInPartIsSharedWithTheProcessor) {
  SetFault("memory:" + std::to_string(BytesForHalfOfTheExperts()));
  Start();
  const ModelHome home = Load();
  EXPECT_EQ(home.card, "Emulated sm_80");
  EXPECT_FALSE(home.no_card);
  EXPECT_GT(home.expert_layers_on_card, 0);
  EXPECT_LT(home.expert_layers_on_card, home.expert_layers);
  EXPECT_EQ(Answer(), MessageState::kLength);
}

TEST_F(CardFaults, AnAllocationThatFailsWhileLoadingLeadsToTheNextSmallerPlan) {
  Start();
  SetFault("allocation:" + std::to_string(Allocations() + 20));
  const ModelHome home = Load();
  EXPECT_EQ(home.card, "Emulated sm_80");
  EXPECT_EQ(home.expert_layers_on_card, home.expert_layers * 3 / 4);
  EXPECT_EQ(Answer(), MessageState::kLength);
}

TEST_F(CardFaults, AnAllocationThatFailsUnderAnAnswerLeadsToTheNextSmallerPlan) {
  Start();
  const ModelHome before = Load();
  EXPECT_EQ(before.expert_layers_on_card, before.expert_layers);
  SetFault("allocation:" + std::to_string(Allocations() + 1));
  Send();
  EXPECT_EQ(listener_->Await<ReplyFinished>(*service_).state, MessageState::kFailed);
  const ModelHome after = listener_->Await<ModelReady>(*service_).model->home;
  EXPECT_EQ(after.card, "Emulated sm_80");
  EXPECT_EQ(after.expert_layers_on_card, after.expert_layers * 3 / 4);
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
