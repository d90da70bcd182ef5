// Whether a JSON text out of a hostile file may be made into a tree of values: looked at before,
// in one pass that keeps nothing. A pure function.
//
// A callback of nlohmann's parser would do it in one pass, but that parser then looks through all
// members of an array behind every object in it: quadratic.
#pragma once

#include <cstddef>
#include <string_view>

namespace paluku {

// Which bound `text` passes, in words ("depth of the JSON"), or nullptr. `values` counts names of
// members as well. Text that is no JSON is looked at as far as it is one.
const char* JsonExcess(std::string_view text, std::size_t depth, std::size_t values);

}  // namespace paluku
