// plan MODEL: the memory it takes, part by part, and where each part goes, from its header alone.
#include <unistd.h>

#include <array>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/engine_options.h"
#include "engine/backend/cpu/worker_pool.h"
#include "engine/model/memory_plan.h"
#include "engine/session/engine.h"

namespace paluku::cli {
namespace {

struct PlanArguments {
  std::string model;
  std::int64_t card = 0;
  std::int64_t ram = 0;
  int context_tokens = 0;
  std::string latent = "f16";
};

constexpr std::array<const char*, 12> kPartNames = {
    "embedding",       "attention", "dense_networks", "shared_experts",
    "routed_experts",  "logits",    "latent_cache",   "activations",
    "passing_experts", "workspace", "runtime",        "reserve"};
constexpr std::array<const char*, 12> kPartLabels = {
    "Embedding",       "Attention", "Dense networks", "Shared experts",
    "Routed experts",  "Logits",    "Latent cache",   "Activations",
    "Passing experts", "Workspace", "CUDA runtime",   "Left free"};
constexpr std::array<const char*, 3> kHomeNames = {"card", "processor", "file"};

std::int64_t PhysicalMemory() {
  return static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
}

nlohmann::json ToJson(const MemoryPlan& plan) {
  nlohmann::json parts = nlohmann::json::array();
  for (const PlannedMemory& part : plan.parts) {
    parts.push_back({{"part", kPartNames[static_cast<std::size_t>(part.part)]},
                     {"home", kHomeNames[static_cast<std::size_t>(part.home)]},
                     {"bytes", part.bytes}});
  }
  return {{"context_tokens", plan.context_tokens},
          {"parts", parts},
          {"card_bytes", plan.BytesAt(MemoryHome::kCard)},
          {"processor_bytes", plan.BytesAt(MemoryHome::kProcessor)},
          {"file_bytes", plan.BytesAt(MemoryHome::kFile)},
          {"uses_card", plan.uses_card},
          {"expert_layers", plan.expert_layers},
          {"expert_layers_on_card", plan.expert_layers_on_card},
          {"stream_rows", plan.stream_rows},
          {"least_card_bytes", plan.least_card_bytes},
          {"fits", plan.fits}};
}

void Row(const char* label, const std::array<std::int64_t, 3>& bytes) {
  std::printf("%-16s", label);
  for (const std::int64_t side : bytes) std::printf("%14s", side > 0 ? Bytes(side).c_str() : "-");
  std::printf("\n");
}

// Who computes, where a card was asked about.
std::string Share(const MemoryPlan& plan, std::int64_t card) {
  if (card == 0) return {};
  if (plan.least_card_bytes == 0)
    return "The card cannot read its weights: the processor computes. ";
  if (!plan.uses_card) {
    return "The card needs at least " + Bytes(plan.least_card_bytes) + ": the processor computes. ";
  }
  const int others = plan.expert_layers - plan.expert_layers_on_card;
  if (others == 0) return "The card computes everything. ";
  return "The card computes all but the routed experts of " + std::to_string(others) + " of " +
         std::to_string(plan.expert_layers) + " layers, which the processor computes" +
         (plan.stream_rows > 0 ? "; prompts of " + std::to_string(plan.stream_rows) +
                                     " tokens and more bring them to the card. "
                               : ". ");
}

std::string Verdict(const MemoryPlan& plan, std::int64_t card) {
  return Share(plan, card) +
         (plan.fits ? "It fits." : "It does not fit into the memory of this computer.");
}

void PrintText(const MemoryPlan& plan, std::int64_t card) {
  std::printf("%-16s%14s%14s%14s\n", "", "card", "computer", "file in place");
  std::map<MemoryPart, std::array<std::int64_t, 3>> rows;
  for (const PlannedMemory& part : plan.parts) {
    rows[part.part][static_cast<std::size_t>(part.home)] += part.bytes;
  }
  for (const auto& [part, bytes] : rows) Row(kPartLabels[static_cast<std::size_t>(part)], bytes);
  Row("Together", {plan.BytesAt(MemoryHome::kCard), plan.BytesAt(MemoryHome::kProcessor),
                   plan.BytesAt(MemoryHome::kFile)});
  std::printf("Context of %s tokens. %s\n", GroupedDigits(plan.context_tokens).c_str(),
              Verdict(plan, card).c_str());
}

Status Plan(const Context& context, const PlanArguments& arguments) {
  PALUKU_ASSIGN_OR_RETURN(const std::string path, context.ModelPath(arguments.model));
  PALUKU_ASSIGN_OR_RETURN(const auto file, ModelFile::Open(path));
  PALUKU_ASSIGN_OR_RETURN(const ModelConfig config, ModelConfig::Parse(*file));
  PlanRequest request = {
      .card_bytes = arguments.card,
      .ram_bytes = arguments.ram > 0 ? arguments.ram : PhysicalMemory(),
      .threads = PhysicalCores(),
      .context_tokens = ContextTokens(arguments.context_tokens, config.context_length),
      .latent_type = LatentTypeOf(arguments.latent)};
  PALUKU_ASSIGN_OR_RETURN(const MemoryPlan plan, PlanMemory(*file, config, request));
  if (context.json) {
    PrintJson(ToJson(plan));
  } else {
    PrintText(plan, arguments.card);
  }
  return {};
}

}  // namespace

void AddPlan(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("plan", "Tell the memory a model takes, and where");
  auto arguments = std::make_shared<PlanArguments>();
  AddModelOption(*command, arguments->model);
  AddCacheOptions(*command, arguments->context_tokens, arguments->latent);
  command->add_option("--vram", arguments->card, "Free memory of the card: 8GB, 12GiB")
      ->transform(CLI::AsSizeValue(true));
  command->add_option("--ram", arguments->ram, "Memory of the computer; without it, of this one")
      ->transform(CLI::AsSizeValue(true));
  command->callback([arguments, &action] {
    action = [arguments](Context& context) { return Plan(context, *arguments); };
  });
}

}  // namespace paluku::cli
