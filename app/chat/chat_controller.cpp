#include "app/chat/chat_controller.h"

#include <QClipboard>
#include <QGuiApplication>
#include <chrono>
#include <utility>

#include "app/hosts/storage_call.h"

namespace paluku {
namespace {

constexpr std::chrono::milliseconds kDraftDelay{300};
constexpr std::chrono::seconds kHintTime{4};
// Meter and speed change no faster while an answer is written: they cost as much as its words.
constexpr qint64 kFiguresMs = 100;
constexpr qsizetype kMaxDraftBytes = 65'536;  // of UTF-8
// Where the words for a conversation that does not exist yet are kept.
constexpr const char* kNewDraftKey = "draft.new";

}  // namespace

ChatController::ChatController(ConversationListModel& conversations, Notices& notices,
                               QObject* parent)
    : QObject(parent),
      conversations_(conversations),
      notices_(notices),
      selection_(transcript_),
      draftTimer_(this),
      hintTimer_(this) {
  draftTimer_.setSingleShot(true);
  draftTimer_.setInterval(kDraftDelay);
  connect(&draftTimer_, &QTimer::timeout, this, &ChatController::saveDraft);
  hintTimer_.setSingleShot(true);
  hintTimer_.setInterval(kHintTime);
  connect(&hintTimer_, &QTimer::timeout, this, &ChatController::progressChanged);
  connect(&conversations_, &ConversationListModel::currentChanged, this,
          &ChatController::openCurrent);
}

ChatController::~ChatController() = default;

void ChatController::attach(Storage& storage, ConversationHost& host) {
  storage_ = &storage;
  host_ = &host;
  if (!storage.writable()) locked_ = storage.writable().error();
  connectHost();
  if (conversationId_.isEmpty()) {
    showNew();
  } else {
    load(conversationId_);
  }
  modelChanged();
}

void ChatController::connectHost() {
  connect(host_, &ConversationHost::modelChanged, this, &ChatController::modelChanged);
  connect(host_, &ConversationHost::turnBegun, this, &ChatController::turnBegun);
  connect(host_, &ConversationHost::promptRead, this, &ChatController::promptRead);
  connect(host_, &ConversationHost::textArrived, this, &ChatController::textArrived);
  connect(host_, &ConversationHost::finished, this, &ChatController::finished);
  connect(host_, &ConversationHost::refused, this, &ChatController::refused);
  connect(host_, &ConversationHost::storeTrouble, this, &ChatController::storeTrouble);
  connect(host_, &ConversationHost::contextCounted, this, &ChatController::contextCounted);
}

// --- Which conversation is shown ---

void ChatController::openCurrent() {
  if (conversations_.currentId() == conversationId_) return emit titleChanged();
  if (draftTimer_.isActive()) saveDraft();
  conversationId_ = conversations_.currentId();
  emit titleChanged();
  ++page_;
  waitingToSend_ = false;
  contextTokens_ = 0;
  if (storage_ == nullptr) return;
  draft_.clear();  // the words of the other conversation are stored; this one's come with it
  emit draftChanged();
  if (conversationId_.isEmpty()) {
    showNew();
  } else {
    load(conversationId_);
  }
}

void ChatController::load(const QString& conversation) {
  using Opened = std::pair<ConversationRecord, std::vector<MessageRecord>>;
  onStorage(
      *storage_, this,
      [id = conversation.toStdString()](Stores& stores) -> Result<Opened> {
        PALUKU_ASSIGN_OR_RETURN(ConversationRecord record, stores.conversations.Get(id));
        if (record.current_leaf.empty())
          return Opened{std::move(record), std::vector<MessageRecord>()};
        PALUKU_ASSIGN_OR_RETURN(auto path, stores.conversations.Path(record.current_leaf));
        return Opened{std::move(record), std::move(path)};
      },
      [this, page = page_](Result<Opened>&& opened) {
        if (page != page_) return;  // another one was opened meanwhile
        if (!opened) return notices_.showProblem(opened.error());
        showConversation(opened->first, std::move(opened->second));
      });
}

void ChatController::showConversation(const ConversationRecord& record,
                                      std::vector<MessageRecord> messages) {
  // The store is a checkpoint behind of an answer that is being written.
  if (!messages.empty() && messages.back().id == live_.id) messages.back() = live_;
  transcript_.setMessages(messages);
  host_->countContext(conversationId_);
  updateMeter();
  showDraft(record.draft);
  emit opened(conversationId_);
}

// Puts the stored words before those that were typed since the page was opened.
void ChatController::showDraft(const std::string& stored) {
  if (!stored.empty()) {
    const QString typed = std::exchange(draft_, QString::fromStdString(stored));
    if (!typed.isEmpty()) {
      draft_ += u'\n' + typed;
      draftTimer_.start();
    }
    emit draftChanged();
  }
  emit stateChanged();
}

void ChatController::showNew() {
  transcript_.setMessages({});
  updateMeter();
  emit stateChanged();
  emit opened({});
  onStorage(
      *storage_, this, [](Stores& stores) { return stores.settings.Get(kNewDraftKey); },
      [this, page = page_](const Result<std::optional<std::string>>& draft) {
        if (page == page_ && draft) showDraft(draft->value_or(std::string()));
      });
}

QString ChatController::title() const {
  const QString title = conversations_.titleOf(conversationId_);
  return title.isEmpty() ? tr("New conversation") : title;
}

// --- The draft ---

void ChatController::setDraft(const QString& text) {
  if (text == draft_) return;
  // An older draft may be longer already: it can still be made shorter.
  const qsizetype bytes = text.toUtf8().size();
  if (bytes > kMaxDraftBytes && bytes > draft_.toUtf8().size()) {
    showHint(Hint::kTooLong);
    return emit draftChanged();
  }
  draft_ = text;
  draftTimer_.start();
  emit draftChanged();
  emit stateChanged();
}

void ChatController::saveDraft() {
  draftTimer_.stop();
  if (storage_ != nullptr && !locked_) storeDraft(conversationId_, draft_);
}

void ChatController::storeDraft(const QString& conversation, const QString& text) {
  onStorage(
      *storage_, this,
      [id = conversation.toStdString(), draft = text.toStdString()](Stores& stores) {
        return id.empty() ? stores.settings.Set(kNewDraftKey, draft)
                          : stores.conversations.SetDraft(id, draft);
      },
      [this](const Status& stored) {
        if (stored) {
          notices_.clearProblem(ErrorCode::kDiskFull);
        } else if (stored.error().code != ErrorCode::kNotFound) {
          notices_.showProblem(stored.error());
        }
      });
}

void ChatController::lock(const Error& reason) {
  locked_ = reason;
  emit stateChanged();
}

// --- Verbs ---

void ChatController::send() {
  if (answering() || sending_) return showHint(Hint::kStopFirst);
  if (draft_.trimmed().isEmpty() || inputLocked()) return;
  const HostModel::State state = host_ ? host_->model().state : HostModel::State::kLoading;
  switch (state) {
    case HostModel::State::kReady:
      sendNow();
      break;
    case HostModel::State::kLoading:
      waitingToSend_ = true;
      emit stateChanged();
      emit progressChanged();
      break;
    case HostModel::State::kNone:
    case HostModel::State::kFailed:
      emit modelWanted();
      break;
  }
}

void ChatController::sendNow() {
  waitingToSend_ = false;
  sending_ = Sending{draft_, conversationId_, page_};
  host_->send(conversationId_, draft_.trimmed());
  emit stateChanged();
  emit progressChanged();
}

void ChatController::stop() {
  if (waitingToSend_) {
    waitingToSend_ = false;
    emit stateChanged();
    emit progressChanged();
  } else if (answering() || sending_) {
    host_->stop();
  }
}

void ChatController::regenerate() { regenerateTurn(transcript_.lastTurnId()); }

void ChatController::regenerateTurn(const QString& turnId) {
  if (answering() || sending_) return showHint(Hint::kStopFirst);
  const QString userMessage = transcript_.userMessageOf(turnId);
  if (userMessage.isEmpty() || host_ == nullptr) return;
  if (host_->model().state != HostModel::State::kReady) return emit modelWanted();
  beginAsking();
  host_->regenerate(userMessage);
}

void ChatController::continueTurn(const QString& turnId) {
  if (answering() || sending_) return showHint(Hint::kStopFirst);
  if (host_ == nullptr) return;
  if (host_->model().state != HostModel::State::kReady) return emit modelWanted();
  beginAsking();
  host_->continueReply(turnId);
}

// For an answer without a message of its own: nothing else is asked for until it begins.
void ChatController::beginAsking() {
  sending_ = Sending{{}, conversationId_, page_};
  emit stateChanged();
  emit progressChanged();
}

bool ChatController::pasteFits(int kept) {
  const QString text = QGuiApplication::clipboard()->text();
  const bool fits =
      text.size() + kept <= kMaxDraftBytes;  // whether its UTF-8 does, setDraft() says
  if (!fits) showHint(Hint::kTooLong);
  return fits;
}

void ChatController::showHint(Hint hint) {
  hint_ = hint;
  hintTimer_.start();
  emit progressChanged();
}

void ChatController::copyTurn(const QString& turnId) {
  QGuiApplication::clipboard()->setText(transcript_.sourceOf(turnId));
  emit copied(turnId);
}

void ChatController::copyLastAnswer() {
  const QString turn = transcript_.lastAnswerId();
  if (!turn.isEmpty()) copyTurn(turn);
}

void ChatController::copyRow(int row) {
  QGuiApplication::clipboard()->setText(transcript_.wholeTextAt(row));
}

// --- What the host says ---

void ChatController::modelChanged() {
  const HostModel& model = host_->model();
  if (model.state == HostModel::State::kReady) {
    host_->countContext(conversationId_);
    if (model.home.card_lost && model.home.no_card) notices_.showProblem(*model.home.no_card);
    if (waitingToSend_) sendNow();
  } else if (model.state != HostModel::State::kLoading) {
    waitingToSend_ = false;
  }
  updateMeter();
  emit stateChanged();
  emit progressChanged();
}

void ChatController::turnBegun(const ConversationRecord& conversation, const MessageRecord& user,
                               const MessageRecord& reply) {
  storeTrouble(std::nullopt);  // both messages are on the disk
  live_ = reply;
  liveBegan_ = false;
  promptDone_ = promptTotal_ = 0;
  speed_.clear();
  clock_.start();
  const std::optional<Sending> message = std::exchange(sending_, std::nullopt);
  const bool stillShown = message && message->page == page_;
  const bool isNew = stillShown && message->conversation.isEmpty();
  const QString id = QString::fromStdString(conversation.id);
  if (isNew) {
    conversationId_ = id;  // the new conversation has got its name
    storeDraft({}, {});
  }
  if (stillShown && !message->text.isEmpty() && draft_ == message->text) {
    draftTimer_.stop();
    draft_.clear();
    emit draftChanged();
  }
  conversations_.begun(conversation, isNew);
  if (liveIsShown()) {
    if (transcript_.contains(QString::fromStdString(user.id))) {
      transcript_.removeAfter(QString::fromStdString(user.id));
    } else {
      transcript_.append(user);
    }
    transcript_.append(reply);
    emit sent();
  }
  hintTimer_.stop();
  emit stateChanged();
  emit progressChanged();
}

void ChatController::promptRead(const QString& reply, int done, int total) {
  if (reply != liveId()) return;
  promptDone_ = done;
  promptTotal_ = total;
  emit progressChanged();
}

void ChatController::textArrived(const QString& reply, const HostText& text) {
  if (reply != liveId()) return;
  const bool first = !std::exchange(liveBegan_, true);
  live_.text += text.text.toStdString();
  if (!text.reasoning.isEmpty())
    live_.reasoning = live_.reasoning.value_or(std::string()) + text.reasoning.toStdString();
  speed_.add(clock_.elapsed(), text.tokens);
  if (liveIsShown()) {
    transcript_.appendText(reply, text.text, text.reasoning);
    contextTokens_ = text.contextTokens;
  }
  if (first) emit stateChanged();
  if (!first && figuresShown_.elapsed() < kFiguresMs) return;
  figuresShown_.start();
  if (liveIsShown()) updateMeter();
  emit progressChanged();
}

void ChatController::finished(const QString& reply, const HostEnd& end) {
  if (reply != liveId()) return;
  if (liveIsShown()) {
    transcript_.finish(reply, end.state, end.stats, end.error);
    contextTokens_ = end.contextTokens;
    updateMeter();
  }
  live_ = {};
  conversations_.ended();
  if (end.unsaved) notices_.showProblem(*end.unsaved);
  hintTimer_.stop();
  emit stateChanged();
  emit progressChanged();
}

void ChatController::refused(const Error& error) {
  sending_.reset();
  if (error.code != ErrorCode::kCancelled) notices_.showProblem(error);
  emit stateChanged();
  emit progressChanged();
}

void ChatController::storeTrouble(const std::optional<Error>& error) {
  if (error) {
    notices_.showProblem(*error);
  } else {
    notices_.clearProblem(ErrorCode::kDiskFull);
    notices_.clearProblem(ErrorCode::kIo);
  }
}

void ChatController::contextCounted(const QString& conversation, int tokens) {
  if (conversation != conversationId_ || liveIsShown()) return;
  contextTokens_ = tokens;
  updateMeter();
}

void ChatController::updateMeter() {
  if (host_ == nullptr || host_->model().state != HostModel::State::kReady)
    return meter_.setFigures({});
  const HostModel& model = host_->model();
  meter_.setFigures({.usedTokens = contextTokens_,
                     .limitTokens = model.contextTokens,
                     .latentBytesPerToken = model.latentBytesPerToken,
                     .ordinaryBytesPerToken = model.ordinaryBytesPerToken,
                     .words = transcript_.words()});
}

void ChatController::retranslate() {
  transcript_.retranslate();
  meter_.retranslate();
  emit titleChanged();
  emit stateChanged();
  emit progressChanged();
}

}  // namespace paluku
