// The conformance suite of store/store.h: every promise of the interface as one test, run against any engine. Link the
// object library perdure_store_conformance and instantiate StoreConformance with an Engine (see engine_factory.h and
// memory_instance.cpp).
//
// The fixture makes the store's calls wait for their answer, and keeps the clock: `now` moves only when a test moves
// it.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/store.h"
#include "tests/store/conformance/engine_factory.h"
#include "tests/store/conformance/recording_listener.h"

namespace perdure::store::conformance {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// What `call` gives to its Done; kUnavailable, and a failure of the test, when it gives nothing for a minute.
template <class T, class Call>
Result<T> await(Call call) {
  auto promise = std::make_shared<std::promise<Result<T>>>();
  std::future<Result<T>> future = promise->get_future();
  call([promise](Result<T> result) { promise->set_value(std::move(result)); });
  if (future.wait_for(std::chrono::minutes(1)) == std::future_status::ready) return future.get();
  ADD_FAILURE() << "the store did not answer within a minute";
  return Status::unavailable("no answer");
}

// The calls, awaited.
Result<Enqueued> enqueue(Store& store, NewRun run);
Result<std::vector<Claim>> claim(Store& store, std::size_t max, Time now, const DecideClaim& decide);
Result<Run> finish(Store& store, AttemptEnd end);
Result<Run> cancel(Store& store, const RunId& run, Time now, const std::string& reason = "asked to");
Result<Run> reschedule(Store& store, const RunId& run, Time until, Time now, bool calendar = false);
Result<Batch> create_batch(Store& store, NewBatch batch);
Result<std::size_t> keep_items(Store& store, const BatchId& batch, const std::map<std::uint32_t, std::string>& items);
Result<Batch> enqueue_batch(Store& store, BatchItems items);
Result<std::size_t> remove_batches(Store& store, Time before, std::size_t max = 100);
Status put_bulk_action(Store& store, BulkAction action, const std::vector<RunId>& affected = {});
Result<Duration> clock_is(Store& store, const ClockStand& stand);
Result<RunId> reset_key(Store& store, const TaskId& task, const std::string& key, Time now);
Result<std::size_t> wake_due(Store& store, Time now);
Result<std::size_t> release(Store& store, const std::vector<TaskId>& tasks, Time now);
Result<std::size_t> recover(Store& store, Time now);
Result<Removed> remove_finished(Store& store, const Removal& removal);
Result<Schedule> put_schedule(Store& store, Schedule schedule);
Result<Schedule> fire_schedule(Store& store, Schedule schedule, std::vector<NewRun> runs);
Status delete_schedule(Store& store, const ScheduleId& schedule);
Result<Run> hooks_ran(Store& store, const RunId& run, const std::vector<TimelineEvent>& events);
Result<Queue> pause(Store& store, const QueueName& queue, bool paused = true);
Result<Queue> override_limit(Store& store, const QueueName& queue, std::optional<std::size_t> limit, Time now);
Status synced(Store& store);
Status change_metadata(Store& store, const RunId& run, std::vector<MetadataOperation> operations);
Result<std::size_t> add_tags(Store& store, const RunId& run, const std::vector<std::string>& tags);
Status record_step(Store& store, NewStep step);
Result<WaitBegun> begin_wait(Store& store, NewWait wait);
Status evict(Store& store, const Claim& claim, const Usage& usage = {});
Result<CreatedToken> create_token(Store& store, NewToken created);
Result<Token> complete_token(Store& store, TokenCompletion completion);
Result<std::size_t> remove_tokens(Store& store, Time ended_before, std::size_t most);
Status append_stream(Store& store, StreamAppend append);

/// The end of a claimed attempt: by success, by an error, by any failure.
AttemptEnd success_of(const Claim& claim, Time now, std::string output = "\"done\"");
AttemptEnd failure_of(const Claim& claim, Time now, AfterFailure after, FailureKind kind = FailureKind::kTaskError);

/// Every task is offered, in version "v1" or the one the run is locked to.
ClaimDecision version_one(const Run& run);

std::vector<RunId> ids_of(const std::vector<Claim>& claims);
std::vector<RunId> ids_of(const std::vector<Run>& runs);

class StoreConformance : public testing::TestWithParam<Engine> {
 protected:
  StoreConformance();
  ~StoreConformance() override;

  [[nodiscard]] Store& store() { return *store_; }
  [[nodiscard]] EngineFactory& factory() { return *factory_; }
  void reopen();
  void lose_power();
  /// The wall clock is set by so much, and the store told.
  void set_clock(Duration by);

  /// A run of `task` in its own queue, now.
  [[nodiscard]] NewRun new_run(const std::string& task = "echo") const;
  /// Creates the run and waits until it is durable.
  RunId enqueued(NewRun run);
  RunId enqueued(const std::string& task = "echo") { return enqueued(new_run(task)); }
  /// In queue `queue` under concurrency key `key`.
  RunId enqueued_in(const std::string& queue, const std::string& key = {});

  std::vector<Claim> claim(std::size_t max = 1000);
  /// Claims the one run that is ready.
  Claim claim_one();
  /// Claims this run, which is ready, and no other.
  Claim claim_one_of(const RunId& run);
  store::Run finish(AttemptEnd end);
  store::Run succeed(const Claim& claim) { return finish(success_of(claim, now)); }
  store::Run fail(const Claim& claim, AfterFailure after, FailureKind kind = FailureKind::kTaskError) {
    return finish(failure_of(claim, now, after, kind));
  }

  /// The queue as it is.
  store::Queue queue(const std::string& name);
  store::Run run(const RunId& id);
  RunStatus status(const RunId& id) { return run(id).status; }
  /// The names of the run's events, oldest first.
  std::vector<std::string> events(const RunId& id);
  std::vector<Attempt> attempts(const RunId& id);

  Time now{milliseconds(1'700'000'000'000)};
  RecordingListener listener;

 private:
  Duration stand_{};  // of the wall clock
  std::unique_ptr<EngineFactory> factory_;
  std::unique_ptr<Store> store_;
};

std::string engine_name(const testing::TestParamInfo<Engine>& info);

}  // namespace perdure::store::conformance
