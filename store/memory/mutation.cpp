// What the mutations share: transitions, keys, logs, who is next; and what follows once one is durable.
#include "store/memory/mutation.h"

#include <algorithm>

#include "store/model/idempotency.h"

namespace perdure::store {

MemoryStore::MemoryStore(MemoryOptions options) : options_(std::move(options)) {
  for (std::size_t i = 1; i <= kRunStatusCount; ++i) counts_[static_cast<RunStatus>(i)] = 0;
}

void MemoryStore::Mutation::finish(std::function<void()> then) {
  for (RunId& id : store.over_now()) queued.push_back(std::move(id));
  const std::optional<Time> due = store.earliest_due();
  const bool due_earlier = due && (!due_before || *due < *due_before);
  std::map<VersionId, std::uint64_t> free;
  for (const VersionId& version : unlocked) {
    if (!store.locked(version)) free[version] = store.freed_by_[version] = store.next_free_++;
  }
  store.following_.push_back([&engine = store, published = std::move(queued), told = std::move(changed),
                              freed = slots_freed, due_earlier, free = std::move(free), then = std::move(then)] {
    bool ready = false, due_changed = due_earlier;
    std::vector<VersionId> still_free;
    {
      std::lock_guard publishing(engine.mutex_);
      const std::optional<Time> before = engine.earliest_due();
      for (const RunId& id : published) {
        const auto found = engine.runs_.find(id);
        if (found == engine.runs_.end()) continue;  // ended and removed meanwhile
        Entry& entry = found->second;
        const bool goes_on = entry.run.status == RunStatus::kWaiting && entry.wait && is_over(entry);
        if (entry.run.status != RunStatus::kQueued && !goes_on) continue;  // canceled meanwhile
        entry.claimable = true;
        const SubQueue sub(entry.run.queue, entry.run.concurrency_key);
        if (!engine.turns_.contains(sub)) engine.turns_[sub] = engine.next_new_++;
      }
      const std::optional<Time> due_after = engine.earliest_due();  // one may wait for the rate of its queue
      due_changed = due_changed || (due_after && (!before || *due_after < *before));
      const bool can_take = engine.next_ready().has_value() || engine.goes_on_in_place();
      ready = (freed || !published.empty()) && can_take;
      for (const auto& [version, number] : free) {
        if (engine.freed_by_[version] != number) continue;  // locked and freed again meanwhile: told with that
        engine.freed_by_.erase(version);
        if (!engine.locked(version)) still_free.push_back(version);
      }
    }
    engine.tell([&](Listener& listener) {
      if (ready) listener.on_ready();
      if (due_changed) listener.on_due_changed();
      for (const auto& [run, status] : told) listener.on_run_changed(run, status);
      for (const VersionId& version : still_free) listener.on_version_free(version);
    });
    then();
  });
  lock.unlock();
  store.deliver();
}

// In the order of the mutations, whichever thread made them.
void MemoryStore::deliver() {
  std::lock_guard one_at_a_time(delivery_mutex_);
  for (;;) {
    std::function<void()> task;
    {
      std::lock_guard lock(mutex_);
      if (following_.empty()) return;
      task = std::move(following_.front());
      following_.pop_front();
    }
    if (options_.executor) {
      options_.executor(std::move(task));
    } else {
      task();
    }
  }
}

void MemoryStore::tell(const std::function<void(Listener&)>& what) {
  std::lock_guard lock(listener_mutex_);
  if (listener_ != nullptr) what(*listener_);
}

void MemoryStore::listen(Listener* listener) {
  std::lock_guard lock(listener_mutex_);
  listener_ = listener;
}

Status MemoryStore::admit(std::string_view operation) {
  if (Status healthy = health(); !healthy) {
    return {healthy.code(), "the store takes no changes until it serves again: " + healthy.message()};
  }
  Status status = options_.fault ? options_.fault(operation) : Status::ok();
  if (status || (status.code() == Code::kNoSpace && operation.starts_with("enqueue"))) return status;
  {
    std::lock_guard lock(mutex_);
    health_ = status;
    following_.emplace_back([this, status] { tell([&](Listener& listener) { listener.on_health(status); }); });
  }
  deliver();
  return status;
}

void MemoryStore::serve_again() {
  {
    std::lock_guard lock(mutex_);
    health_ = Status::ok();
    for (const auto& [id, entry] : unfinished_) {
      if (std::exchange(entry->aside, std::nullopt)) entry->claimable = true;
    }
    following_.emplace_back([this] {
      tell([](Listener& listener) {
        listener.on_health(Status::ok());
        listener.on_ready();
        listener.on_due_changed();
      });
    });
  }
  deliver();
}

void MemoryStore::add_event(Entry& entry, std::string_view name, Time now, std::uint32_t attempt, std::string data) {
  const auto sequence = static_cast<std::uint32_t>(entry.timeline.size()) + 1;
  entry.timeline.push_back({sequence, now, std::string(name), entry.run.status, attempt, std::move(data)});
}

Status MemoryStore::apply(Mutation& mutation, Entry& entry, RunEvent event, Time now, std::uint32_t attempt,
                          std::string data) {
  Run& run = entry.run;
  const std::optional<RunStatus> after = transition(run.status, event);
  if (!after) {
    return Status::conflict("run " + run.id.text() + " is " + std::string(status_name(run.status)) +
                            ", which does not allow " + std::string(event_name(event)));
  }
  --counts_[run.status];
  ++counts_[*after];
  if (run.status == RunStatus::kWaiting) {
    entry.wait.reset();
    run.ready_at.reset();
    run.calendar = false;
  }
  run.status = *after;
  run.updated_at = now;
  if (run.status == RunStatus::kQueued) {
    run.ready_at.reset();
    run.calendar = false;
  }
  entry.claimable = false;
  entry.aside.reset();
  add_event(entry, event_name(event), now, attempt, std::move(data));
  mutation.note(run);
  if (is_final(run.status)) {
    run.finished_at = now;
    unfinished_.erase(run.id);
    free_idempotency_key(run);
    if (run.status == RunStatus::kCanceled && !entry.children.empty()) canceled_parents_.insert(run.id);
  }
  return Status::ok();
}

void MemoryStore::free_idempotency_key(const Run& run) {
  if (!frees_its_key(run.status)) return;
  const auto held = idempotency_keys_.find({run.task, run.options.idempotency_key});
  if (held != idempotency_keys_.end() && held->second.run == run.id) idempotency_keys_.erase(held);
}

std::optional<RunId> MemoryStore::known_run(const Keys& keys, const TaskId& task, const std::string& key,
                                            Time now) const {
  const auto known = keys.find({task, key});
  if (key.empty() || known == keys.end() || known->second.expires_at <= now) return std::nullopt;
  if (!runs_.contains(known->second.run)) return std::nullopt;  // it was removed
  return known->second.run;
}

void MemoryStore::append(Entry& entry, std::vector<LogEntry> entries) {
  for (LogEntry& each : entries) {
    each.sequence = entry.logs.size() + 1;
    entry.logs.push_back(std::move(each));
  }
}

void MemoryStore::append(Entry& entry, std::vector<TimelineEvent> events) {
  for (TimelineEvent& each : events) add_event(entry, each.name, each.at, each.attempt, std::move(each.data));
}

std::vector<MemoryStore::Entry*> MemoryStore::aside_in_order(const TaskId& task,
                                                             const std::optional<VersionId>& version) const {
  std::vector<Entry*> entries;
  for (const auto& [id, entry] : unfinished_) {
    if (entry->run.task == task && entry->aside && (!version || *entry->aside == *version)) entries.push_back(entry);
  }
  const auto order = [](const Entry* entry) { return order_of(entry->run); };
  std::stable_sort(entries.begin(), entries.end(), [&](auto* a, auto* b) { return order(a) < order(b); });
  return entries;
}

bool MemoryStore::locked(const VersionId& version) const {
  return std::any_of(unfinished_.begin(), unfinished_.end(),
                     [&](const auto& each) { return each.second->run.version == version; });
}

std::optional<Time> MemoryStore::earliest_due() const {
  std::optional<Time> earliest = next_open();
  const auto consider = [&](const std::optional<Time>& time) {
    if (time && (!earliest || *time < *earliest)) earliest = time;
  };
  for (const auto& [id, entry] : unfinished_) {
    const Run& run = entry->run;
    if (run.status == RunStatus::kDelayed || (run.status == RunStatus::kWaiting && !has_time_come(*entry))) {
      consider(run.ready_at);
    }
    if (!run.started_at) consider(run.expires_at);
  }
  for (const auto& [id, token] : tokens_) {
    if (token.status == TokenStatus::kWaiting) consider(token.timeout_at);
  }
  return earliest;
}

}  // namespace perdure::store
