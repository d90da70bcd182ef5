#include "tests/app/fake_host.h"

#include "engine/base/check.h"

namespace paluku {
namespace {

constexpr int kPromptTokens = 10;

}  // namespace

void FakeHost::makeReady() {
  model_ = {.state = HostModel::State::kReady,
            .path = model_.path,
            .name = QStringLiteral("DeepSeek-V2-Lite-Chat"),
            .progress = 1,
            .contextTokens = 32'768,
            .latentBytesPerToken = 31'104,
            .ordinaryBytesPerToken = 276'480,
            .home = {},
            .error = {}};
  emit modelChanged();
}

void FakeHost::setModel(HostModel::State state, double progress) {
  model_.state = state;
  model_.progress = progress;
  emit modelChanged();
}

void FakeHost::failModel(const Error& error) {
  model_.error = error;
  setModel(HostModel::State::kFailed);
}

void FakeHost::moveModel(const ModelHome& home) {
  model_.home = home;
  setModel(HostModel::State::kReady, 1);
}

void FakeHost::loadModel(const QString& path) {
  loaded += path;
  model_.path = path;
  setModel(HostModel::State::kLoading);
}

void FakeHost::send(const QString& conversationId, const QString& text) {
  requests.push_back({conversationId, text, {}, {}});
}

void FakeHost::regenerate(const QString& userMessage) {
  requests.push_back({{}, {}, userMessage, {}});
}

void FakeHost::continueReply(const QString& replyId) { requests.push_back({{}, {}, {}, replyId}); }

void FakeHost::countContext(const QString& conversationId) {
  emit contextCounted(conversationId, conversationId.isEmpty() ? 0 : kPromptTokens);
}

void FakeHost::begin() {
  const Request request = requests.back();
  const std::string model = model_.name.toStdString();
  MessageRecord user;
  const Status stored =
      storage_
          ->Run([&](Stores& stores) -> Status {
            ConversationStore& store = stores.conversations;
            if (!request.reply.isEmpty()) {
              PALUKU_ASSIGN_OR_RETURN(reply, store.ContinueReply(request.reply.toStdString()));
              PALUKU_ASSIGN_OR_RETURN(user, store.Message(reply.parent));
            } else if (!request.userMessage.isEmpty()) {
              PALUKU_ASSIGN_OR_RETURN(user, store.Message(request.userMessage.toStdString()));
              PALUKU_ASSIGN_OR_RETURN(reply, store.BeginReply(user.id, model));
            } else {
              std::string id = request.conversation.toStdString();
              std::string parent;
              if (id.empty()) {
                PALUKU_ASSIGN_OR_RETURN(
                    const ConversationRecord created,
                    store.Create(
                        {.title = request.text.toStdString(), .instruction = {}, .model = {}}));
                id = created.id;
              } else {
                PALUKU_ASSIGN_OR_RETURN(const ConversationRecord known, store.Get(id));
                parent = known.current_leaf;
              }
              PALUKU_ASSIGN_OR_RETURN(const Turn turn,
                                      store.BeginTurn({.conversation = id,
                                                       .parent = parent,
                                                       .text = request.text.toStdString(),
                                                       .model = model}));
              user = turn.user;
              reply = turn.reply;
            }
            PALUKU_ASSIGN_OR_RETURN(conversation, store.Get(user.conversation));
            return {};
          })
          .get();
  PALUKU_CHECK(stored.has_value());
  generated_ = 0;
  emit turnBegun(conversation, user, reply);
}

void FakeHost::refuse(const Error& error) { emit refused(error); }

void FakeHost::read(int done, int total) {
  emit promptRead(QString::fromStdString(reply.id), done, total);
}

void FakeHost::write(const QString& text, int tokens, const QString& reasoning) {
  generated_ += tokens;
  reply.text += text.toStdString();
  emit textArrived(QString::fromStdString(reply.id), {.text = text,
                                                      .reasoning = reasoning,
                                                      .tokens = generated_,
                                                      .contextTokens = kPromptTokens + generated_});
}

void FakeHost::end(MessageState state, const std::optional<Error>& error) {
  const MessageStats stats{
      .token_count = generated_, .tokens_per_second = 18.4, .first_token_ms = 400};
  const ReplyEnd stored{
      .state = state, .text = reply.text, .reasoning = {}, .stats = stats, .error = error};
  const Status finishedStatus =
      storage_->Run([&](Stores& stores) { return stores.conversations.Finish(reply.id, stored); })
          .get();
  PALUKU_CHECK(finishedStatus.has_value());
  emit finished(QString::fromStdString(reply.id), {.state = state,
                                                   .stats = stats,
                                                   .contextTokens = kPromptTokens + generated_,
                                                   .error = error,
                                                   .unsaved = {}});
}

}  // namespace paluku
