#include "tests/ui/scripted_host.h"

#include <tuple>
#include <utility>

namespace paluku {

void ScriptedHost::loadModel(const QString& path) {
  model_.path = path;
  model_.state = HostModel::State::kReady;
  emit modelChanged();
}

void ScriptedHost::setModel(const HostModel& model) {
  model_ = model;
  emit modelChanged();
}

void ScriptedHost::send(const QString& conversation, const QString& text) {
  auto begun = storage_.Run([&](Stores& stores) -> Result<std::pair<ConversationRecord, Turn>> {
    ConversationStore& store = stores.conversations;
    ConversationRecord record;
    if (conversation.isEmpty()) {
      PALUKU_ASSIGN_OR_RETURN(record, store.Create({.title = text.left(40).toStdString()}));
    } else {
      PALUKU_ASSIGN_OR_RETURN(record, store.Get(conversation.toStdString()));
    }
    PALUKU_ASSIGN_OR_RETURN(Turn turn, store.BeginTurn({.conversation = record.id,
                                                        .parent = record.current_leaf,
                                                        .text = text.toStdString(),
                                                        .model = model_.name.toStdString()}));
    PALUKU_ASSIGN_OR_RETURN(record, store.Get(record.id));
    return std::pair(record, turn);
  });
  const auto result = begun.get();
  if (!result) return emit refused(result.error());
  begin(result->first, result->second.user, result->second.reply);
}

void ScriptedHost::regenerate(const QString& userMessage) {
  const std::string id = userMessage.toStdString();
  const std::string name = model_.name.toStdString();
  const auto user =
      storage_.Run([&](Stores& stores) { return stores.conversations.Message(id); }).get();
  const auto reply =
      storage_.Run([&](Stores& stores) { return stores.conversations.BeginReply(id, name); }).get();
  if (!user || !reply) return emit refused(user ? reply.error() : user.error());
  const auto record =
      storage_.Run([&](Stores& stores) { return stores.conversations.Get(user->conversation); })
          .get();
  if (!record) return emit refused(record.error());
  begin(*record, *user, *reply);
}

void ScriptedHost::continueReply(const QString& replyId) {
  using Continued = std::tuple<ConversationRecord, MessageRecord, MessageRecord>;
  const auto continued =
      storage_
          .Run([id = replyId.toStdString()](Stores& stores) -> Result<Continued> {
            ConversationStore& store = stores.conversations;
            PALUKU_ASSIGN_OR_RETURN(MessageRecord reply, store.ContinueReply(id));
            PALUKU_ASSIGN_OR_RETURN(MessageRecord user, store.Message(reply.parent));
            PALUKU_ASSIGN_OR_RETURN(ConversationRecord record, store.Get(reply.conversation));
            return Continued{std::move(record), std::move(user), std::move(reply)};
          })
          .get();
  if (!continued) return emit refused(continued.error());
  std::apply([this](const auto&... parts) { begin(parts...); }, *continued);
}

void ScriptedHost::begin(const ConversationRecord& conversation, const MessageRecord& user,
                         const MessageRecord& reply) {
  reply_ = reply;
  text_ = QString::fromStdString(reply.text);
  tokens_ = 0;
  emit turnBegun(conversation, user, reply);
}

void ScriptedHost::countContext(const QString& conversation) {
  emit contextCounted(conversation, conversation.isEmpty() ? 0 : contextTokens_);
}

void ScriptedHost::write(const QString& text) {
  if (!answering()) return;
  text_ += text;
  HostText more;
  more.text = text;
  more.tokens = ++tokens_;
  more.contextTokens = contextTokens_ + tokens_;
  emit textArrived(QString::fromStdString(reply_.id), more);
}

void ScriptedHost::end(MessageState state) {
  if (!answering()) return;
  const std::string id = std::exchange(reply_, {}).id;
  HostEnd end;
  end.state = state;
  end.stats = {.token_count = tokens_, .tokens_per_second = 18.4, .first_token_ms = 400};
  end.contextTokens = contextTokens_ + tokens_;
  if (state == MessageState::kFailed) end.error = Error{ErrorCode::kFileDamaged, "model.gguf", {}};
  const ReplyEnd stored{
      .state = state, .text = text_.toStdString(), .stats = end.stats, .error = end.error};
  const Status status =
      storage_.Run([&](Stores& stores) { return stores.conversations.Finish(id, stored); }).get();
  if (!status) end.unsaved = status.error();
  emit finished(QString::fromStdString(id), end);
}

}  // namespace paluku
