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
#include "storage/records.h"

namespace paluku {

// The model that answers, as far as it is known.
struct HostModel {
  enum class State : std::uint8_t { kNone, kLoading, kReady, kFailed };
  State state = State::kNone;
  QString path;
  QString name;                            // of the file's header; empty until it was read
  double progress = 0;                     // 0..1 while loading
  int contextTokens = 0;                   // limit
  std::int64_t latentBytesPerToken = 0;    // what the latent cache holds
  std::int64_t ordinaryBytesPerToken = 0;  // keys and values of every head, same precision
  std::optional<Error> error;              // of kFailed
};

// What one answer is doing now.
struct HostProgress {
  int promptDone = 0;  // tokens of the prompt in the cache
  int promptTotal = 0;
  int generated = 0;           // tokens of the answer
  double tokensPerSecond = 0;  // average of the last 2 s; 0 before the 8th token
};

class ConversationHost : public QObject {
  Q_OBJECT

 public:
  using QObject::QObject;

  virtual const HostModel& model() const = 0;
  // Tokens now in the latent cache for `conversation`; 0 when it holds another one.
  virtual int contextUsed(const QString& conversation) const = 0;

  // Loads the file in place of the loaded one; ends with modelChanged() in kReady or kFailed.
  virtual void loadModel(const QString& path) = 0;

  // Stores the message under the current leaf of `conversation` (empty: of a new one, created with
  // the first words as its title) and answers it. Ends with turnBegun() and finished(), or with
  // refused() when the message could not be stored.
  virtual void send(const QString& conversation, const QString& text) = 0;
  // Answers `userMessage` once more, as a new branch.
  virtual void regenerate(const QString& conversation, const QString& userMessage) = 0;
  // Goes on with an answer that was stopped, interrupted or cut at the limit.
  virtual void continueReply(const QString& conversation, const QString& reply) = 0;
  // Ends the answer that is being written; what was written is kept.
  virtual void stop() = 0;

 signals:
  void modelChanged();
  // The message is durable. `user` is empty for regenerate() and continueReply().
  void turnBegun(const QString& conversation, const std::optional<paluku::MessageRecord>& user,
                 const paluku::MessageRecord& reply);
  void progressed(const QString& reply, const paluku::HostProgress& progress);
  // More text of the answer, or of the reasoning before it.
  void textArrived(const QString& reply, const QString& text, bool reasoning);
  // The answer as it was stored: state, figures, error.
  void finished(const QString& conversation, const paluku::MessageRecord& reply);
  void refused(const QString& conversation, const paluku::Error& error);
};

}  // namespace paluku
