// What clients sign public access tokens with. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

#include "host/api/http.h"

namespace perdure::api {

/// Adds the claims to an answer that tells of something created: clients refuse to go on without them.
inline void put_token_claims(Response& response) {
  response.headers.push_back({"x-trigger-jwt-claims", R"({"sub":"env_local","pub":true})"});
}

}  // namespace perdure::api
