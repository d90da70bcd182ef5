#include "engine/session/prefix_tree.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"

namespace paluku {
namespace {

int CommonPrefix(std::span<const std::int32_t> a, std::span<const std::int32_t> b) {
  const std::size_t most = std::min(a.size(), b.size());
  std::size_t n = 0;
  while (n < most && a[n] == b[n]) ++n;
  return static_cast<int>(n);
}

std::span<const std::int32_t> FirstPage(std::span<const std::int32_t> tokens) {
  return tokens.first(std::min<std::size_t>(tokens.size(), kPageTokens));
}

}  // namespace

PrefixTree::Match PrefixTree::Find(std::span<const std::int32_t> tokens) {
  Match match;
  ++clock_;
  Node* node = &root_;
  while (!tokens.empty()) {
    Node* best = nullptr;
    int best_length = 0;
    for (const auto& child : node->children) {
      const int length = CommonPrefix(child->tokens, tokens);
      if (length > best_length) {
        best = child.get();
        best_length = length;
      }
    }
    if (best == nullptr) break;
    best->used = clock_;
    match.pages.push_back(best->page);
    match.tokens += best_length;
    if (best_length < kPageTokens) break;
    tokens = tokens.subspan(kPageTokens);
    node = best;
  }
  return match;
}

void PrefixTree::Insert(std::span<const std::int32_t> tokens, std::span<const std::int32_t> pages) {
  PALUKU_CHECK(static_cast<int>(pages.size()) >= PagesFor(static_cast<int>(tokens.size())));
  ++clock_;
  Node* node = &root_;
  for (std::size_t i = 0; !tokens.empty(); ++i) {
    const std::span<const std::int32_t> part = FirstPage(tokens);
    tokens = tokens.subspan(part.size());
    // A child that has all of `part`, or a leaf that `part` continues.
    const auto child =
        std::find_if(node->children.begin(), node->children.end(), [&](const auto& candidate) {
          const int common = CommonPrefix(candidate->tokens, part);
          return common == static_cast<int>(std::min(candidate->tokens.size(), part.size()));
        });
    if (child == node->children.end()) {
      Add(*node, part, pages[i]);
      node = node->children.back().get();
      continue;
    }
    node = child->get();
    node->used = clock_;
    if (node->tokens.size() < part.size()) {
      tokens_ += static_cast<int>(part.size() - node->tokens.size());
      node->tokens.assign(part.begin(), part.end());
      cache_.Share(pages[i]);
      cache_.Release(std::exchange(node->page, pages[i]));
    }
  }
}

void PrefixTree::Add(Node& parent, std::span<const std::int32_t> tokens, std::int32_t page) {
  auto node = std::make_unique<Node>();
  node->parent = &parent;
  node->page = page;
  node->tokens.assign(tokens.begin(), tokens.end());
  node->used = clock_;
  cache_.Share(page);
  tokens_ += static_cast<int>(tokens.size());
  parent.children.push_back(std::move(node));
}

bool PrefixTree::EvictOne() {
  Node* oldest = nullptr;
  OldestLeaf(root_, oldest);
  if (oldest == nullptr) return false;
  Remove(*oldest);
  return true;
}

// The depth is the number of pages of a prompt: at most the pool's.
void PrefixTree::OldestLeaf(Node& node, Node*& oldest) const {
  for (const auto& child : node.children) {
    if (!child->children.empty()) {
      OldestLeaf(*child, oldest);
    } else if (cache_.owners(child->page) == 1 &&
               (oldest == nullptr || child->used < oldest->used)) {
      oldest = child.get();
    }
  }
}

void PrefixTree::Remove(Node& leaf) {
  cache_.Release(leaf.page);
  tokens_ -= static_cast<int>(leaf.tokens.size());
  auto& siblings = leaf.parent->children;
  siblings.erase(std::find_if(siblings.begin(), siblings.end(),
                              [&](const auto& candidate) { return candidate.get() == &leaf; }));
}

void PrefixTree::Clear() {
  ReleaseAll(root_);
  root_.children.clear();
  tokens_ = 0;
}

void PrefixTree::ReleaseAll(Node& node) {
  for (const auto& child : node.children) {
    ReleaseAll(*child);
    cache_.Release(child->page);
  }
}

}  // namespace paluku
