// PALUKU_CHECK catches our own bugs: a condition that no input, file or device can break.
// It prints the place and the condition and aborts, in every build type.
#pragma once

#include <cstdio>
#include <cstdlib>

#define PALUKU_CHECK(condition)                                                          \
  do {                                                                                   \
    if (!(condition)) [[unlikely]] {                                                     \
      std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)
