#include "host/engine/tokens.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace perdure::engine {
namespace {

constexpr std::size_t kAtOnce = 100;
constexpr std::chrono::milliseconds kPause{20};  // … and then others have their turn
constexpr std::chrono::minutes kRoundEvery{10};
constexpr std::chrono::minutes kLeastKept{1};  // who waited for one may still ask for it

store::Status stopping() { return store::Status::unavailable("The host is stopping."); }

}  // namespace

Tokens::Tokens(Core& core, store::Store& store, store::Duration keep)
    : core_(core), store_(store), keep_(keep), next_(core.timer([this] { remove(); })) {}

void Tokens::start() {
  if (keep_ > store::Duration::zero()) next_->after(kLeastKept);
}

void Tokens::remove() {
  if (stopped_) return;
  const store::Time ended_before = core_.now() - std::max<store::Duration>(keep_, kLeastKept);
  const auto removed = [this, alive = std::weak_ptr(alive_)](const store::Result<std::size_t>& count) {
    if (!alive.expired()) next_->after(count && *count == kAtOnce ? store::Duration(kPause) : kRoundEvery);
  };
  store_.remove_tokens(ended_before, kAtOnce, [core = &core_, removed](const store::Result<std::size_t>& count) {
    core->run([removed, count] { removed(count); });
  });
}

void Tokens::create(TokenRequest request, store::Done<store::CreatedToken> done) {
  core_.run([this, alive = std::weak_ptr(alive_), request = std::move(request), done = std::move(done)]() mutable {
    if (alive.expired()) return done(stopping());
    store::NewToken created;
    created.now = core_.now();
    created.id = store::new_token_id(created.now);
    const store::Delay timeout = request.timeout.value_or(store::kTokenTimeout);
    created.timeout_at = store::end_of(timeout, created.now);
    created.calendar = store::is_calendar(timeout);
    created.tags = std::move(request.tags);
    created.idempotency_key = std::move(request.idempotency_key);
    created.idempotency_ttl = request.idempotency_ttl.value_or(store::kTokenKeyTtl);
    created.by = std::move(request.by);
    store_.create_token(std::move(created), std::move(done));
  });
}

void Tokens::complete(const store::TokenId& id, std::string output, std::optional<store::AttemptCall> by,
                      store::Done<store::Token> done) {
  store::TokenCompletion completion{id, std::move(output), {}, std::move(by)};
  core_.run(
      [this, alive = std::weak_ptr(alive_), completion = std::move(completion), done = std::move(done)]() mutable {
        if (alive.expired()) return done(stopping());
        completion.now = core_.now();
        store_.complete_token(std::move(completion), std::move(done));
      });
}

}  // namespace perdure::engine
