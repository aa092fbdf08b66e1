// How attempts begin: claim. See rocks_store.h.
#include <sys/random.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "store/rocks/rocks_store.h"

namespace perdure::store::rocks {
namespace {

// 128 random bits as hex digits: who knows them may record the attempt's outcome.
std::string new_token() {
  static constexpr char kHex[] = "0123456789abcdef";
  thread_local std::array<unsigned char, 4096> pool;
  thread_local std::size_t left = 0;
  if (left < 16) {
    if (::getrandom(pool.data(), pool.size(), 0) != static_cast<ssize_t>(pool.size())) std::abort();  // cannot fail
    left = pool.size();
  }
  std::string token;
  token.reserve(32);
  for (int i = 0; i < 16; ++i) {
    const unsigned char byte = pool[--left];
    token.push_back(kHex[byte >> 4]);
    token.push_back(kHex[byte & 15]);
  }
  return token;
}

}  // namespace

Status RocksStore::add_claim(PackedId id, Time now, const VersionOf& version_of, Batch& batch,
                             std::vector<Claim>& claims) {
  Claim claim;
  Result<RunRecord> record = stored_run(*database_, id);
  Status got = record ? database_->get(Family::kPayloads, payload_key(id, PayloadPart::kPayload), claim.payload)
                      : record.status();
  if (got.code() == Code::kIo) return got;
  if (!got) {  // this one cannot run; the others can
    leave_alone(id, got);
    return Status::ok();
  }
  RunChange change(id, std::move(*record));
  Run& run = change.run();
  std::optional<VersionId> version = version_of(run);
  leave(id, run);
  if (!version) {
    hot_.ready.ended(run.queue, run.concurrency_key);
    if (Status held = change.apply(RunEvent::kHeld, now); !held) return held;
    change.write(batch);
    settle(change);
    return Status::ok();
  }

  const std::uint32_t number = run.attempts + 1;
  if (Status claimed = change.apply(RunEvent::kClaimed, now, number); !claimed) return claimed;
  run.attempts = number;
  run.version = *version;
  if (!run.started_at) run.started_at = now;
  if (Status begun = change.apply(RunEvent::kAttemptStarted, now, number); !begun) return begun;
  claim.attempt.run = run.id;
  claim.attempt.number = number;
  claim.attempt.started_at = now;
  claim.attempt.version = std::move(*version);
  claim.attempt.token = new_token();
  claim.run = run;
  change.begin_attempt(claim.attempt, batch);
  change.write(batch);
  settle(change);
  hot_.executing.insert_or_assign(id, Executing{std::move(change.record()), std::nullopt});
  claims.push_back(std::move(claim));
  return Status::ok();
}

void RocksStore::claim(std::size_t max, Time now, const VersionOf& version_of, Done<std::vector<Claim>> done) {
  std::vector<Claim> claims;
  Lock lock(mutex_);
  auto answer = [&](Result<std::vector<Claim>> result) {
    lock.unlock();
    done(std::move(result));
  };
  if (!health_) return answer(refused());
  saw_time(now);
  Batch batch(*database_);
  while (claims.size() < max) {
    const std::optional<PackedId> id = hot_.ready.take();
    if (!id) break;
    if (Status added = add_claim(*id, now, version_of, batch, claims); !added) {
      return answer(must_reopen(added));
    }
  }
  if (!batch.empty()) {
    if (Status written = write(batch); !written) return answer(written);
    if (!claims.empty()) {
      group_.claims.push_back({*pack(claims.front().run.id), claims.front().attempt.number, batch.bytes()});
    }
    if (commit_thread_idle_) wake_commit_thread();
  }
  answer(std::move(claims));
}

void RocksStore::set_attempt_pid(const RunId& run, std::uint32_t number, std::int32_t pid) {
  const std::optional<PackedId> id = pack(run);
  if (!id) return;
  Lock lock(mutex_);
  if (!health_) return;
  auto found = hot_.executing.find(*id);
  if (found == hot_.executing.end() || found->second.record.attempt->number != number) return;
  RunRecord& record = found->second.record;
  record.attempt->pid = pid;
  Batch batch(*database_);
  batch.put(Family::kRuns, run_key(*id), encode(record));
  if (write(batch) && commit_thread_idle_) wake_commit_thread();
}

}  // namespace perdure::store::rocks
