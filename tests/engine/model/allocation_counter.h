// Counts the allocations of a test program. Linking allocation_counter.cpp replaces operator new;
// it stands in a file of its own so that no compiler sees through a pair of new and delete.
#pragma once

namespace paluku::test {

// Calls of operator new since the program began, on any thread.
long Allocations();

}  // namespace paluku::test
