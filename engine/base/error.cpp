#include "engine/base/error.h"

#include <cerrno>
#include <cstring>

namespace paluku {

const char* ErrorTemplate(ErrorCode code) {
  switch (code) {
    case ErrorCode::kFileNotFound:
      return "“%1” is not there.";
    case ErrorCode::kFileNotReadable:
      return "“%1” may not be read: permission is missing.";
    case ErrorCode::kNotARegularFile:
      return "“%1” is not a file.";
    case ErrorCode::kIo:
      return "“%1” could not be read or written: %2.";
    case ErrorCode::kDiskFull:
      return "The disk is full: “%1” could not be written.";
    case ErrorCode::kFileEmpty:
      return "“%1” is empty.";
    case ErrorCode::kNotAModelFile:
      return "“%1” is not a GGUF model file.";
    case ErrorCode::kFileTruncated:
      return "“%1” ends too early (%2). Download it again.";
    case ErrorCode::kFileDamaged:
      return "“%1” is damaged (%2). Download it again.";
    case ErrorCode::kLimitExceeded:
      return "“%1” goes beyond what a model file may hold (%2).";
    case ErrorCode::kUnsupportedVersion:
      return "“%1” has format version %2, which Paluku cannot read.";
    case ErrorCode::kUnsupportedArchitecture:
      return "“%1” holds a model of the family “%2”, which Paluku cannot run.";
    case ErrorCode::kUnsupportedTensorType:
      return "“%1” stores weights in a way that Paluku cannot read (%2).";
    case ErrorCode::kUnsupportedTokenizer:
      return "“%1” needs the tokenizer “%2”, which Paluku does not have.";
    case ErrorCode::kUnsupportedTemplate:
      return "The chat template of “%1” cannot be used (%2).";
    case ErrorCode::kModelNotRunnable:
      return "“%1” cannot be run by Paluku: %2.";
    case ErrorCode::kMissingKey:
      return "“%1” lacks the entry “%2”.";
    case ErrorCode::kMissingTensor:
      return "“%1” lacks the tensor “%2”.";
    case ErrorCode::kBadValue:
      return "“%1” holds a value that cannot be right (%2).";
    case ErrorCode::kOutOfMemory:
      return "There is not enough memory for “%1”: %2 are needed.";
    case ErrorCode::kContextFull:
      return "The context is full: %2 tokens.";
    case ErrorCode::kCancelled:
      return "Stopped.";
    case ErrorCode::kNoModel:
      return "No model is loaded.";
    case ErrorCode::kDeviceFailed:
      return "The device “%1” failed: %2.";
    case ErrorCode::kInvalidArgument:
      return "%1: %2.";
    case ErrorCode::kAlreadyOpen:
      return "Paluku is already open and holds “%1”. Close it first.";
    case ErrorCode::kNewerSchema:
      return "“%1” was saved by a newer Paluku (version %2). It can be read here, not changed.";
    case ErrorCode::kDatabaseDamaged:
      return "“%1” was damaged; the damaged file is kept as “%2”.";
    case ErrorCode::kNotFound:
      return "“%1” was not found.";
    case ErrorCode::kInternal:
      return "Something went wrong inside Paluku (%2).";
  }
  return "";
}

std::string FillTemplate(const char* sentence, const std::string& subject,
                         const std::string& detail) {
  std::string text;
  for (const char* p = sentence; *p != '\0'; ++p) {
    if (*p == '%' && (p[1] == '1' || p[1] == '2')) {
      text += p[1] == '1' ? subject : detail;
      ++p;
    } else {
      text += *p;
    }
  }
  return text;
}

std::string Error::Message() const { return FillTemplate(ErrorTemplate(code), subject, detail); }

Error ErrorFromErrno(int errno_value, std::string path) {
  switch (errno_value) {
    case ENOENT:
    case ENOTDIR:
      return {ErrorCode::kFileNotFound, std::move(path), {}};
    case EACCES:
    case EPERM:
      return {ErrorCode::kFileNotReadable, std::move(path), {}};
    case EISDIR:
      return {ErrorCode::kNotARegularFile, std::move(path), {}};
    case ENOSPC:
    case EDQUOT:
      return {ErrorCode::kDiskFull, std::move(path), {}};
    default: {
      char buffer[128];
      return {ErrorCode::kIo, std::move(path), strerror_r(errno_value, buffer, sizeof buffer)};
    }
  }
}

}  // namespace paluku
