// inspect MODEL: what a model file is, from its header alone. inspect --families: which models run.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "engine/backend/registry.h"
#include "engine/loader/model_card.h"
#include "engine/model/family.h"

namespace paluku::cli {
namespace {

// Bytes per token of the latent cache in 16 bit, and of ordinary attention at the same precision.
std::int64_t LatentBytes(const ModelCard& card) {
  return 2ll * card.layers * (card.latent + card.rope);
}
std::int64_t PlainBytes(const ModelCard& card) {
  return 2ll * card.layers * card.heads * (card.nope + card.rope + card.value);
}

// The English sentences of errors or notes.
template <class Reason>
nlohmann::json Messages(const std::vector<Reason>& reasons) {
  nlohmann::json sentences = nlohmann::json::array();
  for (const Reason& reason : reasons) sentences.push_back(reason.Message());
  return sentences;
}

nlohmann::json Groups(const ModelCard& card) {
  nlohmann::json groups = nlohmann::json::array();
  for (const TensorGroup& group : card.tensor_groups) {
    nlohmann::json types = nlohmann::json::object();
    for (const auto& [name, count] : group.types) types[name] = count;
    groups.push_back({{"group", TensorGroupName(group.kind)},
                      {"parameters", group.parameters},
                      {"bytes", group.bytes},
                      {"types", types}});
  }
  return groups;
}

// What would make the card faster with this model; empty: nothing.
std::string RemarkOn(const ModelCard& card, Backend& cuda) {
  const bool halves = std::any_of(card.tensor_types.begin(), card.tensor_types.end(),
                                  [](auto& of) { return of.first == "F16" || of.first == "BF16"; });
  return halves ? cuda.Remark() : "";
}

// The card that would compute, or why there is none.
nlohmann::json Cuda(const ModelCard& card, const Result<std::unique_ptr<Backend>>& cuda) {
  if (!cuda) return {{"card", nullptr}, {"reason", cuda.error().detail}};
  const CardInfo info = (*cuda)->card();
  return {{"card", info.name}, {"free_bytes", info.free_bytes}, {"remark", RemarkOn(card, **cuda)}};
}

nlohmann::json ToJson(const ModelCard& card) {
  nlohmann::json types = nlohmann::json::object();
  for (const auto& [name, count] : card.tensor_types) types[name] = count;
  return {{"path", card.path},
          {"name", card.name},
          {"architecture", card.architecture},
          {"family", card.family},
          {"proof", card.proof},
          {"format", card.format},
          {"type", card.type_name},
          {"file_bytes", card.file_bytes},
          {"parameters", card.parameters},
          {"active_parameters", card.active_parameters},
          {"layers", card.layers},
          {"dense_layers", card.dense_layers},
          {"hidden", card.hidden},
          {"heads", card.heads},
          {"latent", card.latent},
          {"nope", card.nope},
          {"rope", card.rope},
          {"value", card.value},
          {"q_lora", card.q_lora},
          {"experts", card.experts},
          {"experts_chosen", card.experts_chosen},
          {"experts_shared", card.experts_shared},
          {"vocabulary", card.vocabulary},
          {"context_length", card.context_length},
          {"latent_bytes_per_token", LatentBytes(card)},
          {"plain_bytes_per_token", PlainBytes(card)},
          {"tokenizer", card.tokenizer},
          {"chat_template", card.chat_template},
          {"tensor_types", types},
          {"tensor_groups", Groups(card)},
          {"unsupported", Messages(card.unsupported)},
          {"notes", Messages(card.notes)}};
}

void Line(const char* label, const std::string& text) {
  std::printf("%-16s%s\n", label, TextFor(stdout, text).c_str());
}

// One line a group: weights, bytes, and how many tensors are of which type.
void PrintGroups(const ModelCard& card) {
  const char* label = "Tensors";
  for (const TensorGroup& group : card.tensor_groups) {
    std::string types;
    for (const auto& [name, count] : group.types) {
      types += "  " + name + " " + std::to_string(count);
    }
    std::printf("%-16s%-20s%18s weights %9s%s\n", label,
                std::string(TensorGroupName(group.kind)).c_str(),
                GroupedDigits(group.parameters).c_str(), Bytes(group.bytes).c_str(), types.c_str());
    label = "";
  }
}

void PrintText(const ModelCard& card) {
  Line("Model", card.name);
  Line("File", card.path);
  Line("Format", card.format + ", " + card.type_name + ", " + Bytes(card.file_bytes));
  Line("Architecture", card.architecture + (card.family.empty() ? "" : ", family " + card.family));
  if (card.unsupported.empty()) {
    Line("Compared with", card.proof.empty()
                              ? "nothing of this shape (inspect --families lists what was)"
                              : card.proof);
  }
  Line("Parameters", GroupedDigits(card.parameters) + ", " + GroupedDigits(card.active_parameters) +
                         " active per token");
  Line("Layers",
       std::to_string(card.layers) + ", the first " + std::to_string(card.dense_layers) + " dense");
  if (card.experts > 0) {
    Line("Experts", std::to_string(card.experts_chosen) + " of " + std::to_string(card.experts) +
                        " per token, " + std::to_string(card.experts_shared) + " shared");
  }
  Line("Attention", std::to_string(card.heads) + " heads, latent " + std::to_string(card.latent) +
                        " + rope " + std::to_string(card.rope));
  Line("Latent cache",
       Bytes(LatentBytes(card)) + " per token in 16 bit, instead of " + Bytes(PlainBytes(card)));
  Line("Context", GroupedDigits(card.context_length) + " tokens");
  Line("Vocabulary", GroupedDigits(card.vocabulary) + " tokens, tokenizer " + card.tokenizer);
  Line("Chat template", card.chat_template.empty() ? "not known" : card.chat_template);
  PrintGroups(card);
  for (const ModelNote& note : card.notes) Line("Note", note.Message());
  for (const Error& reason : card.unsupported) Line("Unsupported", reason.Message());
}

void PrintCuda(const ModelCard& card, const Result<std::unique_ptr<Backend>>& cuda) {
  if (!cuda) return Line("CUDA", "no: " + cuda.error().detail);
  const CardInfo info = (*cuda)->card();
  Line("CUDA", info.name + ", " + Bytes(info.free_bytes) + " free");
  const std::string remark = RemarkOn(card, **cuda);
  if (!remark.empty()) Line("", remark);
}

Status Inspect(const Context& context, const std::string& model) {
  PALUKU_ASSIGN_OR_RETURN(const std::string path, context.ModelPath(model));
  PALUKU_ASSIGN_OR_RETURN(const ModelCard card, ReadModelCard(path));
  if (context.json) {
    nlohmann::json json = ToJson(card);
    json["cuda"] = Cuda(card, CreateBackend({.name = "cuda"}));
    PrintJson(json);
  } else {
    // What the file tells does not wait for a card to wake up.
    PrintText(card);
    std::fflush(stdout);
    PrintCuda(card, CreateBackend({.name = "cuda"}));
  }
  return {};
}

void PrintFamilies() {
  std::printf("Runs, and what its logits are compared with:\n");
  for (const KnownModel& model : KnownModels()) {
    std::string name(model.name);
    if (!model.also.empty()) name += ", " + std::string(model.also);
    std::printf("  %-32s%-12s%s\n", name.c_str(), std::string(model.architecture).c_str(),
                Sentence(model.proof).c_str());
  }
  std::printf("Does not run:\n");
  for (const RefusedFamily& family : RefusedFamilies()) {
    std::printf("  %-32s%s\n", std::string(family.architecture).c_str(),
                std::string(family.reason).c_str());
  }
}

nlohmann::json FamiliesJson() {
  nlohmann::json runs = nlohmann::json::array();
  for (const KnownModel& model : KnownModels()) {
    runs.push_back({{"name", model.name},
                    {"also", model.also},
                    {"architecture", model.architecture},
                    {"checkpoint", model.proof.checkpoint},
                    {"proof", Sentence(model.proof)}});
  }
  nlohmann::json refused = nlohmann::json::array();
  for (const RefusedFamily& family : RefusedFamilies()) {
    refused.push_back({{"architecture", family.architecture}, {"reason", family.reason}});
  }
  return {{"runs", runs}, {"refused", refused}};
}

Status ListFamilies(const Context& context) {
  if (context.json) {
    PrintJson(FamiliesJson());
  } else {
    PrintFamilies();
  }
  return {};
}

}  // namespace

void AddInspect(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("inspect", "Tell what a model file holds");
  auto model = std::make_shared<std::string>();
  auto families = std::make_shared<bool>(false);
  CLI::Option* named = command->add_option("model", *model, "Path or name of a model");
  command->add_flag("--families", *families, "List the models that run, and their proof")
      ->excludes(named);
  command->callback([model, families, &action] {
    action = [model, families](Context& context) {
      return *families ? ListFamilies(context) : Inspect(context, *model);
    };
  });
}

}  // namespace paluku::cli
