// Waitpoint tokens as clients and attempts make and complete them; and the removal of those that have been over for
// long: a few at a time with pauses in between, from the first minute of a host on, again and again. That they time out
// is the store's matter, like the end of a delay.
//
// create() and complete(): any thread; everything else: core thread only.
#pragma once

#include <memory>
#include <string>

#include "host/engine/core.h"
#include "host/engine/token_control.h"
#include "store/store.h"

namespace perdure::engine {

class Tokens final : public TokenControl {
 public:
  /// `keep`: how long tokens are kept once they are over; 0: for ever.
  Tokens(Core& core, store::Store& store, store::Duration keep);

  /// Begins to remove, once the store is recovered.
  void start();
  /// Removes nothing any more.
  void stop() { stopped_ = true; }

  void create(TokenRequest request, store::Done<store::CreatedToken> done) override;
  void complete(const store::TokenId& id, std::string output, std::optional<store::AttemptCall> by,
                store::Done<store::Token> done) override;

 private:
  void remove();

  Core& core_;
  store::Store& store_;
  const store::Duration keep_;
  std::unique_ptr<Timer> next_;
  bool stopped_ = false;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace perdure::engine
