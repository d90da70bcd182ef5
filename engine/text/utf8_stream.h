// Utf8Stream: makes text that can be shown out of the bytes of tokens as they come.
//
// A token may end in the middle of a character: incomplete bytes wait for the rest. A cluster of an
// Indic script takes another shape once its virama is followed by a consonant, and an emoji once
// its joiner is followed by another: text that ends in a virama, ZWJ or ZWNJ waits with its whole
// cluster. Everything pushed comes out exactly once; invalid bytes as U+FFFD. One thread.
#pragma once

#include <string>
#include <string_view>

namespace paluku {

class Utf8Stream {
 public:
  // Takes bytes of one or more tokens; gives what may be shown now, valid UTF-8, often empty.
  std::string Push(std::string_view bytes);
  // Gives a cluster that has waited long enough (the caller's clock; 100 ms). Incomplete bytes
  // stay.
  std::string FlushCluster();
  // The end of the text: gives all that is left, incomplete bytes as U+FFFD.
  std::string Finish();

  // Something waits in FlushCluster's sense.
  bool holds_cluster() const { return !cluster_.empty(); }

 private:
  std::string cluster_;  // whole characters held back, valid UTF-8
  std::string bytes_;    // 0 to 3 bytes that may yet become a character
};

}  // namespace paluku
