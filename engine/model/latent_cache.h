// LatentCache: the pool of latent pages of one model, and the sequences that own parts of it.
//
// Pages are reference counted: sequences and the prefix tree share them. A page that two owners
// hold is never written; whoever appends to it gets a copy of its own (copy-on-write at the tail).
// The pool is one allocation for the whole budget; the operating system gives memory to a page
// when it is first written. Used by the engine's thread only.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/backend/latent_pages.h"
#include "engine/base/error.h"
#include "engine/model/model_config.h"

namespace paluku {

class LatentCache {
 public:
  // The pages of such a cache, without their memory. Error: that of Create but kOutOfMemory.
  static Result<LatentPages> Describe(const ModelConfig& config, LatentType type, int tokens);
  // Room for `tokens` tokens and one spare page. Error: kOutOfMemory, kInvalidArgument (q8 needs a
  // latent that is a multiple of kLatentScaleGroup).
  static Result<LatentCache> Create(Backend& backend, const ModelConfig& config, LatentType type,
                                    int tokens);

  const LatentPages& pages() const { return pages_; }
  int free_pages() const { return static_cast<int>(free_.size()); }
  int owners(std::int32_t page) const { return owners_[static_cast<std::size_t>(page)]; }

  // A page with one owner. There must be a free one.
  std::int32_t Take();
  // A page of one's own with what `page` holds.
  std::int32_t Duplicate(std::int32_t page);
  void Share(std::int32_t page);
  void Release(std::int32_t page);

 private:
  explicit LatentCache(Backend& backend) : backend_(&backend) {}

  Backend* backend_;
  Buffer buffer_;
  LatentPages pages_;
  std::vector<int> owners_;         // [page_count]
  std::vector<std::int32_t> free_;  // taken from the back, lowest number first
};

inline int PagesFor(int tokens) { return (tokens + kPageTokens - 1) / kPageTokens; }

// The tokens of one conversation in the cache. Not copyable: it owns its pages.
class LatentSequence {
 public:
  explicit LatentSequence(LatentCache& cache);
  ~LatentSequence();
  LatentSequence(const LatentSequence&) = delete;
  LatentSequence& operator=(const LatentSequence&) = delete;

  int length() const { return length_; }  // committed tokens
  std::span<const std::int32_t> page_table() const { return table_; }

  // Starts with the first `length` tokens of `table`, shared with their other owners.
  void Adopt(std::span<const std::int32_t> table, int length);
  // Free pages that Reserve(tokens) takes.
  int PagesNeeded(int tokens) const;
  // Makes the `tokens` places after length() writable. The cache must have the pages.
  void Reserve(int tokens);
  // Counts reserved tokens as written.
  void Commit(int tokens);
  // Forgets the tokens from `length` on.
  void Truncate(int length);

 private:
  bool TailShared() const;

  LatentCache& cache_;
  std::vector<std::int32_t> table_;
  int length_ = 0;
};

}  // namespace paluku
