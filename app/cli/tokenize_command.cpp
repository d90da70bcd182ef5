// tokenize and detokenize: text to token ids and back, for a model or a bare vocabulary.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/text_file.h"
#include "engine/base/utf8.h"
#include "engine/loader/model_file.h"
#include "engine/text/tokenizer.h"

namespace paluku::cli {
namespace {

Result<std::shared_ptr<const Tokenizer>> OpenTokenizer(const Context& context,
                                                       const std::string& model) {
  PALUKU_ASSIGN_OR_RETURN(const std::string path, context.ModelPath(model));
  if (path.ends_with(".json")) {
    PALUKU_ASSIGN_OR_RETURN(Vocabulary vocabulary, VocabularyFromTokenizerJson(path));
    return Tokenizer::Create(std::move(vocabulary));
  }
  if (path.ends_with("tiktoken.model")) {
    PALUKU_ASSIGN_OR_RETURN(Vocabulary vocabulary, VocabularyFromTiktoken(path));
    return Tokenizer::Create(std::move(vocabulary));
  }
  PALUKU_ASSIGN_OR_RETURN(const std::shared_ptr<const ModelFile> file, ModelFile::Open(path));
  PALUKU_ASSIGN_OR_RETURN(Vocabulary vocabulary, VocabularyFromGguf(*file));
  return Tokenizer::Create(std::move(vocabulary));
}

struct TokenizeArguments {
  std::string model;
  std::string text;
  std::string file;
  bool no_bos = false;
};

// Text of the command line is trusted: special tokens written in it are parsed, as the contract's
// tests expect of a tool for looking at vocabularies.
Status Tokenize(const Context& context, const TokenizeArguments& arguments) {
  PALUKU_ASSIGN_OR_RETURN(const std::shared_ptr<const Tokenizer> tokenizer,
                          OpenTokenizer(context, arguments.model));
  std::string text = arguments.text;
  if (!arguments.file.empty()) {
    PALUKU_ASSIGN_OR_RETURN(text, ReadTextFile(arguments.file));
  }
  const std::vector<std::int32_t> ids = arguments.no_bos
                                            ? tokenizer->Encode(text, SpecialTokens::kParse)
                                            : tokenizer->EncodePrompt(text, SpecialTokens::kParse);
  nlohmann::json pieces = nlohmann::json::array();
  for (const std::int32_t id : ids) {
    const std::string piece = RepairUtf8(tokenizer->Piece(id));
    pieces.push_back(piece);
    if (!context.json) std::printf("%7d  %s\n", id, nlohmann::json(piece).dump().c_str());
  }
  if (context.json) PrintJson({{"ids", ids}, {"pieces", pieces}});
  return {};
}

Status Detokenize(const Context& context, const std::string& model,
                  const std::vector<std::int32_t>& ids) {
  PALUKU_ASSIGN_OR_RETURN(const std::shared_ptr<const Tokenizer> tokenizer,
                          OpenTokenizer(context, model));
  PALUKU_ASSIGN_OR_RETURN(const std::string text, tokenizer->Decode(ids));
  if (context.json) {
    PrintJson({{"text", RepairUtf8(text)}});
  } else {
    WriteText(stdout, text + "\n");
  }
  return {};
}

}  // namespace

void AddTokenize(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<TokenizeArguments>();
  CLI::App* tokenize = app.add_subcommand("tokenize", "Print the token ids of a text");
  tokenize->add_option("model", arguments->model,
                       "A model, a vocabulary-only GGUF or a tokenizer.json");
  CLI::Option* text = tokenize->add_option("--text", arguments->text, "The text");
  CLI::Option* file =
      tokenize->add_option("--file", arguments->file, "A file that holds the text")->excludes(text);
  tokenize->add_flag("--no-bos", arguments->no_bos, "Put no begin-of-text token before it");
  tokenize->callback([arguments, text, file, &action] {
    if (text->count() + file->count() == 0) throw CLI::RequiredError("--text or --file");
    action = [arguments](Context& context) { return Tokenize(context, *arguments); };
  });

  auto model = std::make_shared<std::string>();
  auto ids = std::make_shared<std::vector<std::int32_t>>();
  CLI::App* detokenize = app.add_subcommand("detokenize", "Print the text of token ids");
  detokenize->add_option("model", *model, "A model, a vocabulary-only GGUF or a tokenizer.json");
  detokenize->add_option("--ids", *ids, "Token ids, with commas between them")
      ->delimiter(',')
      ->required();
  detokenize->callback([model, ids, &action] {
    action = [model, ids](Context& context) { return Detokenize(context, *model, *ids); };
  });
}

}  // namespace paluku::cli
