// ConversationHost: what the view models know of the conversation service. Verbs return at once;
// what becomes of them arrives as signals on the interface thread, text at most once a frame.
//
// Implementations: ServiceHost (the real service) and the fake of tests/app. Interface thread.
#pragma once

#include <QObject>
#include <QString>
#include <cstdint>
#include <optional>

#include "engine/base/error.h"
#include "engine/session/engine.h"
#include "storage/records.h"

namespace paluku {

// The model that answers, as far as it is known.
struct HostModel {
  enum class State : std::uint8_t { kNone, kLoading, kReady, kFailed };
  State state = State::kNone;
  QString path;
  QString name;                            // of the file's header; empty before kReady
  double progress = 0;                     // 0..1 while loading
  int contextTokens = 0;                   // limit
  std::int64_t latentBytesPerToken = 0;    // what the latent cache holds
  std::int64_t ordinaryBytesPerToken = 0;  // keys and values of every head, same precision
  ModelHome home;                          // of kReady
  std::optional<Error> error;              // of kFailed
};

// More of an answer since the last frame.
struct HostText {
  QString text;           // to append to the answer
  QString reasoning;      // to append to the reasoning before it
  int tokens = 0;         // generated so far
  int contextTokens = 0;  // of the conversation in the context now
};

// How an answer ended. Its text is what textArrived() brought.
struct HostEnd {
  MessageState state = MessageState::kComplete;
  MessageStats stats;
  int contextTokens = 0;
  std::optional<Error> error;    // of kFailed; of kLength when the context is full
  std::optional<Error> unsaved;  // the end could not be stored yet; it is tried again
};

class ConversationHost : public QObject {
  Q_OBJECT

 public:
  using QObject::QObject;

  virtual const HostModel& model() const = 0;

  // Loads the file in place of the loaded one; ends with modelChanged() in kReady or kFailed.
  virtual void loadModel(const QString& path) = 0;

  // Stores the message under the current leaf of `conversation` (empty: of a new one, titled after
  // the text) and answers it: turnBegun(), then finished(); or refused() and nothing was stored.
  virtual void send(const QString& conversation, const QString& text) = 0;
  // Answers a message of the person once more, as another branch. Signals as send().
  virtual void regenerate(const QString& userMessage) = 0;
  // Writes on behind what an ended answer says. Signals as send(); `reply` has its text already.
  virtual void continueReply(const QString& reply) = 0;
  // Ends the answer that is being written; what was written is kept.
  virtual void stop() = 0;
  // Asks for contextCounted().
  virtual void countContext(const QString& conversation) = 0;

 signals:
  void modelChanged();
  // Both messages are durable; `reply` is in kStreaming, and empty unless it is continued.
  void turnBegun(const paluku::ConversationRecord& conversation, const paluku::MessageRecord& user,
                 const paluku::MessageRecord& reply);
  // `done` of `total` tokens of the prompt are in the cache.
  void promptRead(const QString& reply, int done, int total);
  void textArrived(const QString& reply, const paluku::HostText& text);
  void finished(const QString& reply, const paluku::HostEnd& end);
  void refused(const paluku::Error& error);
  // Writing to the disk fails while an answer is written, or works again (nothing).
  void storeTrouble(const std::optional<paluku::Error>& error);
  void contextCounted(const QString& conversation, int tokens);
};

}  // namespace paluku
