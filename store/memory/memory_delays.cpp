// Delays that are moved by hand, by later triggers or by the clock, and idempotency keys that are reset. See
// memory_store.h.
#include <utility>

#include "store/memory/mutation.h"
#include "store/model/debounce.h"
#include "store/model/delay.h"
#include "store/model/idempotency.h"
#include "store/model/timestamp.h"

namespace perdure::store {

void MemoryStore::reschedule(const RunId& run, Time until, bool calendar, Time now, Done<Run> done) {
  if (Status admitted = admit("reschedule"); !admitted) return done(admitted);
  Mutation mutation(*this);
  const auto found = runs_.find(run);
  if (found == runs_.end()) {
    return mutation.finish<Run>(std::move(done), Status::not_found("there is no run " + run.text()));
  }
  Entry& entry = found->second;
  if (!in_trigger_delay(entry.run)) return mutation.finish<Run>(std::move(done), no_delay(entry.run));
  move_delay(entry.run, until, calendar, now);
  add_event(entry, "rescheduled", now, 0, R"({"until":")" + format_time(*entry.run.ready_at) + "\"}");
  mutation.note(entry.run);
  mutation.finish<Run>(std::move(done), Run(entry.run));
}

std::optional<RunId> MemoryStore::taken_in(Mutation& mutation, NewRun& created) {
  if (!created.debounce) return std::nullopt;
  const auto key = debounce_keys_.find({created.task, created.debounce->key});
  const auto found = key == debounce_keys_.end() ? runs_.end() : runs_.find(key->second);
  if (found == runs_.end() || !takes_in(found->second.run, created.debounce->key, created.now)) return std::nullopt;
  Entry& entry = found->second;
  move_delay(entry.run, delay_after(entry.run, *created.debounce, created.now), false, created.now);
  if (created.debounce->trailing) {
    ask_anew(entry.run, created.options);
    entry.payload = std::move(created.payload);
    entry.metadata = created.options.metadata.empty() ? "{}" : created.options.metadata;
  }
  add_event(entry, "debounced", created.now, 0, R"({"until":")" + format_time(*entry.run.ready_at) + "\"}");
  mutation.note(entry.run);
  return entry.run.id;
}

// In the plainest way: every time that ends a duration is moved.
void MemoryStore::clock_is(const ClockStand& stand, Done<Duration> done) {
  const Status admitted = admit("clock_is");
  Mutation mutation(*this);
  const Duration by = set_since(clock_, stand);
  ahead_ -= by;
  for (const auto& [id, entry] : unfinished_) {
    Run& run = entry->run;
    const TimedParts parts = parts_of_durations(run);
    if (parts.ready) *run.ready_at += by;
    if (parts.expires) *run.expires_at += by;
    if (parts.debounce) *run.debounce_until += by;
    for (auto& [number, call] : entry->calls) {
      if (call.until && !call.calendar) *call.until += by;
    }
  }
  for (auto& [id, token] : tokens_) {
    if (token.status == TokenStatus::kWaiting && !token.calendar) token.timeout_at += by;
    if (token.key_expires_at) *token.key_expires_at += by;
  }
  for (Keys* keys : {&idempotency_keys_, &request_ids_, &permits_}) {
    for (auto& [key, known] : *keys) known.expires_at += by;
  }
  for (auto& [key, known] : batch_keys_) known.second += by;
  mutation.finish<Duration>(std::move(done), admitted ? Result<Duration>(by) : admitted);
}

void MemoryStore::reset_idempotency_key(const TaskId& task, const std::string& key, Time now, Done<RunId> done) {
  if (Status admitted = admit("reset_idempotency_key"); !admitted) return done(admitted);
  Mutation mutation(*this);
  const std::optional<RunId> run = known_run(idempotency_keys_, task, key, now);
  if (!run) return mutation.finish<RunId>(std::move(done), no_run_has(task, key));
  idempotency_keys_.erase({task, key});
  mutation.finish<RunId>(std::move(done), *run);
}

}  // namespace perdure::store
