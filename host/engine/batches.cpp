// Batches: what clients and attempts trigger together, accepted whole. And what an attempt triggers for the case that
// it succeeds: kept in its slot until its end is recorded, and created with that.
#include <utility>

#include "host/engine/attempt_request.h"
#include "host/engine/batch_items.h"
#include "host/engine/child_trigger.h"
#include "host/engine/core_engine.h"
#include "host/engine/new_run.h"

namespace perdure::engine {

using process::AttemptReply;

void CoreEngine::create_batch(store::NewBatch batch, store::Done<store::Batch> done) {
  if (draining_) {
    return done(store::Status::unavailable("The host is stopping and takes no new runs; trigger again in a moment."));
  }
  const std::shared_lock by_this_clock(clock_mutex_);
  batch.now = core_.now();
  batch.id = store::new_batch_id(batch.now);
  store_.create_batch(std::move(batch), std::move(done));
}

void CoreEngine::trigger_batch(BatchRequest request, store::Done<store::Batch> done) {
  if (draining_ && request.call == 0) {  // attempts that go on may still trigger
    return done(store::Status::unavailable("The host is stopping and takes no new runs; trigger again in a moment."));
  }
  const std::shared_lock by_this_clock(clock_mutex_);
  const store::Time now = core_.now();  // before the catalog is read: see checked_since_
  store::Result<store::BatchItems> items = batch_items(std::move(request), *catalog(), store_, now);
  if (!items) return done(items.status());
  store_.enqueue_batch(std::move(*items), std::move(done));
}

void CoreEngine::ask_batch(process::AttemptHandle attempt, Slot& slot, const process::AttemptRequest& request) {
  store::Result<BatchRequest> asked =
      read_child_batch(request.json, request.raw, slot.run, slot.attempt.number, core_.now());
  if (!asked) return launcher_.reply(attempt, request.id, reply_of(asked.status()));
  for (TriggerRequest& item : asked->items) {
    item.allow_pending = item.allow_pending || options_.allow_pending;
    const bool awaited = item.awaited && slot.catalog->find(slot.attempt.version, item.task) != nullptr;
    if (awaited) item.version = slot.attempt.version;
  }
  if (asked->on_success) {
    store::Result<store::BatchItems> items = batch_items(std::move(*asked), *catalog(), store_, core_.now());
    AttemptReply reply = reply_of(items.status());
    if (items) {
      std::vector<store::RunId> runs;
      for (const store::NewRun& run : items->runs) runs.push_back(run.id);
      reply.raw = batch_json(items->batch, runs);
      items->call = 0;
      slot.batches.push_back(std::move(*items));
    }
    return launcher_.reply(attempt, request.id, std::move(reply));
  }
  const AskedCall call{asked->call, store::CallKind::kBatch, name_of(*asked)};
  trigger_batch(std::move(*asked), on_core([this, attempt, id = request.id, whose = slot.run.id,
                                            call](const store::Result<store::Batch>& batch) {
                  AttemptReply reply = call_reply(store_, whose, call, batch.status());
                  if (batch) reply.raw = batch_json(batch->id, batch->runs);
                  launcher_.reply(attempt, id, std::move(reply));
                }));
}

void CoreEngine::keep_for_success(process::AttemptHandle attempt, Slot& slot, std::uint64_t request,
                                  TriggerRequest child) {
  const store::Result<Line> line = line_below(store_, slot.run.id);
  store::Result<store::NewRun> run =
      line ? new_run_of(std::move(child), *catalog(), core_.now()) : store::Result<store::NewRun>(line.status());
  AttemptReply reply = reply_of(run.status());
  if (run) {
    line->put(*run);
    reply.raw = run->id.text();
    slot.children.push_back(std::move(*run));
  }
  launcher_.reply(attempt, request, std::move(reply));
}

void CoreEngine::bring_children(Slot& slot, store::AttemptEnd& end) {
  if (end.failure) return;
  for (store::NewRun& run : slot.children) begin_at(run, end.now);
  for (store::BatchItems& items : slot.batches) {
    for (store::NewRun& run : items.runs) begin_at(run, end.now);
    items.now = end.now;
  }
  end.children = std::exchange(slot.children, {});
  end.batches = std::exchange(slot.batches, {});
}

}  // namespace perdure::engine
