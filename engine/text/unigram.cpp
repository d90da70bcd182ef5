#include "engine/text/unigram.h"

#include <algorithm>

#include "engine/base/utf8.h"

namespace paluku {
namespace {

constexpr double kUnknownPenalty = 10;
constexpr std::size_t kMostNodes = 1u << 22;  // 256k tokens have about 600k

std::uint64_t Key(std::uint32_t node, char byte) {
  return std::uint64_t{node} << 8 | static_cast<unsigned char>(byte);
}

}  // namespace

std::optional<Unigram> Unigram::Create(const std::vector<Token>& tokens,
                                       const std::array<std::int32_t, 256>& bytes,
                                       std::optional<std::int32_t> unknown, float worst,
                                       const std::stop_token& stop) {
  Unigram model;
  model.bytes_ = bytes;
  model.unknown_token_ = unknown;
  model.unknown_ = double{worst} - kUnknownPenalty;
  model.nodes_.emplace_back();
  for (const Token& token : tokens) {
    if (stop.stop_requested()) return std::nullopt;
    std::uint32_t node = 0;
    for (const char byte : token.text) {
      const auto next = static_cast<std::uint32_t>(model.nodes_.size());
      const auto [child, made] = model.children_.try_emplace(Key(node, byte), next);
      node = child->second;
      if (made) model.nodes_.emplace_back();
      if (model.nodes_.size() > kMostNodes) return std::nullopt;
    }
    model.nodes_[node] = {token.id, token.score};
  }
  return model;
}

std::uint32_t Unigram::Child(std::uint32_t node, char byte) const {
  const auto found = children_.find(Key(node, byte));
  return found == children_.end() ? 0 : found->second;  // nothing leads back to the root
}

// Tries every token that begins at `at`.
void Unigram::Extend(std::string_view piece, std::size_t at, std::vector<Path>& best) const {
  const std::size_t character = ValidUtf8Prefix(piece.substr(at));
  const auto offer = [&](std::size_t end, double score, std::int32_t id) {
    Path& path = best[end];
    if (path.from == kNowhere || score > path.score) path = {score, at, id};
  };
  bool alone = false;  // the character itself is a token
  std::uint32_t node = 0;
  for (std::size_t end = at; end < piece.size();) {
    node = Child(node, piece[end++]);
    if (node == 0) break;
    if (nodes_[node].id == kNone) continue;
    offer(end, best[at].score + nodes_[node].score, nodes_[node].id);
    alone = alone || end - at == character;
  }
  if (!alone) offer(at + character, best[at].score + unknown_, kNone);
}

void Unigram::Append(std::string_view piece, std::vector<std::int32_t>& ids) const {
  std::vector<Path> best(piece.size() + 1);
  for (std::size_t at = 0; at < piece.size(); at += ValidUtf8Prefix(piece.substr(at))) {
    Extend(piece, at, best);
  }
  const auto begin = static_cast<std::ptrdiff_t>(ids.size());
  for (std::size_t end = piece.size(); end > 0; end = best[end].from) {
    const Path& path = best[end];
    if (path.id != kNone) {
      ids.push_back(path.id);
      continue;
    }
    if (unknown_token_) {
      const bool goes_on =
          ids.size() > static_cast<std::size_t>(begin) && ids.back() == *unknown_token_;
      if (!goes_on) ids.push_back(*unknown_token_);
      continue;
    }
    for (std::size_t byte = end; byte > path.from; --byte) {
      ids.push_back(bytes_[static_cast<unsigned char>(piece[byte - 1])]);
    }
  }
  std::reverse(ids.begin() + begin, ids.end());
}

}  // namespace paluku
