// Small file operations whose order of steps decides whether data survives a crash.
// Plain functions, any thread. Errors are those of ErrorFromErrno, with the path as the subject.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/error.h"

namespace paluku {

// Creates `path` with mode 0600 when it is missing, and takes other people's rights away when it is
// there.
Status EnsurePrivateFile(const std::string& path);

// Makes the names inside `directory` durable: what was created, renamed or removed there.
Status SyncDirectory(const std::string& directory);

// Renames and makes it durable; both paths are in one directory.
Status RenameDurably(const std::string& from, const std::string& to);

// Puts `content` at `path` as a whole with mode 0600: after a crash either the old file or the new
// one is there.
Status ReplaceFile(const std::string& path, std::string_view content);

// Removes the file; one that is not there is no error.
Status RemoveFile(const std::string& path);

// Size in bytes, or -1 when there is no such file. Error: kNotARegularFile.
Result<std::int64_t> FileSize(const std::string& path);

// The directory part of `path`, "." when there is none.
std::string ParentDirectory(const std::string& path);

// The kind of a file system (statfs f_type) on which the database cannot live, or nullptr.
const char* UnsuitableFileSystem(std::int64_t type);

// Refuses network and user-space file systems (NFS, CIFS, FUSE and the like), on which SQLite's
// write-ahead log has no shared memory to rely on. Error: kInvalidArgument naming the kind.
Status RequireLocalFileSystem(const std::string& directory);

// "20261123T233059Z": a time for file names.
std::string FileStamp(std::int64_t ms_since_epoch);

}  // namespace paluku
