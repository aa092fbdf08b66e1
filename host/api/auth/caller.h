// Who asks, once that is known: the bearer of the root key, of a further key, or of a public access token. Values.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "host/api/auth/public_token.h"

namespace perdure::api::auth {

/// What a key may be good for. Each is its own: kTrigger without kRead can make runs and see none; kAdmin is all.
enum class Right : std::uint8_t { kRead = 1, kTrigger = 2, kAdmin = 4 };
using Rights = std::uint8_t;  // of Right, or-ed

constexpr bool has(Rights rights, Right right) {
  return (rights & (static_cast<Rights>(right) | static_cast<Rights>(Right::kAdmin))) != 0;
}

/// "read", "trigger", "admin", as keys are created and shown with.
std::string_view right_name(Right right);
std::optional<Right> parse_right(std::string_view name);
inline constexpr std::array kRights{Right::kRead, Right::kTrigger, Right::kAdmin};

struct Caller {
  Rights rights = 0;                 // of its key
  std::string key{};                 // that key's id
  std::optional<PublicToken> token;  // what it carries instead of a key
};

/// Null: the root key's bearer, who may do everything, or whoever needs no key.
using CallerPtr = std::shared_ptr<const Caller>;

}  // namespace perdure::api::auth
