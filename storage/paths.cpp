#include "storage/paths.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>

namespace paluku {
namespace {

std::string WithoutTrailingSlash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

// The value of an environment variable that must be an absolute path; empty otherwise.
std::string AbsolutePathFrom(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr || value[0] != '/') return {};
  return WithoutTrailingSlash(value);
}

std::string HomeDirectory() {
  if (std::string home = AbsolutePathFrom("HOME"); !home.empty()) return home;
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(getuid(), &entry, buffer.data(), buffer.size(), &found) != 0 || !found) return {};
  return found->pw_dir[0] == '/' ? WithoutTrailingSlash(found->pw_dir) : std::string{};
}

Result<std::string> Absolute(const std::string& path) {
  if (path.front() == '/') return WithoutTrailingSlash(path);
  std::array<char, PATH_MAX> buffer{};
  if (getcwd(buffer.data(), buffer.size()) == nullptr) {
    return tl::unexpected(ErrorFromErrno(errno, path));
  }
  return WithoutTrailingSlash(std::string(buffer.data()) + "/" + path);
}

Status MakeDirectory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0) return {};
  if (errno != EEXIST) return tl::unexpected(ErrorFromErrno(errno, path));
  struct stat info {};
  if (stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return {};
  return Fail(ErrorCode::kInvalidArgument, path, "a file is where a folder should be");
}

}  // namespace

Result<Paths> ResolvePaths(const std::string& data_dir) {
  if (!data_dir.empty()) {
    PALUKU_ASSIGN_OR_RETURN(const std::string base, Absolute(data_dir));
    return Paths{base + "/config", base + "/data", base + "/cache", base + "/state"};
  }
  const std::string home = HomeDirectory();
  const auto place = [&home](const char* variable, const char* below_home) -> std::string {
    const std::string base = AbsolutePathFrom(variable);
    if (!base.empty()) return base + "/paluku";
    return home.empty() ? std::string{} : home + below_home + "/paluku";
  };
  Paths paths{place("XDG_CONFIG_HOME", "/.config"), place("XDG_DATA_HOME", "/.local/share"),
              place("XDG_CACHE_HOME", "/.cache"), place("XDG_STATE_HOME", "/.local/state")};
  if (paths.config.empty() || paths.data.empty() || paths.cache.empty() || paths.state.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "HOME", "no home directory is known");
  }
  return paths;
}

Status CreatePaths(const Paths& paths) {
  for (const std::string& path : {paths.config, paths.data, paths.cache, paths.state}) {
    PALUKU_TRY(CreatePrivateDirectory(path));
  }
  return {};
}

Status CreatePrivateDirectory(const std::string& directory) {
  for (std::size_t slash = directory.find('/', 1); slash != std::string::npos;
       slash = directory.find('/', slash + 1)) {
    PALUKU_TRY(MakeDirectory(directory.substr(0, slash)));
  }
  PALUKU_TRY(MakeDirectory(directory));
  struct stat info {};
  if (stat(directory.c_str(), &info) != 0 ||
      ((info.st_mode & 0077) != 0 && chmod(directory.c_str(), 0700) != 0)) {
    return tl::unexpected(ErrorFromErrno(errno, directory));
  }
  return {};
}

}  // namespace paluku
