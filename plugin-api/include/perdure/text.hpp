// Text across the C interface: perdure_str to and from std::string_view. Nothing here owns or copies. Any thread.
#pragma once

#include <perdure/plugin.h>

#include <string_view>

namespace perdure::detail {

/// Borrows `text` for the C interface.
inline perdure_str str(std::string_view text) noexcept { return {text.data(), text.size()}; }

/// What the C interface lent; empty for a null pointer.
inline std::string_view view(perdure_str text) noexcept {
  return text.data != nullptr ? std::string_view(text.data, text.len) : std::string_view();
}

}  // namespace perdure::detail
