#include "storage/field_codec.h"

namespace paluku {
namespace {

constexpr char kPlainVersion = 0;

}  // namespace

std::string FieldCodec::Seal(const FieldPlace&, std::string_view text) const {
  std::string bytes;
  bytes.reserve(text.size() + 1);
  bytes += kPlainVersion;
  bytes += text;
  return bytes;
}

Result<std::string> FieldCodec::Open(const FieldPlace& place, std::string_view bytes) const {
  if (bytes.empty() || bytes.front() != kPlainVersion) {
    return Fail(ErrorCode::kBadValue, std::string(place.row),
                "field " + std::to_string(static_cast<int>(place.field)));
  }
  return std::string(bytes.substr(1));
}

}  // namespace paluku
