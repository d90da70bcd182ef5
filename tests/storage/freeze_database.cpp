// Writes the database that tests/storage/data/README.md speaks of: freeze_database DIR makes
// DIR/paluku.db with the schema of today and a known content. Run once per released schema version.
#include <iostream>

#include "storage/storage.h"

namespace paluku {
namespace {

Status Fill(Stores& stores) {
  PALUKU_ASSIGN_OR_RETURN(
      const ConversationRecord conversation,
      stores.conversations.Create(
          {.title = "Frozen పలుకు", .instruction = "Answer in Telugu.", .model = "starter"}));
  PALUKU_ASSIGN_OR_RETURN(
      const Turn turn,
      stores.conversations.BeginTurn(
          {.conversation = conversation.id, .text = "What are you?", .model = "Tiny"}));
  PALUKU_TRY(stores.conversations.Finish(
      turn.reply.id,
      {.text = "పలుకు.",
       .reasoning = "A short answer will do.",
       .stats = {.token_count = 5, .tokens_per_second = 20.0, .first_token_ms = 40}}));
  PALUKU_TRY(stores.conversations.SetDraft(conversation.id, "unsent"));
  PALUKU_TRY(stores.settings.Set("threads", "3"));
  PALUKU_TRY(stores.models.Add("/models/tiny.gguf", "Tiny", 1234));
  return {};
}

}  // namespace
}  // namespace paluku

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  paluku::StorageOptions options;
  options.data_dir = argv[1];
  const auto storage = paluku::Storage::Open(options);
  const paluku::Status status =
      storage ? (*storage)->Run(paluku::Fill).get() : tl::unexpected(storage.error());
  if (!status) std::cerr << status.error().Message() << '\n';
  return status ? 0 : 1;
}
