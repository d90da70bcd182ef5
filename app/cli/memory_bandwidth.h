// Measures how fast this machine reads memory: the floor under the time of a token.
#pragma once

namespace paluku::cli {

// Bytes per second that `threads` threads read together from memory far larger than the caches;
// best of several.
double MeasureReadBandwidth(int threads);

}  // namespace paluku::cli
