#include "host/api/token_header.h"

namespace perdure::api {

void hand_back_token(const Api& api, const Request& request, const std::string& scope, store::Duration lifetime,
                     Response& response) {
  response.headers.push_back({"x-trigger-jwt-claims", std::string(auth::kBaseClaims)});
  if (!request.caller) return;
  const store::Time now = wall_clock();
  response.headers.push_back(
      {"x-trigger-jwt",
       api.keys.sign({.scopes = {scope}, .expires = now + lifetime, .skip_columns = {}, .key = request.caller->key},
                     now)});
}

}  // namespace perdure::api
