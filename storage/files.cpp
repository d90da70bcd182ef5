#include "storage/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <ctime>

namespace paluku {
namespace {

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  // Closes now and tells whether that worked: some file systems report a failed write only here.
  bool Close() {
    const int result = close(fd_);
    fd_ = -1;
    return result == 0;
  }

 private:
  int fd_;
};

tl::unexpected<Error> FailWithErrno(const std::string& path) {
  return tl::unexpected(ErrorFromErrno(errno, path));
}

Status WriteAll(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return FailWithErrno(path);
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Status WriteNewFile(const std::string& path, std::string_view content) {
  Descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (file.get() < 0) return FailWithErrno(path);
  PALUKU_TRY(WriteAll(file.get(), content, path));
  if (fsync(file.get()) != 0 || !file.Close()) return FailWithErrno(path);
  return {};
}

}  // namespace

// An existing file is not opened: closing it again would drop the locks that a connection of this
// process may hold on it (a rule of POSIX record locks).
Status EnsurePrivateFile(const std::string& path) {
  const Descriptor created(open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (created.get() >= 0) return {};
  struct stat info {};
  if (errno != EEXIST || stat(path.c_str(), &info) != 0) return FailWithErrno(path);
  if (!S_ISREG(info.st_mode)) return Fail(ErrorCode::kNotARegularFile, path);
  if ((info.st_mode & 0077) != 0 && chmod(path.c_str(), 0600) != 0) return FailWithErrno(path);
  return {};
}

Status SyncDirectory(const std::string& directory) {
  Descriptor handle(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (handle.get() < 0 || fsync(handle.get()) != 0) return FailWithErrno(directory);
  return {};
}

Status RenameDurably(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) != 0) return FailWithErrno(from);
  return SyncDirectory(ParentDirectory(to));
}

Status ReplaceFile(const std::string& path, std::string_view content) {
  const std::string temporary = path + ".new";
  if (Status written = WriteNewFile(temporary, content); !written) {
    unlink(temporary.c_str());
    return Fail(written.error().code, path, written.error().detail);
  }
  return RenameDurably(temporary, path);
}

Status RemoveFile(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return FailWithErrno(path);
  return {};
}

Result<std::int64_t> FileSize(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return -1;
    return FailWithErrno(path);
  }
  if (!S_ISREG(info.st_mode)) return Fail(ErrorCode::kNotARegularFile, path);
  return static_cast<std::int64_t>(info.st_size);
}

std::string ParentDirectory(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

const char* UnsuitableFileSystem(std::int64_t type) {
  // Numbers of <linux/magic.h> and of the kernel's sources, for those that header lacks.
  switch (static_cast<std::uint32_t>(type)) {
    case 0x6969:
      return "NFS";
    case 0x517b:
    case 0xff534d42:
    case 0xfe534d42:
      return "CIFS";
    case 0x65735546:
      return "FUSE";
    case 0x564c:
      return "NCP";
    case 0x01021997:
      return "9P";
    case 0x73757245:
      return "Coda";
    case 0x5346414f:
      return "AFS";
    case 0x00c36400:
      return "Ceph";
    default:
      return nullptr;
  }
}

Status RequireLocalFileSystem(const std::string& directory) {
  struct statfs info {};
  if (statfs(directory.c_str(), &info) != 0) return FailWithErrno(directory);
  const char* kind = UnsuitableFileSystem(info.f_type);
  if (kind == nullptr) return {};
  return Fail(ErrorCode::kInvalidArgument, directory,
              std::string("this folder is on a network file system (") + kind +
                  "); conversations can only be kept on a disk of this computer");
}

std::string FileStamp(std::int64_t ms_since_epoch) {
  const std::time_t seconds = static_cast<std::time_t>(ms_since_epoch / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &utc)};
}

}  // namespace paluku
