#include "tests/store/conformance/suite.h"

#include <set>

namespace perdure::store::conformance {

Result<Enqueued> enqueue(Store& store, NewRun run) {
  return await<Enqueued>([&](Done<Enqueued> done) { store.enqueue(std::move(run), std::move(done)); });
}

Result<std::vector<Claim>> claim(Store& store, std::size_t max, Time now, const DecideClaim& decide) {
  return await<std::vector<Claim>>(
      [&](Done<std::vector<Claim>> done) { store.claim(max, now, decide, std::move(done)); });
}

Result<Run> finish(Store& store, AttemptEnd end) {
  return await<Run>([&](Done<Run> done) { store.finish_attempt(std::move(end), std::move(done)); });
}

Result<Run> cancel(Store& store, const RunId& run, Time now, const std::string& reason) {
  return await<Run>([&](Done<Run> done) { store.cancel(run, now, reason, std::move(done)); });
}

Result<Run> reschedule(Store& store, const RunId& run, Time until, Time now, bool calendar) {
  return await<Run>([&](Done<Run> done) { store.reschedule(run, until, calendar, now, std::move(done)); });
}

Result<Duration> clock_is(Store& store, const ClockStand& stand) {
  return await<Duration>([&](Done<Duration> done) { store.clock_is(stand, std::move(done)); });
}

Result<RunId> reset_key(Store& store, const TaskId& task, const std::string& key, Time now) {
  return await<RunId>([&](Done<RunId> done) { store.reset_idempotency_key(task, key, now, std::move(done)); });
}

Result<Run> hooks_ran(Store& store, const RunId& run, const std::vector<TimelineEvent>& events) {
  return await<Run>([&](Done<Run> done) { store.hooks_ran(run, events, std::move(done)); });
}

Result<Queue> pause(Store& store, const QueueName& queue, bool paused) {
  return await<Queue>([&](Done<Queue> done) { store.pause_queue(queue, paused, std::move(done)); });
}

Result<Queue> override_limit(Store& store, const QueueName& queue, std::optional<std::size_t> limit, Time now) {
  return await<Queue>([&](Done<Queue> done) { store.override_limit(queue, limit, now, std::move(done)); });
}

Result<CreatedToken> create_token(Store& store, NewToken created) {
  return await<CreatedToken>([&](Done<CreatedToken> done) { store.create_token(std::move(created), std::move(done)); });
}

Result<Token> complete_token(Store& store, TokenCompletion completion) {
  return await<Token>([&](Done<Token> done) { store.complete_token(std::move(completion), std::move(done)); });
}

Result<std::size_t> remove_tokens(Store& store, Time ended_before, std::size_t most) {
  return await<std::size_t>([&](Done<std::size_t> done) { store.remove_tokens(ended_before, most, std::move(done)); });
}

Result<std::size_t> wake_due(Store& store, Time now) {
  return await<std::size_t>([&](Done<std::size_t> done) { store.wake_due(now, std::move(done)); });
}

Result<std::size_t> release(Store& store, const std::vector<TaskId>& tasks, Time now) {
  return await<std::size_t>([&](Done<std::size_t> done) { store.release(tasks, now, std::move(done)); });
}

Result<std::size_t> recover(Store& store, Time now) {
  return await<std::size_t>([&](Done<std::size_t> done) { store.recover(now, std::move(done)); });
}

Status await_status(const std::function<void(DoneStatus)>& call) {
  const Result<bool> answer = await<bool>([&](const Done<bool>& done) {
    call([done](const Status& status) { done(status ? Result<bool>(true) : Result<bool>(status)); });
  });
  return answer ? Status::ok() : answer.status();
}

Status synced(Store& store) {
  return await_status([&](DoneStatus done) { store.synced(std::move(done)); });
}

Result<Removed> remove_finished(Store& store, const Removal& removal) {
  return await<Removed>([&](Done<Removed> done) { store.remove_finished(removal, std::move(done)); });
}

Result<Schedule> put_schedule(Store& store, Schedule schedule) {
  return await<Schedule>([&](Done<Schedule> done) { store.put_schedule(std::move(schedule), std::move(done)); });
}

Result<Schedule> fire_schedule(Store& store, Schedule schedule, std::vector<NewRun> runs) {
  return await<Schedule>(
      [&](Done<Schedule> done) { store.fire_schedule(std::move(schedule), std::move(runs), std::move(done)); });
}

Status delete_schedule(Store& store, const ScheduleId& schedule) {
  return await_status([&](DoneStatus done) { store.delete_schedule(schedule, std::move(done)); });
}

Status change_metadata(Store& store, const RunId& run, std::vector<MetadataOperation> operations) {
  return await_status([&](DoneStatus done) { store.change_metadata(run, std::move(operations), std::move(done)); });
}

Result<Batch> create_batch(Store& store, NewBatch batch) {
  return await<Batch>([&](Done<Batch> done) { store.create_batch(std::move(batch), std::move(done)); });
}

Result<std::size_t> keep_items(Store& store, const BatchId& batch, const std::map<std::uint32_t, std::string>& items) {
  return await<std::size_t>([&](Done<std::size_t> done) { store.keep_items(batch, items, std::move(done)); });
}

Result<Batch> enqueue_batch(Store& store, BatchItems items) {
  return await<Batch>([&](Done<Batch> done) { store.enqueue_batch(std::move(items), std::move(done)); });
}

Result<std::size_t> remove_batches(Store& store, Time before, std::size_t max) {
  return await<std::size_t>([&](Done<std::size_t> done) { store.remove_batches(before, max, std::move(done)); });
}

Status put_bulk_action(Store& store, BulkAction action, const std::vector<RunId>& affected) {
  return await_status([&](DoneStatus done) { store.put_bulk_action(std::move(action), affected, std::move(done)); });
}

Result<std::size_t> add_tags(Store& store, const RunId& run, const std::vector<std::string>& tags) {
  return await<std::size_t>([&](Done<std::size_t> done) { store.add_tags(run, tags, std::move(done)); });
}

Result<WaitBegun> begin_wait(Store& store, NewWait wait) {
  return await<WaitBegun>([&](Done<WaitBegun> done) { store.begin_wait(std::move(wait), std::move(done)); });
}
Status evict(Store& store, const Claim& claim, const Usage& usage) {
  return await_status([&](DoneStatus done) {
    store.evict(claim.run.id, claim.attempt.number, claim.attempt.token, usage, std::move(done));
  });
}
Status record_step(Store& store, NewStep step) {
  return await_status([&](DoneStatus done) { store.record_step(std::move(step), std::move(done)); });
}

Status append_stream(Store& store, StreamAppend append) {
  return await_status([&](DoneStatus done) { store.append_stream(std::move(append), std::move(done)); });
}

AttemptEnd success_of(const Claim& claim, Time now, std::string output) {
  AttemptEnd end;
  end.run = claim.run.id;
  end.number = claim.attempt.number;
  end.token = claim.attempt.token;
  end.now = now;
  end.output = std::move(output);
  end.usage = {milliseconds(5), std::chrono::microseconds(1500), 4096, 3, 2};
  return end;
}

AttemptEnd failure_of(const Claim& claim, Time now, AfterFailure after, FailureKind kind) {
  AttemptEnd end = success_of(claim, now, {});
  end.failure = Failure{kind, "FixtureError", "boom", "at run (task.cpp:7)", "{\"code\":7}"};
  end.after = after;
  return end;
}

ClaimDecision version_one(const Run& run) { return StartOn{run.version.empty() ? VersionId("v1") : run.version}; }

std::vector<RunId> ids_of(const std::vector<Claim>& claims) {
  std::vector<RunId> ids;
  for (const Claim& claim : claims) ids.push_back(claim.run.id);
  return ids;
}

std::vector<RunId> ids_of(const std::vector<Run>& runs) {
  std::vector<RunId> ids;
  for (const Run& run : runs) ids.push_back(run.id);
  return ids;
}

StoreConformance::StoreConformance() : factory_(GetParam().make()), store_(factory_->create()) {
  store_->listen(&listener);
}

StoreConformance::~StoreConformance() {
  store_->listen(nullptr);
  store_.reset();
}

void StoreConformance::reopen() {
  store_->listen(nullptr);
  store_ = factory_->reopen(std::move(store_));
  store_->listen(&listener);
}

void StoreConformance::lose_power() {
  store_->listen(nullptr);
  store_ = factory_->lose_power(std::move(store_));
  store_->listen(&listener);
}

void StoreConformance::set_clock(Duration by) {
  stand_ += by;
  const Result<Duration> set = clock_is(store(), {"boot", stand_});
  EXPECT_TRUE(set) << set.status().message();
  if (stand_ != by) {  // not the first time
    now += by;
    EXPECT_EQ(set.value(), by);
  }
}

NewRun StoreConformance::new_run(const std::string& task) const {
  NewRun created;
  created.id = new_run_id(now);
  created.task = TaskId(task);
  created.queue = QueueName("task/" + task);
  created.now = now;
  created.payload = "{\"n\":1}";
  return created;
}

RunId StoreConformance::enqueued(NewRun run) {
  const RunId id = run.id;
  const Result<Enqueued> answer = enqueue(store(), std::move(run));
  EXPECT_TRUE(answer) << answer.status().message();
  return answer ? answer->id : id;
}

RunId StoreConformance::enqueued_in(const std::string& queue, const std::string& key) {
  NewRun created = new_run();
  created.queue = QueueName(queue);
  created.concurrency_key = key;
  return enqueued(std::move(created));
}

std::vector<Claim> StoreConformance::claim(std::size_t max) {
  Result<std::vector<Claim>> claims = conformance::claim(store(), max, now, version_one);
  EXPECT_TRUE(claims) << claims.status().message();
  return claims ? std::move(*claims) : std::vector<Claim>();
}

Claim StoreConformance::claim_one() {
  std::vector<Claim> claims = claim(2);
  EXPECT_EQ(claims.size(), 1u);
  return claims.empty() ? Claim() : std::move(claims.front());
}

Claim StoreConformance::claim_one_of(const RunId& wanted) {
  std::set<TaskId> others;
  const auto decide = [&](const store::Run& run) -> ClaimDecision {
    if (run.id == wanted) return version_one(run);
    others.insert(run.task);
    return SetAside{VersionId("v1")};
  };
  const Result<std::vector<Claim>> claims = conformance::claim(store(), 1000, now, decide);
  for (const TaskId& task : others) store().put_back(task, std::nullopt, 1000);
  EXPECT_TRUE(claims && claims.value().size() == 1) << "run " << wanted.text() << " is not ready";
  return claims && claims.value().size() == 1 ? claims.value().front() : Claim();
}

Run StoreConformance::finish(AttemptEnd end) {
  Result<store::Run> after = conformance::finish(store(), std::move(end));
  EXPECT_TRUE(after) << after.status().message();
  return after ? std::move(*after) : store::Run();
}

Queue StoreConformance::queue(const std::string& name) {
  Result<Queue> found = store().queue(QueueName(name));
  EXPECT_TRUE(found) << found.status().message();
  return found ? *found : Queue();
}

Run StoreConformance::run(const RunId& id) {
  Result<store::Run> found = store().run(id);
  EXPECT_TRUE(found) << found.status().message();
  return found ? std::move(*found) : store::Run();
}

std::vector<std::string> StoreConformance::events(const RunId& id) {
  const Result<std::vector<TimelineEvent>> timeline = store().timeline(id);
  EXPECT_TRUE(timeline) << timeline.status().message();
  std::vector<std::string> names;
  if (!timeline) return names;
  for (const TimelineEvent& event : *timeline) names.push_back(event.name);
  return names;
}

std::vector<Attempt> StoreConformance::attempts(const RunId& id) {
  Result<std::vector<Attempt>> found = store().attempts(id);
  EXPECT_TRUE(found) << found.status().message();
  return found ? std::move(*found) : std::vector<Attempt>();
}

std::string engine_name(const testing::TestParamInfo<Engine>& info) { return info.param.name; }

}  // namespace perdure::store::conformance
