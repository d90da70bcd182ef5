#include "engine/model/latent_cache.h"

#include <algorithm>
#include <string>
#include <utility>

#include "engine/base/check.h"

namespace paluku {

Result<LatentPages> LatentCache::Describe(const ModelConfig& config, LatentType type, int tokens) {
  if (type == LatentType::kQ8 && config.latent % kLatentScaleGroup != 0) {
    return Fail(ErrorCode::kInvalidArgument, "q8 latent cache",
                "this model's latent of " + std::to_string(config.latent) +
                    " values cannot be divided into groups");
  }
  return LatentPages{.type = type,
                     .layers = config.layers,
                     .latent = config.latent,
                     .rope = config.rope,
                     .index = config.index,
                     .page_count = PagesFor(tokens) + 1,
                     .data = nullptr};
}

Result<LatentCache> LatentCache::Create(Backend& backend, const ModelConfig& config,
                                        LatentType type, int tokens) {
  LatentCache cache(backend);
  PALUKU_ASSIGN_OR_RETURN(cache.pages_, Describe(config, type, tokens));
  PALUKU_ASSIGN_OR_RETURN(cache.buffer_,
                          backend.Allocate(cache.pages_.page_bytes() * cache.pages_.page_count));
  cache.pages_.data = cache.buffer_.data.get();
  const auto count = static_cast<std::size_t>(cache.pages_.page_count);
  cache.owners_.assign(count, 0);
  for (std::size_t i = count; i > 0; --i) cache.free_.push_back(static_cast<std::int32_t>(i - 1));
  return cache;
}

std::int32_t LatentCache::Take() {
  PALUKU_CHECK(!free_.empty());
  const std::int32_t page = free_.back();
  free_.pop_back();
  owners_[static_cast<std::size_t>(page)] = 1;
  return page;
}

std::int32_t LatentCache::Duplicate(std::int32_t page) {
  const std::int32_t copy = Take();
  const std::int64_t bytes = pages_.page_bytes();
  backend_->Copy(pages_.data + page * bytes, pages_.data + copy * bytes, bytes);
  return copy;
}

void LatentCache::Share(std::int32_t page) {
  PALUKU_CHECK(owners(page) > 0);
  ++owners_[static_cast<std::size_t>(page)];
}

void LatentCache::Release(std::int32_t page) {
  PALUKU_CHECK(owners(page) > 0);
  if (--owners_[static_cast<std::size_t>(page)] == 0) free_.push_back(page);
}

LatentSequence::LatentSequence(LatentCache& cache) : cache_(cache) {
  table_.reserve(static_cast<std::size_t>(cache.pages().page_count));  // no allocation in decode
}

LatentSequence::~LatentSequence() { Truncate(0); }

void LatentSequence::Adopt(std::span<const std::int32_t> table, int length) {
  PALUKU_CHECK(table_.empty() && static_cast<int>(table.size()) == PagesFor(length));
  for (const std::int32_t page : table) cache_.Share(page);
  table_.assign(table.begin(), table.end());
  length_ = length;
}

bool LatentSequence::TailShared() const {
  return length_ % kPageTokens != 0 && cache_.owners(table_[length_ / kPageTokens]) > 1;
}

int LatentSequence::PagesNeeded(int tokens) const {
  const int more = PagesFor(length_ + tokens) - static_cast<int>(table_.size());
  return std::max(more, 0) + (TailShared() ? 1 : 0);
}

void LatentSequence::Reserve(int tokens) {
  if (TailShared()) {
    std::int32_t& tail = table_[length_ / kPageTokens];
    const std::int32_t copy = cache_.Duplicate(tail);
    cache_.Release(std::exchange(tail, copy));
  }
  while (static_cast<int>(table_.size()) < PagesFor(length_ + tokens)) {
    table_.push_back(cache_.Take());
  }
}

void LatentSequence::Commit(int tokens) {
  PALUKU_CHECK(PagesFor(length_ + tokens) <= static_cast<int>(table_.size()));
  length_ += tokens;
}

void LatentSequence::Truncate(int length) {
  PALUKU_CHECK(length <= length_);
  while (static_cast<int>(table_.size()) > PagesFor(length)) {
    cache_.Release(table_.back());
    table_.pop_back();
  }
  length_ = length;
}

}  // namespace paluku
