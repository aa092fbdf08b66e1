// The stored form of a waitpoint token, and of its place among those that wait. What ends a duration is stored in timer
// time (timer_time.h), which is `ahead` of the wall clock. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

#include "store/model/status.h"
#include "store/model/token.h"
#include "store/rocks/keys.h"

namespace perdure::store::rocks {

/// What opening the store needs of a token that waits, so that it reads no token.
struct TokenTimeout {
  Time at{};
  bool calendar = false;
  bool operator==(const TokenTimeout&) const = default;
};

std::string encode(const Token& token, Duration ahead);  // its id is in the key
Result<Token> decode_token(PackedId id, std::string_view bytes, Duration ahead);
std::string encode(const TokenTimeout& timeout, Duration ahead);
Result<TokenTimeout> decode_token_timeout(std::string_view bytes, Duration ahead);

}  // namespace perdure::store::rocks
