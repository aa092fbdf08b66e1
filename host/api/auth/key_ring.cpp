#include "host/api/auth/key_ring.h"

#include <mutex>
#include <utility>

#include "host/api/auth/digest.h"

namespace perdure::api::auth {

using store::Result;
using store::Status;

KeyRing::KeyRing(std::string root_key) : root_key_(std::move(root_key)) {}

Result<CallerPtr> KeyRing::authenticate(std::string_view bearer, store::Time now) const {
  const std::shared_lock lock(mutex_);
  if (equal_in_constant_time(bearer, root_key_)) return CallerPtr();
  if (!looks_like_token(bearer)) return Status::invalid("the API key is not valid here");
  Result<PublicToken> token = read_public_token(bearer, {root_key_}, now);
  if (!token) return token.status();
  auto caller = std::make_shared<Caller>();
  caller->key = token->key;
  caller->token = std::move(token).value();
  return CallerPtr(std::move(caller));
}

std::string KeyRing::sign(const PublicToken& token, store::Time now) const {
  const std::shared_lock lock(mutex_);
  return sign_public_token(token, root_key_, now);
}

}  // namespace perdure::api::auth
