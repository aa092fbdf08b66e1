// What an answer that made something carries so that the client can get at it: the claims from which it signs a public
// access token, or, where it has no key that it could sign with, the token itself.
#pragma once

#include <string>

#include "host/api/api.h"

namespace perdure::api {

inline constexpr store::Duration kRunTokenLifetime = std::chrono::hours(1);
inline constexpr store::Duration kWaitpointTokenLifetime = std::chrono::hours(24);

/// Adds x-trigger-jwt-claims to `response` and, unless the caller has the root key, x-trigger-jwt: a token with `scope`
/// ("read:runs:ID", "read:batch:ID", "write:waitpoints:ID").
void hand_back_token(const Api& api, const Request& request, const std::string& scope, store::Duration lifetime,
                     Response& response);

}  // namespace perdure::api
