// Runs that wait and go on again. See memory_store.h.
#include <algorithm>
#include <utility>

#include "store/memory/mutation.h"

namespace perdure::store {
namespace {
constexpr Duration kResumedFirst = std::chrono::hours(24 * 365 * 1000);
}

Time MemoryStore::order_of(const Run& run) {
  const Time order = run.updated_at - run.priority;
  return run.status == RunStatus::kWaiting ? order - kResumedFirst : order;
}

Result<const MemoryStore::Entry*> MemoryStore::process_of(const RunId& run, std::uint32_t number,
                                                          const std::string& token) const {
  const auto found = runs_.find(run);
  if (found == runs_.end()) return Status::not_found("there is no run " + run.text());
  const Entry& entry = found->second;
  const bool waits = entry.run.status == RunStatus::kWaiting && !entry.wait->evicted;
  const bool has_process = entry.run.status == RunStatus::kExecuting || waits;
  if (!has_process || entry.attempts.back().number != number || entry.attempts.back().token != token) {
    return not_executing(run, number);
  }
  return &entry;
}

// Runs that are over, and tokens. Times come by wake_due().
void MemoryStore::see_what_came(Entry& entry) {
  for (std::size_t i = 0; i < entry.wait->members.size(); ++i) {
    const Waitpoint& member = entry.wait->members[i];
    if (entry.came[i] || member.kind == WaitpointKind::kTime) continue;
    const Entry* const run = find(member.run);
    const auto token = tokens_.find(member.token);
    const bool has_come = member.kind == WaitpointKind::kRun
                              ? run == nullptr || is_final(run->run.status)
                              : token == tokens_.end() || token->second.status != TokenStatus::kWaiting;
    if (has_come) entry.came[i] = ++comings_;
  }
}

bool MemoryStore::has_time_come(const Entry& entry) {
  for (std::size_t i = 0; i < entry.wait->members.size(); ++i) {
    if (entry.wait->members[i].kind == WaitpointKind::kTime && entry.came[i]) return true;
  }
  return false;
}

void MemoryStore::time_came(Entry& entry) {
  for (std::size_t i = 0; i < entry.wait->members.size(); ++i) {
    if (entry.wait->members[i].kind == WaitpointKind::kTime) entry.came[i] = ++comings_;
  }
}

bool MemoryStore::is_over(const Entry& entry) {
  const auto has_come = [](const auto& each) { return each.has_value(); };
  return entry.wait->mode == WaitMode::kAny ? std::ranges::any_of(entry.came, has_come)
                                            : std::ranges::all_of(entry.came, has_come);
}

// The runs whose wait is over and that nobody was told of yet.
std::vector<RunId> MemoryStore::over_now() {
  std::vector<RunId> over;
  for (const auto& [id, entry] : unfinished_) {
    if (entry->run.status != RunStatus::kWaiting || entry->claimable || entry->aside) continue;
    see_what_came(*entry);
    if (is_over(*entry)) over.push_back(id);
  }
  return over;
}

void MemoryStore::begin_wait(NewWait wait, Done<WaitBegun> done) {
  if (Status checked = check_wait(wait.name, wait.wait, wait.until.has_value()); !checked) return done(checked);
  if (Status admitted = admit("begin_wait"); !admitted) return done(admitted);
  Mutation mutation(*this);
  Result<WaitBegun> begun = enter_wait(mutation, std::move(wait));
  mutation.finish<WaitBegun>(std::move(done), std::move(begun));
}

Result<WaitBegun> MemoryStore::enter_wait(Mutation& mutation, NewWait asked) {
  const Result<const Entry*> found = process_of(asked.run, asked.number, asked.token);
  if (!found) return found.status();
  Entry& entry = runs_.at(asked.run);
  if (entry.run.status == RunStatus::kWaiting && entry.wait->call == asked.wait.call) {
    const RecordedCall& again = entry.calls.at(asked.wait.call);
    if (Status same = check_same_call(asked.run, again, CallKind::kWait, asked.name); !same) return same;
    WaitBegun begun{again, false};
    begun.call.wait.keeps_slot = entry.wait->keeps_slot;
    return begun;  // claim() says when it is over
  }
  if (entry.run.status != RunStatus::kExecuting) {
    return Status::conflict("run " + asked.run.text() + " waits already; an attempt waits for one thing at a time");
  }
  const RecordedCall* const before = standing_call(entry, asked.wait.call);
  WaitBegun begun;
  if (before != nullptr) {
    if (Status same = check_same_call(asked.run, *before, CallKind::kWait, asked.name); !same) return same;
    begun.call = *before;
    begun.call.wait.keeps_slot = asked.wait.keeps_slot;
  } else {
    begun.call = {CallKind::kWait, std::move(asked.name), {}, {}, asked.wait, asked.until, asked.calendar};
  }
  const RecordedCall& call = begun.call;
  entry.wait = call.wait;
  entry.came.assign(call.wait.members.size(), std::nullopt);
  for (std::size_t i = 0; i < call.wait.members.size(); ++i) {
    const bool time = call.wait.members[i].kind == WaitpointKind::kTime;
    if (time && *call.until <= asked.now) entry.came[i] = ++comings_;
  }
  see_what_came(entry);
  begun.over = call.wait.first || is_over(entry);
  if (begun.over && !call.wait.first && call.wait.mode == WaitMode::kAny) {
    const auto first = std::ranges::find_if(entry.came, [](const auto& each) { return each.has_value(); });
    begun.call.wait.first = static_cast<std::uint32_t>(first - entry.came.begin());
  }
  if (before == nullptr || begun.over) entry.calls[asked.wait.call] = begun.call;
  if (begun.over) {
    entry.wait.reset();
    return begun;
  }
  entry.run.ready_at = call.until;
  entry.run.calendar = call.calendar;
  mutation.slots_freed = mutation.slots_freed || !call.wait.keeps_slot;
  (void)apply(mutation, entry, RunEvent::kWaitBegan, asked.now, asked.number,
              wait_event_data(call.name, call.wait, call.until));
  return begun;
}

void MemoryStore::evict(const RunId& run, std::uint32_t number, const std::string& token, const Usage& usage,
                        DoneStatus done) {
  if (Status admitted = admit("evict"); !admitted) return done(admitted);
  Status evicted;
  {
    std::lock_guard lock(mutex_);
    const Result<const Entry*> found = process_of(run, number, token);
    evicted = found.status();
    if (found && (*found)->run.status != RunStatus::kWaiting) {
      evicted = Status::conflict("run " + run.text() + " does not wait, so that its process is needed");
    } else if (found && is_over(**found)) {
      evicted = Status::conflict("run " + run.text() + " is to go on, so that its process is needed");
    } else if (found) {
      Entry& entry = runs_.at(run);
      entry.wait->evicted = true;
      entry.wait->keeps_slot = false;
      Attempt& attempt = entry.attempts.back();
      ++attempt.evictions;
      attempt.pid = 0;
      attempt.usage = attempt.usage + usage;
      entry.run.executed += usage.duration;
    }
  }
  done(evicted);
}

Claim MemoryStore::resume(Mutation& mutation, Entry& entry, Time now) {
  Wait wait = *entry.wait;
  if (wait.mode == WaitMode::kAny) {
    std::optional<std::size_t> first;
    for (std::size_t i = 0; i < entry.came.size(); ++i) {
      if (entry.came[i] && (!first || *entry.came[i] < *entry.came[*first])) first = i;
    }
    wait.first = static_cast<std::uint32_t>(*first);
    entry.calls[wait.call].wait.first = wait.first;
  }
  (void)apply(mutation, entry, RunEvent::kResumed, now, entry.run.attempts);
  Claim claim{entry.run, entry.attempts.back(), wait.evicted ? entry.payload : std::string(), wait};
  return claim;
}

bool MemoryStore::goes_on_in_place() const {
  return std::ranges::any_of(unfinished_, [](const auto& each) {
    const Entry& entry = *each.second;
    return entry.run.status == RunStatus::kWaiting && entry.claimable && entry.wait->keeps_slot;
  });
}

std::vector<Claim> MemoryStore::resume_in_place(Mutation& mutation, Time now) {
  std::vector<Entry*> entries;
  for (const auto& [id, entry] : unfinished_) {
    if (entry->run.status == RunStatus::kWaiting && entry->claimable && entry->wait->keeps_slot) {
      entries.push_back(entry);
    }
  }
  std::ranges::sort(entries, {}, [](const Entry* each) { return std::pair(order_of(each->run), each->run.id); });
  std::vector<Claim> claims;
  for (Entry* entry : entries) claims.push_back(resume(mutation, *entry, now));
  return claims;
}

}  // namespace perdure::store
