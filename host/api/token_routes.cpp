// POST /api/v1/auth/jwt/claims: what clients that have the root key begin their public access tokens with.
#include "host/api/api.h"

namespace perdure::api {

Handling show_token_claims(Api&, ExchangePtr exchange) {
  exchange->reply(ok(std::string(auth::kBaseClaims)));
  co_return;
}

}  // namespace perdure::api
