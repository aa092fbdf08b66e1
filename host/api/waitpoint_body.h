// What POST bodies about waitpoint tokens say. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "host/api/http.h"
#include "host/engine/token_control.h"

namespace perdure::api {

/// Of a token to be made: {"timeout"?, "idempotencyKey"?, "idempotencyKeyTTL"?, "tags"?}, all of which may be absent.
/// The answer that refuses it otherwise: 400 for what does not parse, 422 for what cannot be.
std::variant<engine::TokenRequest, Response> read_waitpoint(std::string_view body);

/// Of a completion: {"data"?: any JSON}; its JSON text, empty for none.
std::variant<std::string, Response> read_completion(std::string_view body);

/// Of a call of the token's own URL: the value itself. What is no JSON counts as {}; too much of it is refused (413).
std::variant<std::string, Response> read_callback(std::string_view body);

}  // namespace perdure::api
