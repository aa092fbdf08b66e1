// Delays that are moved, and idempotency keys that are reset. See memory_store.h.
#include <utility>

#include "store/memory/mutation.h"
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

void MemoryStore::reset_idempotency_key(const TaskId& task, const std::string& key, Time now, Done<RunId> done) {
  if (Status admitted = admit("reset_idempotency_key"); !admitted) return done(admitted);
  Mutation mutation(*this);
  const std::optional<RunId> run = known_run(idempotency_keys_, task, key, now);
  if (!run) return mutation.finish<RunId>(std::move(done), no_run_has(task, key));
  idempotency_keys_.erase({task, key});
  mutation.finish<RunId>(std::move(done), *run);
}

}  // namespace perdure::store
