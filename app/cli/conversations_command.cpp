// conversations list|show: what is stored.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/cli/command.h"

namespace paluku::cli {
namespace {

constexpr std::int64_t kPageSize = 500;

Result<std::vector<ConversationRecord>> AllConversations(Storage& storage) {
  std::vector<ConversationRecord> all;
  while (true) {
    const Page page{.offset = static_cast<std::int64_t>(all.size()), .limit = kPageSize};
    PALUKU_ASSIGN_OR_RETURN(
        const std::vector<ConversationRecord> part,
        storage.Run([&](Stores& stores) { return stores.conversations.List(page); }).get());
    all.insert(all.end(), part.begin(), part.end());
    if (static_cast<std::int64_t>(part.size()) < kPageSize) return all;
  }
}

Status List(const Context& context) {
  PALUKU_ASSIGN_OR_RETURN(const std::unique_ptr<Storage> storage,
                          context.OpenStorage(StorageAccess::kReadOnly));
  std::vector<ConversationRecord> conversations;
  if (storage) {
    PALUKU_ASSIGN_OR_RETURN(conversations, AllConversations(*storage));
  }
  nlohmann::json list = nlohmann::json::array();
  for (const ConversationRecord& conversation : conversations) {
    list.push_back({{"id", conversation.id}, {"title", conversation.title}});
    if (!context.json) WriteText(stdout, conversation.id + "  " + conversation.title + "\n");
  }
  if (context.json) PrintJson({{"conversations", list}});
  return {};
}

nlohmann::json ToJson(const MessageRecord& message) {
  nlohmann::json json{{"id", message.id},
                      {"parent", nullptr},
                      {"role", RoleName(message.role)},
                      {"state", StateName(message.state)},
                      {"text", message.text},
                      {"reasoning", nullptr}};
  if (!message.parent.empty()) json["parent"] = message.parent;
  if (message.reasoning) json["reasoning"] = *message.reasoning;
  return json;
}

void PrintText(const MessageRecord& message) {
  std::printf("\n%s", std::string(RoleName(message.role)).c_str());
  if (message.state != MessageState::kComplete)
    std::printf(" (%s)", std::string(StateName(message.state)).c_str());
  WriteText(stdout, "\n" + message.text + "\n");
}

Status Show(const Context& context, const std::string& id) {
  PALUKU_ASSIGN_OR_RETURN(const std::unique_ptr<Storage> storage,
                          context.OpenStorage(StorageAccess::kReadOnly));
  if (!storage) return Fail(ErrorCode::kNotFound, id);
  PALUKU_ASSIGN_OR_RETURN(
      const ConversationRecord conversation,
      storage->Run([&](Stores& stores) { return stores.conversations.Get(id); }).get());
  PALUKU_ASSIGN_OR_RETURN(
      const std::vector<MessageRecord> messages,
      storage->Run([&](Stores& stores) { return stores.conversations.Messages(id); }).get());
  nlohmann::json list = nlohmann::json::array();
  if (!context.json) WriteText(stdout, conversation.title + "\n");
  for (const MessageRecord& message : messages) {
    list.push_back(ToJson(message));
    if (!context.json) PrintText(message);
  }
  if (context.json)
    PrintJson({{"id", conversation.id}, {"title", conversation.title}, {"messages", list}});
  return {};
}

}  // namespace

void AddConversations(CLI::App& app, Action& action) {
  CLI::App* conversations = app.add_subcommand("conversations", "The stored conversations");
  conversations->require_subcommand(1);
  conversations->add_subcommand("list", "List the conversations, newest first")
      ->callback([&action] { action = List; });

  auto id = std::make_shared<std::string>();
  CLI::App* show = conversations->add_subcommand("show", "Print one conversation, all branches");
  show->add_option("id", *id, "Id of the conversation")->required();
  show->callback([id, &action] { action = [id](Context& context) { return Show(context, *id); }; });
}

}  // namespace paluku::cli
