// The tags of a run: words that people find it by. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "store/model/status.h"

namespace perdure::store {

inline constexpr std::size_t kMostTags = 10;     // of one run
inline constexpr std::size_t kLongestTag = 128;  // characters

/// Those of `wanted` that `has` does not have, each once, in order. kInvalid: one has not 1 to kLongestTag characters,
/// or there would be more than kMostTags.
Result<std::vector<std::string>> tags_to_add(const std::vector<std::string>& has,
                                             const std::vector<std::string>& wanted);

}  // namespace perdure::store
