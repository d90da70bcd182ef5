#include "engine/loader/required_files.h"

#include <filesystem>

namespace paluku {

Status RequireFiles(const std::string& directory, const std::vector<std::string>& names) {
  constexpr std::size_t kNamed = 6;
  std::vector<std::string> missing;
  std::error_code error;
  for (const std::string& name : names) {
    if (!std::filesystem::exists(std::filesystem::path(directory) / name, error)) {
      missing.push_back(name);
    }
  }
  if (missing.empty()) return {};
  // The error's sentence puts “ before the subject and ” behind it.
  std::string subject = (std::filesystem::path(directory) / missing.front()).string();
  for (std::size_t i = 1; i < missing.size() && i < kNamed; ++i) subject += "”, “" + missing[i];
  if (missing.size() > kNamed) {
    subject += "”, “… " + std::to_string(missing.size() - kNamed);
  }
  return Fail(ErrorCode::kFileNotFound, subject);
}

}  // namespace paluku
