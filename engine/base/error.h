// What can go wrong in the world (file, device, user, disk), as a value.
//
// Every function that can fail for such a reason returns Result<T> or Status. Our own bugs are
// caught by PALUKU_CHECK (check.h) instead, and no exception crosses the boundary of a module.
// An Error is a code plus the things it speaks of, so that the interface can say it in any
// language; Message() is the English sentence for terminals, logs and tests. Values are free to
// move between threads.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace paluku {

// One code per sentence. `%1` stands for the subject (a file, a key, a tensor, a name), `%2` for
// the detail (a figure, a name, a reason of the operating system). ErrorTemplate() holds the
// sentences.
enum class ErrorCode : std::uint8_t {
  kFileNotFound,
  kFileNotReadable,  // permission
  kNotARegularFile,  // a directory, a socket
  kIo,               // detail: the operating system's reason
  kDiskFull,
  kFileEmpty,
  kNotAModelFile,            // wrong magic
  kFileTruncated,            // detail: what was cut
  kFileDamaged,              // detail: key, tensor or page
  kLimitExceeded,            // detail: which limit of a hostile-input rule
  kUnsupportedVersion,       // detail: the version
  kUnsupportedArchitecture,  // detail: its name
  kUnsupportedTensorType,    // detail: tensor and type
  kUnsupportedTokenizer,     // detail: its name
  kUnsupportedTemplate,      // detail: line of the template and what stands there
  kModelNotRunnable,         // detail: the reason
  kMissingKey,               // detail: metadata key
  kMissingTensor,            // detail: tensor name
  kBadValue,                 // detail: key and value
  kOutOfMemory,              // detail: bytes wanted
  kContextFull,              // detail: tokens
  kCancelled,
  kNoModel,
  kDeviceFailed,     // detail: the device's reason
  kInvalidArgument,  // detail: what is wrong
  kAlreadyOpen,      // another Paluku holds the data directory
  kNewerSchema,      // detail: version found
  kDatabaseDamaged,  // detail: where the damaged file was set aside
  kNotFound,         // a record that is not there
  kInternal,         // a caught bug; detail: text
};

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string subject;  // %1
  std::string detail;   // %2

  // The English sentence, subject and detail filled in.
  std::string Message() const;
};

// The English sentence of `code` with its placeholders.
const char* ErrorTemplate(ErrorCode code);

// `sentence` with `subject` in place of %1 and `detail` in place of %2.
std::string FillTemplate(const char* sentence, const std::string& subject,
                         const std::string& detail);

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> Fail(ErrorCode code, std::string subject = {},
                                  std::string detail = {}) {
  return tl::unexpected<Error>(Error{code, std::move(subject), std::move(detail)});
}

// An Error that tells the reason of `errno_value` for the file `path`: full disk, missing file,
// missing permission, or kIo with the system's own words.
Error ErrorFromErrno(int errno_value, std::string path);

}  // namespace paluku

// Returns from the enclosing function when `expression` (a Result or Status) holds an error.
#define PALUKU_TRY(expression)                               \
  do {                                                       \
    if (auto paluku_try_ = (expression); !paluku_try_) {     \
      return tl::unexpected(std::move(paluku_try_).error()); \
    }                                                        \
  } while (false)

#define PALUKU_CONCAT_INNER(a, b) a##b
#define PALUKU_CONCAT(a, b) PALUKU_CONCAT_INNER(a, b)
// PALUKU_ASSIGN_OR_RETURN(auto file, Open(path)): declares `file`, or returns the error.
// NOLINTBEGIN(bugprone-macro-parentheses): a declaration cannot stand in parentheses
#define PALUKU_ASSIGN_OR_RETURN(declaration, expression)                               \
  auto PALUKU_CONCAT(paluku_result_, __LINE__) = (expression);                         \
  if (!PALUKU_CONCAT(paluku_result_, __LINE__)) {                                      \
    return tl::unexpected(std::move(PALUKU_CONCAT(paluku_result_, __LINE__)).error()); \
  }                                                                                    \
  declaration = std::move(*PALUKU_CONCAT(paluku_result_, __LINE__))
// NOLINTEND(bugprone-macro-parentheses)
