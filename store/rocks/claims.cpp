// How attempts begin: claim, and what it set aside. See rocks_store.h.
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "store/rocks/queue_records.h"
#include "store/rocks/rocks_store.h"

namespace perdure::store::rocks {
namespace {

constexpr std::size_t kReadTogether = 16;  // what is read in vain when there is no room for more, is no more than that

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

Status RocksStore::begin(RunChange& change, const StartOn& start, std::string payload, Claiming& claiming) {
  Run& run = change.run();
  const std::uint32_t number = run.attempts + 1;
  leave(change.id(), run);
  if (Status claimed = change.apply(RunEvent::kClaimed, claiming.now, number); !claimed) return claimed;
  run.attempts = number;
  run.version = start.version;
  if (!run.started_at) run.started_at = claiming.now;
  if (Status begun = change.apply(RunEvent::kAttemptStarted, claiming.now, number); !begun) return begun;
  Claim claim;
  claim.attempt.run = run.id;
  claim.attempt.number = number;
  claim.attempt.started_at = claiming.now;
  claim.attempt.version = start.version;
  claim.attempt.machine = start.machine;
  claim.attempt.token = new_token();
  claim.run = run;
  claim.payload = std::move(payload);
  change.begin_attempt(claim.attempt, claiming.batch);
  change.write(claiming.batch);
  settle(change);
  SubQueueName of;
  if (const RateWindow* window = hot_.ready.begun(of)) {
    claiming.batch.put(Family::kQueues, starts_key(of.first, of.second), encode(*window));
  }
  hot_.executing.insert_or_assign(change.id(), Executing{std::move(change.record()), std::nullopt});
  claiming.claims.push_back(std::move(claim));
  return Status::ok();
}

// Among a million, runs are read from table files: neighbours together in a fraction of the time that each takes alone.
RocksStore::StoredRun RocksStore::read_taken(PackedId id, std::size_t most, Claiming& claiming) const {
  std::vector<StoredRun>& ahead = claiming.ahead;
  if (!ahead.empty() && ahead.back().id == id) {
    StoredRun taken = std::move(ahead.back());
    ahead.pop_back();
    return taken;
  }
  std::vector<PackedId> runs = hot_.ready.likely_next(std::min(most, kReadTogether) - 1);
  runs.insert(runs.begin(), id);
  std::vector<ShortKey> records, payloads;
  for (const PackedId& run : runs) {
    records.push_back(run_key(run));
    payloads.push_back(payload_key(run, PayloadPart::kPayload));
  }
  std::vector<Result<std::string>> read = database_->get_all(Family::kRuns, records);
  std::vector<Result<std::string>> with = database_->get_all(Family::kPayloads, payloads);
  ahead.clear();
  for (std::size_t i = runs.size() - 1; i > 0; --i) {
    ahead.push_back({runs[i], std::move(read[i]), std::move(with[i])});
  }
  return {id, std::move(read[0]), std::move(with[0])};
}

Status RocksStore::claim_one(StoredRun stored, Claiming& claiming) {
  const PackedId id = stored.id;
  // One that cannot be read cannot run; the others can.
  auto unreadable = [&](const Status& why) {
    if (why.code() == Code::kIo) return why;
    ++claiming.turned_away;
    hot_.ready.untake();
    leave_alone(id, why);
    return Status::ok();
  };
  Result<RunRecord> record = stored_run(*database_, id, stored.record);
  if (!record) return unreadable(record.status());
  RunChange change(id, std::move(*record));
  const Run& run = change.run();
  const ClaimDecision decision = claiming.decide(run);
  if (const StartOn* start = std::get_if<StartOn>(&decision)) {
    const bool goes_on = run.status == RunStatus::kWaiting;
    if (goes_on && hot_.executing.contains(id)) return resume(change, {}, claiming);
    if (!stored.payload) return unreadable(stored.payload.status());
    if (goes_on) return resume(change, std::move(*stored.payload), claiming);
    return begin(change, *start, std::move(*stored.payload), claiming);
  }
  if (std::holds_alternative<NotNow>(decision)) {
    claiming.full = true;
    hot_.ready.give_back(order_of(run), id);
    return Status::ok();
  }
  ++claiming.turned_away;
  hot_.ready.untake();
  if (const SetAside* aside = std::get_if<SetAside>(&decision)) {
    hot_.set_aside(id, run, aside->version);
    return Status::ok();
  }
  if (run.status == RunStatus::kWaiting) {
    hot_.set_aside(id, run, run.version);
    return Status::ok();
  }
  leave(id, run);
  if (Status held = change.apply(RunEvent::kHeld, claiming.now); !held) return held;
  change.write(claiming.batch);
  settle(change);
  return Status::ok();
}

void RocksStore::claim(std::size_t max, Time now, const DecideClaim& decide, Done<std::vector<Claim>> done) {
  Lock lock(mutex_);
  auto answer = [&](Result<std::vector<Claim>> result) {
    lock.unlock();
    done(std::move(result));
  };
  if (!health_) return answer(refused());
  saw_time(now);
  Claiming claiming{now, decide, Batch(*database_), {}};
  const std::optional<Time> due_before = hot_.next_due();
  hot_.ready.advance(now + hot_.due.ahead);  // rates go by timer time
  for (const auto& [queue, key] : hot_.ready.take_forgotten()) {
    claiming.batch.erase(Family::kQueues, starts_key(queue, key));
  }
  std::vector<Claim>& claims = claiming.claims;
  if (Status resumed = resume_in_place(claiming); !resumed) return answer(must_reopen(resumed));
  max += claims.size();
  while (claims.size() < max && claiming.turned_away < kMostTurnedAway && !claiming.full) {
    const std::optional<PackedId> id = hot_.ready.take();
    if (!id) break;
    StoredRun taken = read_taken(*id, max - claims.size(), claiming);
    if (Status added = claim_one(std::move(taken), claiming); !added) return answer(must_reopen(added));
  }
  if (!claiming.batch.empty()) {
    if (Status written = write(claiming.batch); !written) return answer(written);
    // One that goes on needs no redoing: its wait is over still.
    const auto begun = std::ranges::find_if(claims, [](const Claim& each) { return !each.resumed; });
    if (begun != claims.end()) {
      group_.claims.push_back({*pack(begun->run.id), begun->attempt.number, claiming.batch.bytes()});
    }
    if (commit_thread_idle_) wake_commit_thread();
  }
  note_due_change(due_before);
  if (group_.due_changed) wake_commit_thread();
  if (claiming.turned_away == kMostTurnedAway) {  // there may be more, and nobody else asks the caller to come back
    group_.slots_freed = true;
    wake_commit_thread();
  }
  answer(std::move(claims));
}

std::size_t RocksStore::put_back(const TaskId& task, const std::optional<VersionId>& version, std::size_t max) {
  Lock lock(mutex_);
  std::size_t left = std::min(max, hot_.aside.count(task, version));  // no more, also when claims set aside meanwhile
  std::size_t back = 0;
  const std::optional<Time> due_before = hot_.next_due();
  while (left > 0) {
    const std::size_t some = hot_.put_back(task, version, std::min(left, kMostTurnedAway));
    if (some == 0) break;
    back += some;
    left -= some;
    note_due_change(due_before);
    group_.slots_freed = true;
    wake_commit_thread();
    if (left > 0) {  // let others in between
      lock.unlock();
      lock.lock();
    }
  }
  return back;
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
  batch.put(Family::kRuns, run_key(*id), encode_timed(record, batch.ahead()));
  if (write(batch) && commit_thread_idle_) wake_commit_thread();
}

}  // namespace perdure::store::rocks
