// Delays that are moved while they last. See rocks_store.h.
#include "store/model/delay.h"

#include <utility>

#include "store/model/timestamp.h"
#include "store/rocks/rocks_store.h"

namespace perdure::store::rocks {

void RocksStore::reschedule(const RunId& run, Time until, bool calendar, Time now, Done<Run> done) {
  const std::optional<PackedId> id = pack(run);
  if (!id) return done(Status::not_found("there is no run " + run.text()));
  Lock lock(mutex_);
  auto answer = [&](Result<Run> result) {
    lock.unlock();
    done(std::move(result));
  };
  if (!health_) return answer(refused());
  saw_time(now);
  Result<RunRecord> record = stored_run(*database_, *id);
  if (!record) return answer(record.status());
  if (!in_trigger_delay(record->run)) return answer(no_delay(record->run));
  const std::optional<Time> due_before = hot_.next_due();
  const Run before = record->run;
  RunChange change(*id, std::move(*record));
  move_delay(change.run(), until, calendar, now);
  TimelineEvent moved;
  moved.at = now;
  moved.name = "rescheduled";
  moved.data = R"({"until":")" + format_time(*change.run().ready_at) + "\"}";
  change.note(std::move(moved));
  Batch batch(*database_);
  change.write_moved(batch);
  put_debounce_key(*id, change.run(), batch);
  if (Status written = write(batch); !written) return answer(written);
  leave(*id, before);
  settle(change);
  note_due_change(due_before);
  if (std::optional<Run> durable = after_sync(done, std::move(change.run()))) answer(std::move(*durable));
}

}  // namespace perdure::store::rocks
