// The known name that somebody probably meant. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace perdure::store {

/// The one of `known` that takes the fewest letters to change, add or leave out to get from `name`; upper and lower
/// case are the same. The first of equals; empty when nothing is known, or nothing within `most` letters.
std::string_view nearest_name(std::string_view name, std::span<const std::string_view> known,
                              std::size_t most = SIZE_MAX);

}  // namespace perdure::store
