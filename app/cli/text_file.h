// Text that a command reads from a file.
#pragma once

#include <fstream>
#include <iterator>
#include <string>

#include "engine/base/error.h"

namespace paluku::cli {

// Errors: kFileNotFound, kIo.
inline Result<std::string> ReadTextFile(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return Fail(ErrorCode::kFileNotFound, path);
  std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (stream.bad()) return Fail(ErrorCode::kIo, path, "the file could not be read to its end");
  return text;
}

}  // namespace paluku::cli
