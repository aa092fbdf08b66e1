// Whether a text is JSON that Perdure keeps. Payloads and outputs are stored and passed on as the text they came as, so
// this is the only time that they are read: no document is built. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <string_view>

#include "store/model/status.h"

namespace perdure::store {

struct JsonLimits {
  std::size_t bytes = 3u << 20;
  std::size_t depth = 128;  // of nested arrays and objects
};
inline constexpr JsonLimits kPayloadLimits{3u << 20, 128};
inline constexpr JsonLimits kOutputLimits{10u << 20, 128};

/// Ok when `text` is exactly one JSON value, blanks around it allowed: valid UTF-8 within the limits, whose numbers are
/// finite doubles or integers. Otherwise kInvalid, with what is wrong and at which byte; `what` begins the sentence:
/// "the payload is not JSON: …".
Status check_json(std::string_view text, const JsonLimits& limits, std::string_view what = "the text");

}  // namespace perdure::store
