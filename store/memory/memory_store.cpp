// What changes runs. See memory_store.h.
#include "store/memory/memory_store.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "store/memory/mutation.h"
#include "store/model/idempotency.h"

namespace perdure::store {
namespace {

constexpr std::chrono::minutes kRequestIdKept{10};

bool holds_slot(RunStatus status) { return status == RunStatus::kDequeued || status == RunStatus::kExecuting; }
bool has_attempt(RunStatus status) { return holds_slot(status) || status == RunStatus::kWaiting; }

Status no_run(const RunId& id) { return Status::not_found("there is no run " + id.text()); }

Run new_run(const NewRun& created) {
  Run run;
  run.id = created.id;
  run.task = created.task;
  run.queue = created.queue;
  run.concurrency_key = created.concurrency_key;
  run.priority = created.priority;
  run.created_at = created.now;
  run.options = created.options;
  run.origin = created.origin;
  run.parent = created.parent;
  run.root = created.root;
  run.depth = created.depth;
  run.schedule = created.schedule;
  run.scheduled_for = created.scheduled_for;
  run.batch = created.batch;
  run.version = created.version;
  run.updated_at = created.since.value_or(created.now);
  if (created.delayed_until && *created.delayed_until > run.updated_at) {
    run.status = RunStatus::kDelayed;
    run.ready_at = created.delayed_until;
    run.calendar = created.calendar;
  } else if (created.pending_version) {
    run.status = RunStatus::kPendingVersion;
  }
  if (created.debounce && run.status == RunStatus::kDelayed) {
    run.debounce_key = created.debounce->key;
    if (created.debounce->max_delay) run.debounce_until = created.now + *created.debounce->max_delay;
  }
  if (run.options.ttl && *run.options.ttl > Duration::zero()) {
    run.expires_at = run.ready_at.value_or(run.updated_at) + *run.options.ttl;
  }
  return run;
}

RunEvent event_of(const AttemptEnd& end) {
  if (!end.failure) return RunEvent::kSucceeded;
  if (const RetryAt* retry = std::get_if<RetryAt>(&end.after)) {
    if (retry->at > end.now) return RunEvent::kRetryLater;
    return end.failure->kind == FailureKind::kHostLost ? RunEvent::kHostLost : RunEvent::kRetryNow;
  }
  switch (std::get<GiveUp>(end.after).status) {
    case RunStatus::kCrashed:
      return RunEvent::kCrashed;
    case RunStatus::kTimedOut:
      return RunEvent::kTimedOut;
    case RunStatus::kSystemFailure:
      return RunEvent::kGaveUp;
    case RunStatus::kCanceled:
      return RunEvent::kCanceled;
    case RunStatus::kExpired:
      return RunEvent::kExpired;  // which no attempt may end as
    default:
      return RunEvent::kFailed;
  }
}

AttemptStatus status_of(const std::optional<Failure>& failure) {
  if (!failure) return AttemptStatus::kSucceeded;
  if (failure->kind == FailureKind::kHostLost) return AttemptStatus::kLost;
  if (failure->kind == FailureKind::kCanceled) return AttemptStatus::kCanceled;
  return AttemptStatus::kFailed;
}

}  // namespace

void MemoryStore::enqueue(NewRun created, Done<Enqueued> done) {
  if (!is_run_id(created.id.text())) {
    return done(Status::invalid("\"" + created.id.text() + "\" is no run id; make one with new_run_id()"));
  }
  if (Status admitted = admit("enqueue"); !admitted) return done(admitted);
  Mutation mutation(*this);
  const std::string& key = created.options.idempotency_key;
  Result<std::optional<RunId>> called = called_before(created);
  if (!called) return mutation.finish<Enqueued>(std::move(done), called.status());
  if (*called) return mutation.finish<Enqueued>(std::move(done), Enqueued{**called, true, true});
  const auto parent = runs_.find(created.parent);
  const auto note_call = [&](const RunId& child) {
    if (created.call != 0 && parent != runs_.end()) {
      parent->second.calls[created.call] = {CallKind::kTrigger, created.task.text(), {}, child};
    }
  };
  if (auto known = known_run(request_ids_, created.task, created.request_id, created.now)) {
    return mutation.finish<Enqueued>(std::move(done), Enqueued{*known, true, true});
  }
  if (known_run(permits_, TaskId(), created.permit, created.now)) {
    return mutation.finish<Enqueued>(std::move(done), used_up());
  }
  const auto note_permit = [&](const RunId& run) {
    if (!created.permit.empty()) permits_[{TaskId(), created.permit}] = {run, created.permit_expires};
  };
  if (auto known = known_run(idempotency_keys_, created.task, key, created.now)) {
    note_call(*known);
    note_permit(*known);
    return mutation.finish<Enqueued>(std::move(done), Enqueued{*known, true, false});
  }
  if (runs_.contains(created.id)) {
    return mutation.finish<Enqueued>(
        std::move(done), Status::conflict("there is a run " + created.id.text() + " already; take a new id"));
  }
  if (const std::optional<RunId> taker = taken_in(mutation, created)) {
    note_call(*taker);
    note_permit(*taker);
    if (!created.request_id.empty()) {
      request_ids_[{created.task, created.request_id}] = {*taker, created.now + kRequestIdKept};
    }
    if (!key.empty()) idempotency_keys_[{created.task, key}] = {*taker, created.now + created.idempotency_ttl};
    return mutation.finish<Enqueued>(std::move(done), Enqueued{*taker, true, false});
  }
  if (!created.request_id.empty()) {
    request_ids_[{created.task, created.request_id}] = {created.id, created.now + kRequestIdKept};
  }
  if (!key.empty()) idempotency_keys_[{created.task, key}] = {created.id, created.now + created.idempotency_ttl};
  const RunId id = created.id;
  if (parent != runs_.end()) parent->second.children.insert(id);
  note_call(id);
  note_permit(id);
  create(mutation, std::move(created));
  mutation.finish<Enqueued>(std::move(done), Enqueued{id, false, false});
}

void MemoryStore::create(Mutation& mutation, NewRun created) {
  Entry& entry = runs_[created.id];
  entry.run = new_run(created);
  if (!entry.run.debounce_key.empty()) debounce_keys_[{created.task, entry.run.debounce_key}] = created.id;
  entry.payload = std::move(created.payload);
  if (!created.options.metadata.empty()) entry.metadata = created.options.metadata;
  unfinished_.emplace(created.id, &entry);
  if (created.queue_limit) {
    QueueSettings settings = settings_of(created.queue);
    settings.triggered = created.queue_limit;
    set(created.queue, settings);
    mutation.slots_freed = true;
  }
  ++counts_[entry.run.status];
  add_event(entry, "triggered", created.now, 0, {});
  mutation.note(entry.run);
}

void MemoryStore::claim(std::size_t max, Time now, const DecideClaim& decide, Done<std::vector<Claim>> done) {
  if (Status admitted = admit("claim"); !admitted) return done(admitted);
  std::vector<Claim> claims;
  {
    Mutation mutation(*this);
    now_ = now + ahead_;
    claims = resume_in_place(mutation, now);
    max += claims.size();
    std::size_t turned_away = 0;
    while (claims.size() < max && turned_away < kMostTurnedAway) {
      const std::optional<RunId> id = next_ready();
      if (!id) break;
      Entry& entry = runs_.at(*id);
      Run& run = entry.run;
      const ClaimDecision decision = decide(run);
      std::uint64_t& turn = turns_[{run.queue, run.concurrency_key}];
      if (std::holds_alternative<NotNow>(decision)) {
        turn = next_back_--;
        break;
      }
      entry.claimable = false;
      turn = next_turn_++;
      const StartOn* start = std::get_if<StartOn>(&decision);
      if (start == nullptr) {
        ++turned_away;
        if (const SetAside* aside = std::get_if<SetAside>(&decision)) {
          entry.aside = aside->version;
        } else if (run.status == RunStatus::kWaiting) {
          entry.aside = run.version;
        } else {
          (void)apply(mutation, entry, RunEvent::kHeld, now);
        }
        continue;
      }
      if (run.status == RunStatus::kWaiting) {
        claims.push_back(resume(mutation, entry, now));
        continue;
      }
      Attempt attempt;
      attempt.run = *id;
      attempt.number = ++run.attempts;
      attempt.started_at = now;
      attempt.version = start->version;
      attempt.machine = start->machine;
      attempt.token = "token-" + std::to_string(next_token_++);
      if (const auto rate = settings_of(run.queue).rate()) {
        windows_[{run.queue, run.concurrency_key}].begin(now_, *rate);
      }
      mutation.unlock(run.version);
      run.version = start->version;
      if (!run.started_at) run.started_at = now;
      (void)apply(mutation, entry, RunEvent::kClaimed, now, attempt.number);
      (void)apply(mutation, entry, RunEvent::kAttemptStarted, now, attempt.number);
      entry.attempts.push_back(attempt);
      claims.push_back({run, std::move(attempt), entry.payload, std::nullopt});
    }
    if (turned_away == kMostTurnedAway) mutation.slots_freed = true;  // asks for on_ready(), if there is more
    mutation.finish();
  }
  done(std::move(claims));
}

std::size_t MemoryStore::put_back(const TaskId& task, const std::optional<VersionId>& version, std::size_t max) {
  Mutation mutation(*this);
  std::vector<Entry*> back = aside_in_order(task, version);
  if (back.size() > max) back.resize(max);
  for (Entry* entry : back) {
    entry->aside.reset();
    entry->claimable = true;
  }
  mutation.slots_freed = !back.empty();
  mutation.finish();
  return back.size();
}

// What the end of the newest attempt does to it and its run.
Status MemoryStore::end_attempt(Mutation& mutation, Entry& entry, AttemptEnd end) {
  Run& run = entry.run;
  const RunEvent event = event_of(end);
  if (transition(run.status, event)) append(entry, std::move(end.events));
  if (Status applied = apply(mutation, entry, event, end.now, end.number); !applied) return applied;
  if (event == RunEvent::kRetryLater) {
    run.ready_at = std::get<RetryAt>(end.after).at;
    run.calendar = std::get<RetryAt>(end.after).calendar;
  }
  Attempt& attempt = entry.attempts.back();
  attempt.status = status_of(end.failure);
  attempt.ended_at = end.now;
  attempt.usage = attempt.usage + end.usage;
  attempt.failure = end.failure;
  if (attempt.status == AttemptStatus::kLost) ++run.host_losses;
  run.executed += end.usage.duration;
  if (!end.machine.empty()) run.machine = std::move(end.machine);
  run.failure = std::move(end.failure);
  if (event == RunEvent::kSucceeded) entry.output = std::move(end.output);
  if (event == RunEvent::kSucceeded) create_children(mutation, end);
  append(entry, std::move(end.logs));
  if (end.owes_hooks && is_final(run.status)) owing_.insert(run.id);
  mutation.slots_freed = true;
  return Status::ok();
}

void MemoryStore::finish_attempt(AttemptEnd end, Done<Run> done) {
  if (Status admitted = admit("finish_attempt"); !admitted) return done(admitted);
  Mutation mutation(*this);
  const auto found = runs_.find(end.run);
  if (found == runs_.end()) return mutation.finish<Run>(std::move(done), no_run(end.run));
  Entry& entry = found->second;
  const std::string what = "attempt " + std::to_string(end.number) + " of run " + end.run.text();
  if (end.number == 0 || end.number != entry.run.attempts) {
    return mutation.finish<Run>(std::move(done), Status::conflict(what + " is not the run's current one"));
  }
  const Attempt& attempt = entry.attempts.back();
  if (attempt.token != end.token) {
    return mutation.finish<Run>(std::move(done), Status::conflict(what + " belongs to another; its outcome stands"));
  }
  if (attempt.status == AttemptStatus::kExecuting) {
    if (Status fits = end.failure ? Status::ok() : check_children(end); !fits) {
      return mutation.finish<Run>(std::move(done), fits);
    }
    if (Status ended = end_attempt(mutation, entry, std::move(end)); !ended) {
      return mutation.finish<Run>(std::move(done), ended);
    }
  } else if (attempt.status == AttemptStatus::kLost && status_of(end.failure) != AttemptStatus::kLost) {
    return mutation.finish<Run>(std::move(done), Status::conflict(what + " was given up as lost; that stands"));
  }
  mutation.finish<Run>(std::move(done), Run(entry.run));
}

void MemoryStore::set_attempt_pid(const RunId& run, std::uint32_t number, std::int32_t pid) {
  if (!admit("set_attempt_pid")) return;
  std::lock_guard lock(mutex_);
  const auto found = runs_.find(run);
  if (found == runs_.end() || found->second.attempts.empty()) return;
  Attempt& attempt = found->second.attempts.back();
  if (attempt.number == number && attempt.status == AttemptStatus::kExecuting) attempt.pid = pid;
}

void MemoryStore::cancel(const RunId& run, Time now, const std::string& reason, Done<Run> done) {
  if (Status admitted = admit("cancel"); !admitted) return done(admitted);
  Mutation mutation(*this);
  const auto found = runs_.find(run);
  if (found == runs_.end()) return mutation.finish<Run>(std::move(done), no_run(run));
  Entry& entry = found->second;
  const bool waits = entry.run.status == RunStatus::kWaiting;
  if (holds_slot(entry.run.status) || (waits && !entry.wait->evicted)) {
    return mutation.finish<Run>(std::move(done),
                                Status::conflict("run " + run.text() + " is executing; end its attempt to cancel it"));
  }
  if (!is_final(entry.run.status)) {
    if (waits) {
      entry.attempts.back().status = AttemptStatus::kCanceled;
      entry.attempts.back().ended_at = now;
    }
    const std::string data = reason.empty() ? "" : boost::json::serialize(boost::json::value{{"reason", reason}});
    (void)apply(mutation, entry, RunEvent::kCanceled, now, 0, data);
    mark_owing(entry.run);
  }
  mutation.finish<Run>(std::move(done), Run(entry.run));
}

void MemoryStore::wake_due(Time now, Done<std::size_t> done) {
  if (Status admitted = admit("wake_due"); !admitted) return done(admitted);
  Mutation mutation(*this);
  const std::optional<Time> opens = next_open();
  now_ = now + ahead_;
  mutation.slots_freed = opens && *opens <= now;
  std::size_t changed = 0;
  for (const auto& [id, each] : std::map(unfinished_)) {  // a copy: expired runs leave it
    Entry& entry = *each;
    const Run& run = entry.run;
    if (!run.started_at && run.expires_at && *run.expires_at <= now) {
      (void)apply(mutation, entry, RunEvent::kExpired, now);
      mark_owing(run);
      ++changed;
    } else if (run.status == RunStatus::kWaiting && run.ready_at && *run.ready_at <= now && !has_time_come(entry)) {
      time_came(entry);
    } else if (run.status == RunStatus::kDelayed && run.ready_at && *run.ready_at <= now) {
      (void)apply(mutation, entry, RunEvent::kDue, now);
      ++changed;
    }
  }
  changed += time_out_tokens(now);
  mutation.finish<std::size_t>(std::move(done), changed);
}

void MemoryStore::release(const std::vector<TaskId>& tasks, Time now, Done<std::size_t> done) {
  if (Status admitted = admit("release"); !admitted) return done(admitted);
  Mutation mutation(*this);
  std::size_t changed = 0;
  for (const auto& [id, each] : unfinished_) {
    Entry& entry = *each;
    if (entry.run.status != RunStatus::kPendingVersion) continue;
    if (std::find(tasks.begin(), tasks.end(), entry.run.task) == tasks.end()) continue;
    (void)apply(mutation, entry, RunEvent::kReleased, now);
    ++changed;
  }
  mutation.finish<std::size_t>(std::move(done), changed);
}

void MemoryStore::recover(Time now, const std::vector<AdoptedAttempt>& adopted, Done<std::size_t> done) {
  if (Status admitted = admit("recover"); !admitted) return done(admitted);
  Mutation mutation(*this);
  std::size_t lost = 0;
  for (const auto& [id, each] : std::map(unfinished_)) {  // a copy, as above
    Entry& entry = *each;
    if (!has_attempt(entry.run.status) || (entry.wait && entry.wait->evicted)) continue;
    const auto known = std::ranges::find(adopted, id, &AdoptedAttempt::run);
    if (known != adopted.end() && known->is(entry.attempts.back())) continue;
    AttemptEnd end;
    end.run = id;
    end.number = entry.run.attempts;
    end.now = now;
    end.failure =
        Failure{FailureKind::kHostLost, "HostLost", "the host or its machine died while the attempt executed", {}, {}};
    end.after = after_failure(entry.run, *end.failure, RetryPolicy(), std::nullopt, now, 0);
    (void)end_attempt(mutation, entry, std::move(end));
    if (is_final(entry.run.status)) mark_owing(entry.run);
    ++lost;
  }
  mutation.finish<std::size_t>(std::move(done), lost);
}

void MemoryStore::mark_owing(const Run& run) {
  if (owes_ && owes_(run)) owing_.insert(run.id);
}

void MemoryStore::owe_hooks(OwesHooks owes) {
  std::lock_guard lock(mutex_);
  owes_ = std::move(owes);
}

void MemoryStore::hooks_ran(const RunId& run, std::vector<TimelineEvent> events, Done<Run> done) {
  if (Status admitted = admit("hooks_ran"); !admitted) return done(admitted);
  Mutation mutation(*this);
  const auto found = runs_.find(run);
  if (found == runs_.end()) return mutation.finish<Run>(std::move(done), no_run(run));
  Entry& entry = found->second;
  if (owing_.erase(run) > 0) append(entry, std::move(events));
  mutation.finish<Run>(std::move(done), Run(entry.run));
}

void MemoryStore::children_over(const RunId& run, DoneStatus done) {
  if (Status admitted = admit("children_over"); !admitted) return done(admitted);
  {
    std::lock_guard lock(mutex_);
    canceled_parents_.erase(run);
  }
  done(Status::ok());
}

void MemoryStore::append_logs(const RunId& run, std::vector<LogEntry> entries) {
  if (!admit("append_logs")) return;
  std::lock_guard lock(mutex_);
  const auto found = runs_.find(run);
  if (found != runs_.end()) append(found->second, std::move(entries));
}

void MemoryStore::append_events(const RunId& run, std::vector<TimelineEvent> events) {
  if (!admit("append_events")) return;
  std::lock_guard lock(mutex_);
  const auto found = runs_.find(run);
  if (found != runs_.end()) append(found->second, std::move(events));
}

void MemoryStore::synced(DoneStatus done) {
  if (Status healthy = health(); !healthy) return done(healthy);
  {
    std::lock_guard lock(mutex_);
    following_.emplace_back([done = std::move(done)] { done(Status::ok()); });
  }
  deliver();
}

}  // namespace perdure::store
