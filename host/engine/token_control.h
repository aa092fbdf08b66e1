// What people, programs and attempts ask about waitpoint tokens: to make and to complete them. Reads are the store's
// (store/store.h).
//
// Threads: any. `done` is called on a thread of the engine's or the store's once the change is durable, and must not
// block. Besides what each says: kUnavailable while the host stops, kNoSpace, kIo; of one that is `by` an attempt, as
// of a step (store/model/call.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/model/delay.h"
#include "store/store.h"

namespace perdure::engine {

/// What a token is to be.
struct TokenRequest {
  std::optional<store::Delay> timeout;  // nothing: store::kTokenTimeout
  std::vector<std::string> tags;
  std::string idempotency_key;
  std::optional<store::Duration> idempotency_ttl;  // nothing: store::kTokenKeyTtl
  std::optional<store::AttemptCall> by;
};

class TokenControl {
 public:
  virtual ~TokenControl() = default;

  /// Makes a token, or finds the one that has the idempotency key. kInvalid: store::check_token().
  virtual void create(TokenRequest request, store::Done<store::CreatedToken> done) = 0;

  /// Completes a token with JSON text or nothing. One that is over is answered as it is, and no failure. kNotFound;
  /// kInvalid: store::check_token_value().
  virtual void complete(const store::TokenId& id, std::string output, std::optional<store::AttemptCall> by,
                        store::Done<store::Token> done) = 0;
};

}  // namespace perdure::engine
