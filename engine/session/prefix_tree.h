// PrefixTree: which latent pages hold which beginnings of prompts.
//
// A node is one page and the tokens it holds, below the node of the tokens before them; only leaves
// hold less than a page. Editing, regenerating and branching find the longest beginning that is
// already there and pay for the rest alone. Each node is one owner of its page; the least recently
// used leaf gives its page back when the pool is full. Used by the engine's thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/model/latent_cache.h"

namespace paluku {

class PrefixTree {
 public:
  explicit PrefixTree(LatentCache& cache) : cache_(cache) {}
  ~PrefixTree() { Clear(); }
  PrefixTree(const PrefixTree&) = delete;
  PrefixTree& operator=(const PrefixTree&) = delete;

  struct Match {
    std::vector<std::int32_t> pages;  // [PagesFor(tokens)]
    int tokens = 0;
  };
  // The longest beginning of `tokens` in the tree. The pages stay the tree's until they are shared;
  // share them before the tree is changed.
  Match Find(std::span<const std::int32_t> tokens);
  // Keeps `pages`, which hold `tokens`. Where the tree has the same tokens already, its own page
  // stays.
  void Insert(std::span<const std::int32_t> tokens, std::span<const std::int32_t> pages);
  // Gives up the leaf that was not used for the longest time, of those whose page nobody else
  // holds. False when there is none.
  bool EvictOne();
  void Clear();

  int tokens() const { return tokens_; }  // held in all

 private:
  struct Node {
    Node* parent = nullptr;
    std::int32_t page = -1;
    std::vector<std::int32_t> tokens;  // 1 to kPageTokens
    std::uint64_t used = 0;
    std::vector<std::unique_ptr<Node>> children;
  };

  void OldestLeaf(Node& node, Node*& oldest) const;
  void Remove(Node& leaf);
  void ReleaseAll(Node& node);
  void Add(Node& parent, std::span<const std::int32_t> tokens, std::int32_t page);

  LatentCache& cache_;
  Node root_;
  std::uint64_t clock_ = 0;
  int tokens_ = 0;
};

}  // namespace paluku
