// Waitpoint tokens: created, completed, timed out, removed. See rocks_store.h.
#include <algorithm>
#include <utility>

#include "store/rocks/live_records.h"
#include "store/rocks/rocks_store.h"
#include "store/rocks/token_record.h"

namespace perdure::store::rocks {
namespace {

constexpr std::size_t kTokensPerBatch = 256;

Status no_token(const TokenId& id) { return Status::not_found("there is no token " + id.text()); }

// What a token has under its id, keys and values.
std::vector<std::pair<std::string, std::string>> entries_of(PackedId id, const Token& token, Duration ahead) {
  std::vector<std::pair<std::string, std::string>> entries;
  const auto add = [&](std::string prefix, std::string value = {}) {
    entries.emplace_back(token_key(std::move(prefix), id), std::move(value));
  };
  const bool waits = token.status == TokenStatus::kWaiting;
  add(token_prefix(TokenPart::kRecord), encode(token, ahead));
  add(token_status_prefix(token.status),
      waits ? encode(TokenTimeout{token.timeout_at, token.calendar}, ahead) : std::string());
  for (const std::string& tag : token.tags) add(token_prefix(TokenPart::kTag, tag));
  if (!token.idempotency_key.empty()) add(token_prefix(TokenPart::kKey, token.idempotency_key));
  if (token.completed_at) add(token_ended_prefix(*token.completed_at));
  return entries;
}

}  // namespace

Result<Token> RocksStore::stored_token(const Database& db, PackedId id) const {
  std::string bytes;
  const Status got = db.get(Family::kTokens, token_key(token_prefix(TokenPart::kRecord), id), bytes);
  if (got.code() == Code::kNotFound) return no_token(unpack_token(id));
  if (!got) return got;
  return decode_token(id, bytes, db.ahead());
}

void RocksStore::change_token(const std::optional<Token>& from, const std::optional<Token>& to, Batch& batch) const {
  if (from) {
    for (const auto& [key, value] : entries_of(*pack(from->id), *from, batch.ahead())) {
      batch.erase(Family::kTokens, key);
    }
  }
  if (!to) return;
  for (const auto& [key, value] : entries_of(*pack(to->id), *to, batch.ahead())) {
    batch.put(Family::kTokens, key, value);
  }
}

void RocksStore::token_over(PackedId id, const Token& before, const Token& after, Batch& batch, Batch& undo) {
  change_token(before, after, batch);
  change_token(after, before, undo);
  hot_.tokens.erase(before.timeout_at, before.calendar, id);
  hot_.wait_index.token_over(id);
  go_on(false);
}

Result<std::optional<Token>> RocksStore::token_with_key(const std::string& key, Time now) const {
  if (key.empty()) return std::optional<Token>();
  const std::string prefix = token_prefix(TokenPart::kKey, key);
  Scan scan = database_->scan(Family::kTokens, prefix);
  scan.seek_back(std::string(kPackedIdSize, '\xff'));
  if (!scan.valid()) return scan.status() ? Result<std::optional<Token>>(std::optional<Token>()) : scan.status();
  const std::optional<PackedId> id = run_in_key(scan.key(), prefix.size());
  if (!id) return Status::corruption("a key of the tokens is cut short; restore the store from a backup");
  Result<Token> token = stored_token(*database_, *id);
  if (!token) return token.status();
  if (!token->key_expires_at || *token->key_expires_at <= now) return std::optional<Token>();
  return std::optional(std::move(*token));
}

Result<std::optional<Token>> RocksStore::token_called(const AttemptCall& by) const {
  const Result<std::optional<RecordedCall>> before = recorded_by(by, CallKind::kCreateToken, {});
  if (!before) return before.status();
  const std::optional<PackedId> id = *before ? pack(TokenId((*before)->result)) : std::nullopt;
  if (!id) return std::optional<Token>();
  Result<Token> token = stored_token(*database_, *id);
  if (token.status().code() == Code::kNotFound) return std::optional<Token>();  // it was removed
  if (!token) return token.status();
  return std::optional(std::move(*token));
}

Result<CreatedToken> RocksStore::put_token(NewToken created) {
  Result<Token> token = token_of(created);
  if (!token) return token.status();
  if (!health_) return refused();
  saw_time(created.now);
  Batch batch(*database_), undo(*database_);
  const auto note_call = [&](const TokenId& id) {
    if (!created.by) return;
    const std::string key = call_key(*pack(created.by->run), created.by->call);
    batch.put(Family::kLive, key, encode(RecordedCall{CallKind::kCreateToken, {}, id.text(), {}}));
    undo.erase(Family::kLive, key);
  };
  if (created.by) {
    Result<std::optional<Token>> before = token_called(*created.by);
    if (!before) return before.status();
    if (*before) return CreatedToken{std::move(**before), true};
  }
  Result<std::optional<Token>> with_key = token_with_key(created.idempotency_key, created.now);
  if (!with_key) return with_key.status();
  if (*with_key) {
    note_call((*with_key)->id);
  } else {
    if (Status room = room_for_more(); !room) return room;
    if (const Result<Token> there = stored_token(*database_, *pack(token->id)); there) {
      return Status::conflict("there is a token " + token->id.text() + " already; take a new id");
    }
    change_token(std::nullopt, *token, batch);
    change_token(*token, std::nullopt, undo);
    note_call(token->id);
    const std::optional<Time> due_before = hot_.next_due();
    hot_.tokens.add(token->timeout_at, token->calendar, *pack(token->id));
    note_due_change(due_before);
  }
  if (!batch.empty()) {
    group_.token_undos.push_back(undo.bytes());
    if (Status written = write(batch); !written) return written;
  }
  if (*with_key) return CreatedToken{std::move(**with_key), true};
  return CreatedToken{std::move(*token), false};
}

void RocksStore::create_token(NewToken created, Done<CreatedToken> done) {
  Lock lock(mutex_);
  Result<CreatedToken> result = put_token(std::move(created));
  std::optional<CreatedToken> now;
  if (result) now = after_sync(done, std::move(*result));
  lock.unlock();
  if (!result) return done(result.status());
  if (now) done(std::move(*now));
}

Result<Token> RocksStore::end_token(TokenCompletion completion) {
  if (Status checked = check_token_value(completion.output); !checked) return checked;
  const std::optional<PackedId> id = pack(completion.id);
  if (!id) return no_token(completion.id);
  if (!health_) return refused();
  saw_time(completion.now);
  Result<Token> before = stored_token(*database_, *id);
  if (!before) return before.status();
  Batch batch(*database_), undo(*database_);
  if (completion.by) {
    const Result<std::optional<RecordedCall>> called =
        recorded_by(*completion.by, CallKind::kCompleteToken, completion.id.text());
    if (!called) return called.status();
    if (*called) return before;
    const std::string key = call_key(*pack(completion.by->run), completion.by->call);
    batch.put(Family::kLive, key, encode(RecordedCall{CallKind::kCompleteToken, completion.id.text(), {}, {}}));
    undo.erase(Family::kLive, key);
  }
  Token token = *before;
  if (token.status == TokenStatus::kWaiting) {
    complete(token, std::move(completion.output), completion.now);
    token_over(*id, *before, token, batch, undo);
  }
  if (!batch.empty()) {
    group_.token_undos.push_back(undo.bytes());
    if (Status written = write(batch); !written) return written;
  }
  return token;
}

void RocksStore::complete_token(TokenCompletion completion, Done<Token> done) {
  Lock lock(mutex_);
  Result<Token> result = end_token(std::move(completion));
  std::optional<Token> now;
  if (result) now = after_sync(done, std::move(*result));
  lock.unlock();
  if (!result) return done(result.status());
  if (now) done(std::move(*now));
}

Result<std::size_t> RocksStore::time_out_tokens(Time now, Lock& lock) {
  const std::vector<PackedId> due = hot_.tokens.until(now);
  std::size_t timed_out = 0;
  for (std::size_t begin = 0; begin < due.size(); begin += kTokensPerBatch) {
    if (begin > 0) {  // let others in between
      lock.unlock();
      lock.lock();
      if (!health_) return refused();
    }
    Batch batch(*database_), undo(*database_);
    for (std::size_t i = begin; i < std::min(due.size(), begin + kTokensPerBatch); ++i) {
      const Result<Token> before = stored_token(*database_, due[i]);
      if (before.status().code() == Code::kCorruption) {
        hot_.tokens.erase(due[i]);
        if (options_.log) options_.log(LogSinkLevel::kError, "a token is left alone: " + before.status().message());
        continue;
      }
      if (!before) return must_reopen(before.status());
      if (before->status != TokenStatus::kWaiting) continue;  // completed meanwhile
      Token token = *before;
      time_out(token, now);
      token_over(due[i], *before, token, batch, undo);
      ++timed_out;
    }
    if (batch.empty()) continue;
    group_.token_undos.push_back(undo.bytes());
    if (Status written = write(batch); !written) return written;
  }
  return timed_out;
}

void RocksStore::remove_tokens(Time ended_before, std::size_t most, Done<std::size_t> done) {
  Lock lock(mutex_);
  const auto remove = [&]() -> Result<std::size_t> {
    if (!health_) return refused();
    const std::string last = token_ended_prefix(ended_before);
    std::size_t removed = 0;
    Batch batch(*database_);
    Scan scan = database_->scan(Family::kTokens, token_prefix(TokenPart::kEnded));
    for (; scan.valid() && scan.key() < last && removed < most; scan.next(), ++removed) {
      const std::optional<PackedId> id = run_in_key(scan.key(), last.size());
      if (!id) return Status::corruption("a key of the tokens is cut short; restore the store from a backup");
      batch.erase(Family::kTokens, scan.key());
      const Result<Token> token = stored_token(*database_, *id);
      if (token) change_token(*token, std::nullopt, batch);  // one that cannot be read leaves index entries behind
      batch.erase(Family::kTokens, token_key(token_prefix(TokenPart::kRecord), *id));
    }
    if (Status read = scan.status(); !read) return read;
    if (removed == 0) return removed;
    if (Status written = write_unawaited(batch); !written) return written;
    return removed;
  };
  Result<std::size_t> removed = remove();
  lock.unlock();
  done(std::move(removed));
}

Result<Token> RocksStore::token(const TokenId& id) const {
  const std::optional<PackedId> packed = pack(id);
  if (!packed) return no_token(id);
  return with_database([&](const Database& db) { return stored_token(db, *packed); });
}

}  // namespace perdure::store::rocks
