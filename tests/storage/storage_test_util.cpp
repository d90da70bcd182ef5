#include "tests/storage/storage_test_util.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

extern char** environ;

namespace paluku {

namespace {

// In memory where that is possible: none of these tests cuts the power, so waiting for a disk adds
// nothing but minutes. TEST_TMPDIR chooses another place.
std::string PlaceForTests() {
  const bool chosen = std::getenv("TEST_TMPDIR") != nullptr;
  return !chosen && access("/dev/shm", W_OK) == 0 ? "/dev/shm/" : testing::TempDir();
}

}  // namespace

TempDir::TempDir() {
  std::string pattern = PlaceForTests() + "paluku-storage-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
  path_ = pattern;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::unique_ptr<Storage> MustOpen(const std::string& data_dir, StorageAccess access) {
  StorageOptions options;
  options.data_dir = data_dir;
  options.access = access;
  return Must(Storage::Open(options));
}

std::string ReadBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void WriteBytes(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << bytes;
}

std::vector<std::string> FileNames(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> FilesWithPrefix(const std::string& directory, const std::string& prefix) {
  std::vector<std::string> names = FileNames(directory);
  std::erase_if(names, [&](const std::string& name) { return !name.starts_with(prefix); });
  return names;
}

std::string IntegrityCheck(const std::string& database) {
  SQLite::Database connection(database, SQLite::OPEN_READWRITE);
  return connection.execAndGet("PRAGMA integrity_check").getString();
}

void ExecuteSql(const std::string& database, const std::string& sql) {
  SQLite::Database connection(database, SQLite::OPEN_READWRITE);
  connection.exec(sql);
}

Child::Child(std::vector<std::string> arguments) {
  int in[2];
  int out[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const int result = posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(in[0]);
  close(out[1]);
  to_child_ = in[1];
  from_child_ = out[0];
  if (result != 0) throw std::runtime_error("posix_spawnp");
}

Child::~Child() {
  if (pid_ > 0) {
    Kill();
    Finish();
  }
  close(from_child_);
}

std::string Child::ReadLine() {
  for (;;) {
    if (const auto end = buffered_.find('\n'); end != std::string::npos) {
      std::string line = buffered_.substr(0, end);
      buffered_.erase(0, end + 1);
      return line;
    }
    char chunk[4096];
    const ssize_t got = read(from_child_, chunk, sizeof chunk);
    if (got <= 0) return {};
    buffered_.append(chunk, static_cast<std::size_t>(got));
  }
}

std::string Child::ReadAll() {
  char chunk[4096];
  ssize_t got = 0;
  while ((got = read(from_child_, chunk, sizeof chunk)) > 0) {
    buffered_.append(chunk, static_cast<std::size_t>(got));
  }
  return std::exchange(buffered_, {});
}

void Child::Kill() { kill(pid_, SIGKILL); }

int Child::Finish() {
  if (to_child_ >= 0) close(std::exchange(to_child_, -1));
  int status = 0;
  waitpid(std::exchange(pid_, -1), &status, 0);
  return status;
}

}  // namespace paluku
