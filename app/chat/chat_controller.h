// ChatController: the open conversation. It sends, stops and repeats, keeps the draft, says what
// the model is doing, and owns the transcript, the selection and the meter.
//
// Owned by AppController, interface thread. What the person wrote stays in the draft until the
// store has confirmed it.
#pragma once

#include <QtQml/qqmlregistration.h>

#include <QElapsedTimer>
#include <QObject>
#include <QString>
#include <QTimer>
#include <optional>
#include <vector>

#include "app/chat/conversation_list_model.h"
#include "app/chat/latent_meter.h"
#include "app/chat/selection_controller.h"
#include "app/chat/speed_window.h"
#include "app/chat/transcript_model.h"
#include "app/hosts/conversation_host.h"
#include "app/notices.h"
#include "storage/storage.h"

namespace paluku {

class ChatController : public QObject {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("Owned by AppController.")

  Q_PROPERTY(paluku::TranscriptModel* transcript READ transcript CONSTANT)
  Q_PROPERTY(paluku::SelectionController* selection READ selection CONSTANT)
  Q_PROPERTY(paluku::LatentMeter* meter READ meter CONSTANT)
  // Of the open conversation; "New conversation" before its first message.
  Q_PROPERTY(QString title READ title NOTIFY titleChanged)
  // The composer's text; it is stored 300 ms after the last change. What would make it longer than
  // 64 kB is refused with a hint: draftChanged() is emitted and the draft is as it was.
  Q_PROPERTY(QString draft READ draft WRITE setDraft NOTIFY draftChanged)
  Q_PROPERTY(paluku::ChatController::Phase phase READ phase NOTIFY stateChanged)
  // The button is Stop instead of Send (an answer is read or written, or a message waits).
  Q_PROPERTY(bool busy READ busy NOTIFY stateChanged)
  // The button works: something to send, or something to stop.
  Q_PROPERTY(bool canSend READ canSend NOTIFY stateChanged)
  // A message waits for the model: "Sends when ready".
  Q_PROPERTY(bool waitingToSend READ waitingToSend NOTIFY stateChanged)
  // The composer is read-only; the reason is the placeholder.
  Q_PROPERTY(bool inputLocked READ inputLocked NOTIFY stateChanged)
  Q_PROPERTY(QString placeholder READ placeholder NOTIFY stateChanged)
  // Line below the composer: "Reading the prompt 62 %, about 9 s", "Getting the model ready 42 %",
  // "Stop first, or wait", ...; empty when there is nothing to say.
  Q_PROPERTY(QString statusText READ statusText NOTIFY progressChanged)
  // "18.4 tokens/s" while writing, else empty.
  Q_PROPERTY(QString speedText READ speedText NOTIFY progressChanged)
  // 0..1 of loading or reading; -1 when there is no progress to show.
  Q_PROPERTY(double progress READ progress NOTIFY progressChanged)
  // Short and whole name of the model that answers; empty without one.
  Q_PROPERTY(QString modelName READ modelName NOTIFY stateChanged)
  Q_PROPERTY(QString modelFullName READ modelFullName NOTIFY stateChanged)
  // What computes: "NVIDIA GeForce RTX 4070", "Processor: there is no NVIDIA card"; empty without a
  // model.
  Q_PROPERTY(QString homeText READ homeText NOTIFY stateChanged)

 public:
  enum Phase {
    NoModel,  // Send offers to add a model
    Loading,  // the model is being made ready
    Idle,
    Reading,  // the prompt
    Writing,  // the answer
    Locked    // nothing can be stored (disk full, opened by a newer Paluku); inputLocked
  };
  Q_ENUM(Phase)

  ChatController(ConversationListModel& conversations, Notices& notices, QObject* parent = nullptr);
  ~ChatController() override;

  void attach(Storage& storage, ConversationHost& host);

  TranscriptModel* transcript() { return &transcript_; }
  SelectionController* selection() { return &selection_; }
  LatentMeter* meter() { return &meter_; }
  QString title() const;
  QString draft() const { return draft_; }
  void setDraft(const QString& text);
  Phase phase() const;
  bool busy() const;
  bool canSend() const;
  bool waitingToSend() const { return waitingToSend_; }
  bool inputLocked() const;
  QString placeholder() const;
  QString statusText() const;
  QString speedText() const;
  double progress() const;
  QString modelName() const;
  QString modelFullName() const;
  QString homeText() const;

  // Sends the draft. While an answer is written it says "Stop first, or wait"; while the model
  // loads the draft waits for it; without a model modelWanted() is emitted.
  Q_INVOKABLE void send();
  // Ends the answer, or calls back the waiting message.
  Q_INVOKABLE void stop();
  // Another answer to the last message, or to the one that this turn answers.
  Q_INVOKABLE void regenerate();
  Q_INVOKABLE void regenerateTurn(const QString& turnId);
  // Writes on behind what a stopped, interrupted or cut answer says.
  Q_INVOKABLE void continueTurn(const QString& turnId);
  // The clipboard's text fits into a draft of which `kept` characters stay; else a hint is shown.
  Q_INVOKABLE bool pasteFits(int kept);
  // Source Markdown to the clipboard.
  Q_INVOKABLE void copyTurn(const QString& turnId);
  Q_INVOKABLE void copyLastAnswer();
  // The text of one row (a code block alone) byte for byte.
  Q_INVOKABLE void copyRow(int row);
  // Nothing can be stored any more, for this reason; the composer becomes read-only.
  void lock(const Error& reason);
  // Stores the draft now (the window closes).
  void saveDraft();
  void retranslate();

 signals:
  void titleChanged();
  void draftChanged();
  void stateChanged();
  void progressChanged();
  // The message went to the model: scroll to the end.
  void sent();
  // Another conversation is shown: restore its place, or go to the end.
  void opened(const QString& conversationId);
  // Something was copied; buttons show "Copied".
  void copied(const QString& turnId);
  // Send without a model: show Add / Starter.
  void modelWanted();

 private:
  // What the line under the composer says for a while.
  enum class Hint : std::uint8_t { kStopFirst, kTooLong };
  // What was given to the host and is not stored yet.
  struct Sending {
    QString text;  // of the message; empty when an answer is asked for again or continued
    QString conversation;
    int page = 0;  // what was shown when it was sent
  };

  void connectHost();
  void openCurrent();
  void load(const QString& conversation);
  void showConversation(const ConversationRecord& record, std::vector<MessageRecord> messages);
  void showNew();
  void showDraft(const std::string& stored);
  void sendNow();
  void beginAsking();
  void modelChanged();
  void turnBegun(const ConversationRecord& conversation, const MessageRecord& user,
                 const MessageRecord& reply);
  void promptRead(const QString& reply, int done, int total);
  void textArrived(const QString& reply, const HostText& text);
  void finished(const QString& reply, const HostEnd& end);
  void refused(const Error& error);
  void storeTrouble(const std::optional<Error>& error);
  void contextCounted(const QString& conversation, int tokens);
  void storeDraft(const QString& conversation, const QString& text);
  void updateMeter();
  void showHint(Hint hint);
  QString loadingText() const;
  QString readingText() const;
  QString liveId() const { return QString::fromStdString(live_.id); }
  bool answering() const { return !live_.id.empty(); }
  // The answer being written belongs to the conversation that is shown.
  bool liveIsShown() const {
    return answering() && live_.conversation == conversationId_.toStdString();
  }

  ConversationListModel& conversations_;
  Notices& notices_;
  TranscriptModel transcript_;
  SelectionController selection_;
  LatentMeter meter_;
  Storage* storage_ = nullptr;
  ConversationHost* host_ = nullptr;
  QString conversationId_;  // shown; empty: a new one
  int page_ = 0;            // counts what was shown
  QString draft_;
  std::optional<Sending> sending_;
  MessageRecord live_;      // the answer being written, of any conversation; id empty: none
  bool liveBegan_ = false;  // something of it was written since it was asked for
  int promptDone_ = 0;
  int promptTotal_ = 0;
  int contextTokens_ = 0;  // of the shown conversation
  SpeedWindow speed_;
  QElapsedTimer clock_;         // since the live answer began
  QElapsedTimer figuresShown_;  // since meter and speed followed it last
  QTimer draftTimer_;
  QTimer hintTimer_;  // runs while hint_ is shown
  Hint hint_ = Hint::kStopFirst;
  bool waitingToSend_ = false;
  std::optional<Error> locked_;  // why nothing can be stored
};

}  // namespace paluku
