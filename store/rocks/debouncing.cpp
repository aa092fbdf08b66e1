// Triggers that are taken in by a run that waits for its delay. See rocks_store.h.
#include "store/model/debounce.h"

#include <utility>

#include "store/model/delay.h"
#include "store/model/timestamp.h"
#include "store/rocks/rocks_store.h"

namespace perdure::store::rocks {
namespace {

// A key means nothing any more when its run has left its delay: the run says so. So this is only for how long it may be
// kept, should the host be down when the delay ends.
constexpr std::chrono::hours kKeyKept{24 * 30};

}  // namespace

void RocksStore::put_debounce_key(PackedId id, const Run& run, Batch& batch) {
  if (run.debounce_key.empty() || !run.ready_at) return;
  batch.put(Family::kKeys, key_key(KeyKind::kDebounce, run.task, run.debounce_key),
            encode(KeyRecord{id, *run.ready_at + kKeyKept + batch.ahead()}));
}

Result<std::optional<PackedId>> RocksStore::taken_in(NewRun& created, Batch& batch) {
  if (!created.debounce) return std::optional<PackedId>();
  const Debounce& debounce = *created.debounce;
  const Result<std::optional<KeyRecord>> key = live_key(KeyKind::kDebounce, created.task, debounce.key, created.now);
  if (!key) return key.status();
  if (!*key) return std::optional<PackedId>();
  const PackedId id = (*key)->run;
  Result<RunRecord> record = stored_run(*database_, id);
  if (!record) return record.status();
  if (!takes_in(record->run, debounce.key, created.now)) return std::optional<PackedId>();

  const std::optional<Time> due_before = hot_.next_due();
  const Run before = record->run;
  RunChange change(id, std::move(*record));
  Run& run = change.run();
  move_delay(run, delay_after(run, debounce, created.now), false, created.now);
  if (debounce.trailing) {
    for (const std::string& tag : run.options.tags) batch.erase(Family::kByTag, tag_key(tag, id));
    ask_anew(run, created.options);
    for (const std::string& tag : run.options.tags) batch.put(Family::kByTag, tag_key(tag, id), {});
    batch.put(Family::kPayloads, payload_key(id, PayloadPart::kPayload), created.payload);
    Scan changed = database_->scan(Family::kLive, live_prefix(id, LivePart::kMetadata));
    for (; changed.valid(); changed.next()) batch.erase(Family::kLive, changed.key());
    if (Status read = changed.status(); !read) return read;
    hot_.metadata.clear();  // what it has of this run
  }
  TimelineEvent taken;
  taken.at = created.now;
  taken.name = "debounced";
  taken.data = R"({"until":")" + format_time(*run.ready_at) + "\"}";
  change.note(std::move(taken));
  change.write_moved(batch);
  put_debounce_key(id, run, batch);
  leave(id, before);
  settle(change);
  note_due_change(due_before);
  return std::optional(id);
}

}  // namespace perdure::store::rocks
