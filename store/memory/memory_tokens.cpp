// Waitpoint tokens. See memory_store.h.
#include <algorithm>
#include <utility>

#include "store/memory/mutation.h"

namespace perdure::store {
namespace {
Status no_token(const TokenId& id) { return Status::not_found("there is no token " + id.text()); }
}  // namespace

Result<CreatedToken> MemoryStore::put_token(NewToken created) {
  Result<Token> token = token_of(created);
  if (!token) return token.status();
  if (created.by) {
    const Result<const RecordedCall*> before = recorded_by(*created.by, CallKind::kCreateToken, {});
    if (!before) return before.status();
    const auto made = *before == nullptr ? tokens_.end() : tokens_.find(TokenId((*before)->result));
    if (made != tokens_.end()) return CreatedToken{made->second, true};
  }
  const auto has_key = [&](const auto& each) {
    return each.second.idempotency_key == created.idempotency_key && *each.second.key_expires_at > created.now;
  };
  auto found = created.idempotency_key.empty() ? tokens_.end() : std::ranges::find_if(tokens_, has_key);
  const bool existing = found != tokens_.end();
  if (!existing) {
    if (tokens_.contains(token->id)) {
      return Status::conflict("there is a token " + token->id.text() + " already; take a new id");
    }
    found = tokens_.emplace(token->id, std::move(*token)).first;
  }
  if (created.by) {
    runs_.at(created.by->run).calls[created.by->call] = {CallKind::kCreateToken, {}, found->first.text(), {}};
  }
  return CreatedToken{found->second, existing};
}

Result<Token> MemoryStore::end_token(TokenCompletion completion) {
  if (Status checked = check_token_value(completion.output); !checked) return checked;
  const auto found = tokens_.find(completion.id);
  if (found == tokens_.end()) return no_token(completion.id);
  if (completion.by) {
    const Result<const RecordedCall*> called =
        recorded_by(*completion.by, CallKind::kCompleteToken, completion.id.text());
    if (!called) return called.status();
    if (*called != nullptr) return found->second;
    runs_.at(completion.by->run).calls[completion.by->call] = {CallKind::kCompleteToken, completion.id.text(), {}, {}};
  }
  if (found->second.status == TokenStatus::kWaiting) {
    complete(found->second, std::move(completion.output), completion.now);
  }
  return found->second;
}

std::size_t MemoryStore::time_out_tokens(Time now) {
  std::size_t timed_out = 0;
  for (auto& [id, token] : tokens_) {
    if (token.status != TokenStatus::kWaiting || token.timeout_at > now) continue;
    time_out(token, now);
    ++timed_out;
  }
  return timed_out;
}

void MemoryStore::create_token(NewToken created, Done<CreatedToken> done) {
  if (Status admitted = admit("create_token"); !admitted) return done(admitted);
  Mutation mutation(*this);
  Result<CreatedToken> result = put_token(std::move(created));
  mutation.finish<CreatedToken>(std::move(done), std::move(result));
}

void MemoryStore::complete_token(TokenCompletion completion, Done<Token> done) {
  if (Status admitted = admit("complete_token"); !admitted) return done(admitted);
  Mutation mutation(*this);
  Result<Token> result = end_token(std::move(completion));
  mutation.finish<Token>(std::move(done), std::move(result));
}

void MemoryStore::remove_tokens(Time ended_before, std::size_t most, Done<std::size_t> done) {
  if (Status admitted = admit("remove_tokens"); !admitted) return done(admitted);
  std::size_t removed = 0;
  {
    std::lock_guard lock(mutex_);
    std::vector<std::pair<Time, TokenId>> ended;
    for (const auto& [id, token] : tokens_) {
      if (token.completed_at && *token.completed_at < ended_before) ended.emplace_back(*token.completed_at, id);
    }
    std::ranges::sort(ended);
    for (; removed < std::min(most, ended.size()); ++removed) tokens_.erase(ended[removed].second);
  }
  done(removed);
}

Result<Token> MemoryStore::token(const TokenId& id) const {
  std::lock_guard lock(mutex_);
  const auto found = tokens_.find(id);
  return found == tokens_.end() ? Result<Token>(no_token(id)) : found->second;
}

Result<TokenPage> MemoryStore::tokens(const TokenFilter& filter) const {
  for (const TokenId& cursor : {filter.after, filter.before}) {
    if (!cursor.empty() && !is_token_id(cursor.text())) {
      return Status::invalid("\"" + cursor.text() + "\" is no cursor; use the id of a token on the page before");
    }
  }
  std::lock_guard lock(mutex_);
  std::vector<const Token*> all;  // oldest first
  for (const auto& [id, token] : tokens_) {
    if (lets_through(filter, token)) all.push_back(&token);
  }
  const std::size_t limit = std::clamp<std::size_t>(filter.limit, 1, 100);
  const auto first_not = [&](auto before) {
    return static_cast<std::size_t>(std::ranges::partition_point(all, before) - all.begin());
  };
  std::size_t begin = 0, end = all.size();  // of the page
  if (filter.after.empty() && !filter.before.empty()) {
    begin = first_not([&](const Token* each) { return each->id <= filter.before; });
    end = std::min(all.size(), begin + limit);
  } else {
    if (!filter.after.empty()) end = first_not([&](const Token* each) { return each->id < filter.after; });
    begin = end - std::min(end, limit);
  }
  TokenPage page;
  page.more_after = begin > 0;
  page.more_before = end < all.size();
  for (std::size_t i = end; i > begin; --i) page.tokens.push_back(*all[i - 1]);
  if (page.more_after && !page.tokens.empty()) page.after = page.tokens.back().id;
  if (page.more_before && !page.tokens.empty()) page.before = page.tokens.front().id;
  return page;
}

}  // namespace perdure::store
