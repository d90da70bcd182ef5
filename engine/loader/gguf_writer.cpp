#include "engine/loader/gguf_writer.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <string_view>
#include <utility>

#include "engine/base/check.h"
#include "engine/loader/gguf.h"

namespace paluku {
namespace {

constexpr std::uint64_t kAlignment = 32;  // of GGUF where general.alignment is absent

std::uint64_t Aligned(std::uint64_t position) {
  return (position + kAlignment - 1) / kAlignment * kAlignment;
}

// The part of the file before the weights.
class Header {
 public:
  template <class T>
  Header& Number(T value) {
    return Raw(std::as_bytes(std::span(&value, 1)));
  }
  Header& Type(ValueType type) { return Number(static_cast<std::uint32_t>(type)); }
  Header& Raw(std::span<const std::byte> raw) {
    bytes_.insert(bytes_.end(), raw.begin(), raw.end());
    return *this;
  }
  Header& Text(std::string_view text) {
    return Number<std::uint64_t>(text.size()).Raw(std::as_bytes(std::span(text)));
  }

  void Value(const MetadataValue& value) {
    std::visit([this](const auto& kept) { Typed(kept); }, value);
  }
  const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  void Typed(std::uint64_t value) {
    if (value > std::numeric_limits<std::uint32_t>::max()) {
      Type(ValueType::kU64).Number(value);
    } else {
      Type(ValueType::kU32).Number(static_cast<std::uint32_t>(value));
    }
  }
  void Typed(std::int64_t value) {
    if (std::in_range<std::int32_t>(value)) {
      Type(ValueType::kI32).Number(static_cast<std::int32_t>(value));
    } else {
      Type(ValueType::kI64).Number(value);
    }
  }
  void Typed(double value) { Type(ValueType::kF32).Number(static_cast<float>(value)); }
  void Typed(bool value) { Type(ValueType::kBool).Number<std::uint8_t>(value ? 1 : 0); }
  void Typed(std::string_view value) { Type(ValueType::kString).Text(value); }
  void Typed(const NumberArray& array) {
    Type(ValueType::kArray).Type(array.type).Number<std::uint64_t>(array.count).Raw(array.bytes);
  }
  void Typed(const std::vector<std::string_view>& texts) {
    Type(ValueType::kArray).Type(ValueType::kString).Number<std::uint64_t>(texts.size());
    for (const std::string_view text : texts) Text(text);
  }

  std::vector<std::byte> bytes_;
};

// Opens the directory of `path` and makes its entries durable.
Status SyncDirectory(const std::string& path) {
  std::filesystem::path directory = std::filesystem::path(path).parent_path();
  if (directory.empty()) directory = ".";
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return tl::unexpected(ErrorFromErrno(errno, directory.string()));
  const int result = fsync(fd);
  const int error = errno;
  close(fd);
  // Some file systems have no fsync for directories.
  if (result != 0 && error != EINVAL) return tl::unexpected(ErrorFromErrno(error, path));
  return {};
}

}  // namespace

std::int64_t GgufTensorInfo::rows() const {
  std::int64_t rows = 1;
  for (std::size_t i = 0; i + 1 < shape.size(); ++i) rows *= shape[i];
  return rows;
}

GgufWriter::GgufWriter(GgufWriter&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      sizes_(std::move(other.sizes_)),
      tensor_(other.tensor_),
      left_(other.left_),
      position_(other.position_) {}

GgufWriter::~GgufWriter() {
  if (fd_ < 0) return;
  unlink(part().c_str());
  close(fd_);
}

Result<GgufWriter> GgufWriter::Create(
    const std::string& path, const std::map<std::string, MetadataValue, std::less<>>& entries,
    const std::vector<GgufTensorInfo>& tensors) {
  Header header;
  header.Raw(std::as_bytes(std::span(std::string_view("GGUF")))).Number<std::uint32_t>(3);
  header.Number<std::uint64_t>(tensors.size()).Number<std::uint64_t>(entries.size());
  for (const auto& [key, value] : entries) header.Text(key).Value(value);
  GgufWriter writer(path);
  std::uint64_t offset = 0;
  for (const GgufTensorInfo& tensor : tensors) {
    header.Text(tensor.name).Number(static_cast<std::uint32_t>(tensor.shape.size()));
    for (auto it = tensor.shape.rbegin(); it != tensor.shape.rend(); ++it) {
      header.Number(static_cast<std::uint64_t>(*it));  // fastest first
    }
    header.Number(Info(tensor.dtype).gguf_id).Number(offset);
    writer.sizes_.push_back(tensor.bytes());
    offset = Aligned(offset + static_cast<std::uint64_t>(tensor.bytes()));
  }
  PALUKU_TRY(writer.Open(Aligned(header.bytes().size()) + offset));
  PALUKU_TRY(writer.Put(header.bytes()));
  PALUKU_TRY(writer.Pad());
  writer.left_ = writer.sizes_.empty() ? 0 : writer.sizes_.front();
  return writer;
}

Status GgufWriter::Open(std::uint64_t size) {
  std::error_code error;
  if (std::filesystem::exists(path_, error)) {
    return Fail(ErrorCode::kInvalidArgument, path_, "it is there already; choose another name");
  }
  const int fd = open(part().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd < 0) return tl::unexpected(ErrorFromErrno(errno, part()));
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    close(fd);
    return Fail(ErrorCode::kIo, part(), "another program is writing it");
  }
  fd_ = fd;  // from here on the file is ours, to be removed as well
  if (ftruncate(fd_, 0) != 0) return tl::unexpected(ErrorFromErrno(errno, part()));
  const auto space = std::filesystem::space(std::filesystem::path(part()), error);
  if (!error && space.available < size) {
    return Fail(ErrorCode::kDiskFull, path_);
  }
  return {};
}

Status GgufWriter::Put(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd_, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return tl::unexpected(ErrorFromErrno(errno, part()));
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    position_ += static_cast<std::uint64_t>(written);
  }
  return {};
}

Status GgufWriter::Pad() {
  constexpr std::array<std::byte, kAlignment> kZeros{};
  return Put(std::span(kZeros).first(Aligned(position_) - position_));
}

Status GgufWriter::Write(std::span<const std::byte> bytes) {
  PALUKU_CHECK(static_cast<std::int64_t>(bytes.size()) <= left_);
  PALUKU_TRY(Put(bytes));
  left_ -= static_cast<std::int64_t>(bytes.size());
  if (left_ > 0) return {};
  ++tensor_;
  left_ = tensor_ < sizes_.size() ? sizes_[tensor_] : 0;
  return Pad();
}

Result<std::int64_t> GgufWriter::Finish() {
  PALUKU_CHECK(tensor_ == sizes_.size());
  if (fsync(fd_) != 0) return tl::unexpected(ErrorFromErrno(errno, part()));
  if (rename(part().c_str(), path_.c_str()) != 0) {
    return tl::unexpected(ErrorFromErrno(errno, path_));
  }
  close(std::exchange(fd_, -1));
  PALUKU_TRY(SyncDirectory(path_));
  return static_cast<std::int64_t>(position_);
}

}  // namespace paluku
