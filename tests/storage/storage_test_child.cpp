// The other process of the storage tests:
//   hold DIR         opens for writing, prints "open", waits for the end of its input
//   try-write DIR    prints the number of the error code of opening for writing, or "open"
//   list DIR         opens read-only, prints the titles, one a line
//   stream DIR SEED  writes turns without end and acknowledges each write on its output
//   leave DIR        leaves a reply in the middle and a deletion, as a killed program does
//   reopen-full DIR  fills the disk (a tiny one) to the last byte and opens; prints what is seen of
//                    what was left, the codes of the notices, and the same after space was freed
//   fill DIR         writes until the disk (a tiny one) is full, frees space, writes on, verifies
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <random>
#include <string>

#include "storage/storage.h"
#include "tests/storage/reply_text.h"

namespace paluku {
namespace {

Result<std::unique_ptr<Storage>> OpenIn(const std::string& data_dir, StorageAccess access) {
  StorageOptions options;
  options.data_dir = data_dir;
  options.access = access;
  return Storage::Open(options);
}

int Hold(const std::string& data_dir) {
  const auto storage = OpenIn(data_dir, StorageAccess::kWrite);
  std::cout << (storage ? "open" : storage.error().Message()) << std::endl;
  std::cin.get();
  return storage ? 0 : 1;
}

int TryWrite(const std::string& data_dir) {
  const auto storage = OpenIn(data_dir, StorageAccess::kWrite);
  if (storage) {
    std::cout << "open" << std::endl;
  } else {
    std::cout << static_cast<int>(storage.error().code) << std::endl;
  }
  return 0;
}

int ListTitles(const std::string& data_dir) {
  const auto storage = OpenIn(data_dir, StorageAccess::kReadOnly);
  if (!storage) return 1;
  const auto list =
      (*storage)->Run([](Stores& stores) { return stores.conversations.List(); }).get();
  if (!list) return 1;
  for (const ConversationRecord& record : *list) std::cout << record.title << '\n';
  return 0;
}

// One write() per line: a pipe takes it whole, so a kill never cuts an acknowledgement in two.
void Acknowledge(const std::string& line) {
  const std::string text = line + "\n";
  if (write(STDOUT_FILENO, text.data(), text.size()) < 0) _exit(3);
}

// A turn with its checkpoints, each acknowledged after its transaction.
Status StreamOneTurn(Stores& stores, const std::string& conversation, std::mt19937& random) {
  const int number = static_cast<int>(random() % 1000000);
  TurnRequest request{.conversation = conversation, .text = UserText(number), .model = "test"};
  PALUKU_ASSIGN_OR_RETURN(const ConversationRecord before, stores.conversations.Get(conversation));
  request.parent = before.current_leaf;
  PALUKU_ASSIGN_OR_RETURN(const Turn turn, stores.conversations.BeginTurn(request));
  Acknowledge("user " + turn.user.id + " " + std::to_string(number));
  int length = 0;
  for (unsigned i = 0, count = random() % 6; i < count; ++i) {
    length += static_cast<int>(random() % 4000);
    PALUKU_TRY(stores.conversations.Checkpoint(turn.reply.id, ReplyText(turn.reply.id, length),
                                               std::nullopt));
    Acknowledge("checkpoint " + turn.reply.id + " " + std::to_string(length));
  }
  PALUKU_TRY(
      stores.conversations.Finish(turn.reply.id, {.text = ReplyText(turn.reply.id, length)}));
  Acknowledge("finish " + turn.reply.id + " " + std::to_string(length));
  return {};
}

int Stream(const std::string& data_dir, unsigned seed) {
  const auto storage = OpenIn(data_dir, StorageAccess::kWrite);
  if (!storage) {
    Acknowledge("error " + storage.error().Message());
    return 1;
  }
  Acknowledge("open");
  auto done = (*storage)->Run([seed](Stores& stores) -> Status {
    std::mt19937 random(seed);
    PALUKU_ASSIGN_OR_RETURN(const ConversationRecord conversation,
                            stores.conversations.Create({.title = "stream"}));
    for (;;) PALUKU_TRY(StreamOneTurn(stores, conversation.id, random));
  });
  Acknowledge("error " + done.get().error().Message());
  return 1;
}

// Writes turns until one fails; returns how many were acknowledged and the failure.
Error FillUp(Stores& stores, const std::string& conversation, int& acknowledged) {
  for (;;) {
    const auto turn = stores.conversations.BeginTurn(
        {.conversation = conversation, .text = UserText(acknowledged) + std::string(3000, 'x')});
    if (!turn) return turn.error();
    ++acknowledged;
  }
}

Status FillAndRecover(Stores& stores, const std::string& ballast) {
  PALUKU_ASSIGN_OR_RETURN(const ConversationRecord conversation,
                          stores.conversations.Create({.title = "full"}));
  int turns = 0;
  const Error error = FillUp(stores, conversation.id, turns);
  if (error.code != ErrorCode::kDiskFull) return tl::unexpected(error);
  if (turns == 0) return Fail(ErrorCode::kInternal, "fill", "the disk was full at once");
  if (unlink(ballast.c_str()) != 0) return Fail(ErrorCode::kInternal, "fill", "no ballast");
  PALUKU_TRY(stores.conversations.Rename(conversation.id, "space again"));
  PALUKU_TRY(stores.conversations.BeginTurn({.conversation = conversation.id, .text = "more"}));
  PALUKU_ASSIGN_OR_RETURN(const auto messages, stores.conversations.Messages(conversation.id));
  if (messages.size() != 2U * (static_cast<unsigned>(turns) + 1)) {
    return Fail(ErrorCode::kInternal, "fill", "messages were lost");
  }
  return {};
}

int Fill(const std::string& data_dir) {
  const std::string ballast = data_dir + "/ballast";
  FILE* file = std::fopen(ballast.c_str(), "w");
  const std::string bytes(300000, 'b');
  std::fwrite(bytes.data(), 1, bytes.size(), file);
  std::fclose(file);
  const auto storage = OpenIn(data_dir, StorageAccess::kWrite);
  if (!storage) {
    std::cout << storage.error().Message() << std::endl;
    return 1;
  }
  auto done = (*storage)->Run([&](Stores& stores) { return FillAndRecover(stores, ballast); });
  const Status status = done.get();
  std::cout << (status ? "recovered" : status.error().Message()) << std::endl;
  return status ? 0 : 1;
}

// Ends without closing anything. The conversation `deleted` waits to be erased.
int Leave(const std::string& data_dir) {
  const auto storage = OpenIn(data_dir, StorageAccess::kWrite);
  if (!storage) return 1;
  const Status left =
      (*storage)
          ->Run([](Stores& stores) -> Status {
            PALUKU_ASSIGN_OR_RETURN(const auto kept,
                                    stores.conversations.Create({.title = "kept"}));
            PALUKU_ASSIGN_OR_RETURN(
                const auto turn,
                stores.conversations.BeginTurn({.conversation = kept.id, .text = "question"}));
            PALUKU_TRY(
                stores.conversations.Checkpoint(turn.reply.id, "half an answer", std::nullopt));
            PALUKU_ASSIGN_OR_RETURN(const auto gone,
                                    stores.conversations.Create({.title = "deleted"}));
            return stores.conversations.MarkDeleted(gone.id);
          })
          .get();
  _exit(left ? 0 : 1);
}

// Returns a file that holds all the space that was left.
std::string FillDisk(const std::string& data_dir) {
  std::string ballast = data_dir + "/ballast";
  FILE* file = std::fopen(ballast.c_str(), "w");
  std::setbuf(file, nullptr);
  for (const char byte = 'b'; std::fwrite(&byte, 1, 1, file) == 1;) {
  }
  std::fclose(file);
  return ballast;
}

// What a person sees of the conversation that Leave() left, one line.
Result<std::string> Seen(Stores& stores) {
  PALUKU_ASSIGN_OR_RETURN(const auto list, stores.conversations.List());
  std::string seen;
  for (const ConversationRecord& conversation : list) {
    PALUKU_ASSIGN_OR_RETURN(const auto messages, stores.conversations.Messages(conversation.id));
    seen += conversation.title + ":";
    for (const MessageRecord& message : messages) {
      seen += " " + message.text + "/" + std::to_string(static_cast<int>(message.state));
    }
  }
  return seen;
}

bool PrintSeen(const std::string& data_dir, const std::string& ballast) {
  const auto storage = OpenIn(data_dir, StorageAccess::kWrite);
  if (!storage) {
    std::cout << storage.error().Message() << std::endl;
    return false;
  }
  const auto seen = (*storage)->Run(Seen).get();
  std::cout << (seen ? *seen : seen.error().Message());
  for (const Error& notice : (*storage)->notices()) {
    std::cout << " notice " << static_cast<int>(notice.code);
  }
  std::cout << std::endl;
  if (ballast.empty()) return true;
  const Status written =
      (*storage)
          ->Run([&](Stores& stores) -> Status {
            if (unlink(ballast.c_str()) != 0)
              return Fail(ErrorCode::kInternal, "reopen", "no ballast");
            PALUKU_ASSIGN_OR_RETURN(const auto list, stores.conversations.List());
            return stores.conversations.Rename(list.at(0).id, "renamed");
          })
          .get();
  if (!written) std::cout << written.error().Message() << std::endl;
  return written.has_value();
}

int ReopenFull(const std::string& data_dir) {
  return PrintSeen(data_dir, FillDisk(data_dir)) && PrintSeen(data_dir, {}) ? 0 : 1;
}

}  // namespace
}  // namespace paluku

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const std::string command = argv[1];
  const std::string data_dir = argv[2];
  if (command == "hold") return paluku::Hold(data_dir);
  if (command == "try-write") return paluku::TryWrite(data_dir);
  if (command == "list") return paluku::ListTitles(data_dir);
  if (command == "stream" && argc == 4) {
    return paluku::Stream(data_dir, static_cast<unsigned>(std::stoul(argv[3])));
  }
  if (command == "fill") return paluku::Fill(data_dir);
  if (command == "leave") return paluku::Leave(data_dir);
  if (command == "reopen-full") return paluku::ReopenFull(data_dir);
  return 2;
}
