// The tables behind calls.h, one per source file.
#pragma once

#include <span>

#include "engine/text/jinja/calls.h"

namespace paluku::jinja {

std::span<const FilterEntry> TextFilters();      // filters.cpp
std::span<const FilterEntry> SequenceFilters();  // sequence_filters.cpp
std::span<const TestEntry> Tests();              // tests.cpp

}  // namespace paluku::jinja
