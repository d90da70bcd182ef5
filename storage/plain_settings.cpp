#include "storage/plain_settings.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>

#include "storage/files.h"

namespace paluku {
namespace {

using Json = nlohmann::json;

// Far above what the program ever writes: a larger file is not ours.
constexpr std::size_t kMaxBytes = 1 << 20;

// The content, cut at one byte over kMaxBytes.
Result<std::string> ReadSmallFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return tl::unexpected(ErrorFromErrno(errno, path));
  std::string content(kMaxBytes + 1, '\0');
  std::size_t filled = 0;
  ssize_t got = 0;
  while ((got = read(fd, content.data() + filled, content.size() - filled)) > 0) {
    filled += static_cast<std::size_t>(got);
  }
  const int reason = errno;
  close(fd);
  if (got < 0) return tl::unexpected(ErrorFromErrno(reason, path));
  content.resize(filled);
  return content;
}

// Nothing when `content` is not an object of strings.
std::optional<std::map<std::string, std::string>> Parse(const std::string& content) {
  if (content.size() > kMaxBytes) return std::nullopt;
  const Json json = Json::parse(content, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  std::map<std::string, std::string> values;
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) return std::nullopt;
    values[key] = value.get<std::string>();
  }
  return values;
}

}  // namespace

Result<PlainSettings> PlainSettings::Load(const std::string& path) {
  PlainSettings settings;
  settings.path_ = path;
  Result<std::string> content = ReadSmallFile(path);
  if (!content) {
    if (content.error().code == ErrorCode::kFileNotFound) return settings;
    return tl::unexpected(content.error());
  }
  if (auto values = Parse(*content)) {
    settings.values_ = std::move(*values);
  } else {
    PALUKU_TRY(RenameDurably(path, path + ".damaged"));
  }
  return settings;
}

Status PlainSettings::Save() const {
  // Invalid UTF-8 becomes U+FFFD: what is written can always be read again.
  const std::string text =
      Json(values_).dump(2, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
  return ReplaceFile(path_, text + "\n");
}

std::string PlainSettings::Get(const std::string& key, const std::string& fallback) const {
  const auto found = values_.find(key);
  return found == values_.end() ? fallback : found->second;
}

void PlainSettings::Set(const std::string& key, const std::string& value) { values_[key] = value; }

}  // namespace paluku
