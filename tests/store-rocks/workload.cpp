// See workload.h.
#include "tests/store-rocks/workload.h"

#include <string>
#include <utility>

#include "tests/store-rocks/harness.h"

namespace perdure::store::rocks {

Workload::Workload(std::shared_ptr<HistoryChecker> checker, std::uint64_t seed, Time now)
    : checker_(std::move(checker)), random_(seed), now_(now) {}

void Workload::step(Store& store) {
  now_ += std::chrono::milliseconds(random_() % 20);
  switch (random_() % 10) {
    case 0:
    case 1:
    case 2:
      return enqueue(store);
    case 3:
    case 4:
      return claim(store, 1 + random_() % 3);
    case 5:
    case 6:
    case 7:
      return end_one(store, random_() % 2 == 0);
    case 8:
      return cancel(store);
    default:
      return wake(store);
  }
}

void Workload::enqueue(Store& store) {
  NewRun run = new_run(now_, random_() % 2 == 0 ? "echo" : "resize");
  if (random_() % 4 == 0) run.delayed_until = now_ + std::chrono::milliseconds(random_() % 100);
  if (random_() % 8 == 0) run.options.ttl = std::chrono::milliseconds(1 + random_() % 200);
  if (random_() % 4 == 0) run.options.idempotency_key = "key" + std::to_string(random_() % 20);
  if (random_() % 4 == 0) run.request_id = "request" + std::to_string(random_());
  if (random_() % 3 == 0) run.options.tags = {"tag" + std::to_string(random_() % 3)};
  if (random_() % 3 == 0) run.concurrency_key = "tenant" + std::to_string(random_() % 3);
  run.payload = "\"" + std::string(random_() % 2000, 'p') + "\"";
  known_.push_back(run.id);
  const RunId id = run.id;
  store.enqueue(std::move(run), [checker = checker_, id](Result<Enqueued> enqueued) {
    if (enqueued) checker->note_created(enqueued->id);
  });
}

void Workload::claim(Store& store, std::size_t max) {
  for (Claim& each : rocks::claim(store, max, now_)) executing_.push_back(std::move(each));
}

void Workload::end_one(Store& store, bool succeed) {
  if (executing_.empty()) return;
  const std::size_t which = random_() % executing_.size();
  const Claim claim = executing_[which];
  executing_.erase(executing_.begin() + static_cast<std::ptrdiff_t>(which));
  AttemptEnd end = success_of(claim, now_);
  if (!succeed) {
    AfterFailure after = GiveUp{RunStatus::kFailed};
    if (claim.attempt.number < 4 && random_() % 3 != 0) after = RetryAt{now_ + Duration(random_() % 2 * 30)};
    end = failure_of(claim, now_, after);
  }
  if (random_() % 3 == 0)
    end.logs.push_back({0, now_, claim.attempt.number, LogLevel::kInfo, LogSource::kTask, "line", {}});
  store.finish_attempt(std::move(end), [checker = checker_, run = claim.run.id, number = claim.attempt.number,
                                        succeed](Result<Run> after) {
    if (after) checker->note_ended(run, number, succeed, after->status);
  });
}

void Workload::cancel(Store& store) {
  if (known_.empty()) return;
  const RunId run = known_[random_() % known_.size()];
  store.cancel(run, now_, "asked to", [checker = checker_, run](Result<Run> canceled) {
    if (canceled) checker->note_status(run, canceled->status);
  });
}

void Workload::wake(Store& store) {
  store.wake_due(now_, [](const Result<std::size_t>&) {});
}

void Workload::restart(Store& store) {
  executing_.clear();
  now_ += std::chrono::seconds(1);
  (void)recover(store, now_);
}

bool Workload::drain(Store& store) {
  for (int round = 0; round < 1000; ++round) {
    now_ += std::chrono::seconds(1);
    (void)wake_due(store, now_);
    (void)synced(store);
    claim(store, 1000);
    while (!executing_.empty()) end_one(store, true);
    (void)synced(store);
    bool unfinished = false;
    for (const auto& [status, count] : store.counts()) unfinished = unfinished || (!is_final(status) && count > 0);
    if (!unfinished) return true;
  }
  return false;
}

}  // namespace perdure::store::rocks
