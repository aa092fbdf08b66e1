// The request target taken apart: path segments and query parameters, percent-decoded. Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/api/http.h"

namespace perdure::api {

/// "a%2Fb" -> "a/b"; nothing when a % is not followed by two hex digits. `plus_is_space`: as in a query.
std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space = false);

/// Fills path and query from `target`, which is in origin form ("/path?query"). False when an escape is broken.
/// Segments are split before they are decoded, so an encoded slash stays inside its segment; an empty last segment
/// (a slash at the end) is dropped.
bool take_apart(std::string_view target, std::vector<std::string>& path, std::vector<Field>& query);

}  // namespace perdure::api
