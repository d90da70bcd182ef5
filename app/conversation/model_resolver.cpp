#include "app/conversation/model_resolver.h"

#include <filesystem>
#include <system_error>

namespace paluku {
namespace fs = std::filesystem;

std::string StarterModelPath() {
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  return (program.parent_path().parent_path() / "share/paluku/paluku-starter.gguf").string();
}

Result<std::string> ResolveModel(const std::string& model, ModelStore* store) {
  if (model.empty()) return StarterModelPath();
  if (model.find('/') != std::string::npos || model.ends_with(".gguf") ||
      model.ends_with(".json")) {
    std::error_code error;
    const fs::path absolute = fs::absolute(model, error);
    return error ? model : absolute.string();
  }
  if (store != nullptr) {
    PALUKU_ASSIGN_OR_RETURN(const std::vector<ModelRecord> records, store->List());
    for (const ModelRecord& record : records) {
      if (record.name == model || record.id == model) return record.path;
    }
  }
  if (model == "starter") return StarterModelPath();
  std::error_code error;
  if (fs::is_directory(model, error)) return fs::absolute(model, error).string();
  return Fail(ErrorCode::kNotFound, model);
}

}  // namespace paluku
