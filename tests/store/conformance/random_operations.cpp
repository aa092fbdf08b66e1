#include "tests/store/conformance/random_operations.h"

#include <algorithm>

#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

constexpr std::uint64_t kTasks = 3;

template <class T>
void expect_same(const Result<T>& subject, const Result<T>& reference, const char* what) {
  ASSERT_EQ(code_name(subject.status().code()), code_name(reference.status().code()))
      << what << ": " << subject.status().message() << reference.status().message();
  if (!subject) return;
  EXPECT_TRUE(*subject == *reference) << what;
}

bool task_zero_owes(const Run& run) { return run.task == TaskId("task0"); }

std::string said(const Run& run) {
  return run.id.text() + " " + std::string(status_name(run.status)) + " attempts " + std::to_string(run.attempts) +
         " losses " + std::to_string(run.host_losses) + " updated " +
         std::to_string(run.updated_at.time_since_epoch().count());
}

std::vector<std::string> said(const Result<std::vector<TimelineEvent>>& timeline) {
  if (!timeline) return {std::string(code_name(timeline.status().code()))};
  std::vector<std::string> events;
  for (const TimelineEvent& each : *timeline) {
    events.push_back(std::to_string(each.sequence) + " " + each.name + " " + std::string(status_name(each.status)) +
                     " at " + std::to_string(each.at.time_since_epoch().count()) + " attempt " +
                     std::to_string(each.attempt) + " " + each.data);
  }
  return events;
}

void expect_same_run(const Result<Run>& subject, const Result<Run>& reference, const char* what) {
  ASSERT_EQ(code_name(subject.status().code()), code_name(reference.status().code()))
      << what << ": " << subject.status().message() << reference.status().message();
  if (!subject) return;
  EXPECT_TRUE(*subject == *reference) << what << ": " << said(*subject) << " / " << said(*reference);
}

}  // namespace

RandomOperations::RandomOperations(std::uint64_t seed, Time now, Queues queues)
    : random_(seed), now_(now), queues_(queues) {
  for (std::uint64_t i = 0; i < kTasks; ++i) offered_.insert(TaskId("task" + std::to_string(i)));
  reference_.owe_hooks(task_zero_owes);
}

RunId RandomOperations::some_run() {
  if (runs_.empty() || one_in(50)) return new_run_id(now_);
  const std::size_t newest = std::min<std::size_t>(runs_.size(), 40);
  return one_in(4) ? runs_[below(runs_.size())] : runs_[runs_.size() - 1 - below(newest)];
}

void RandomOperations::one(Store& store) {
  store.owe_hooks(task_zero_owes);  // not stored, and the store may have been opened since
  now_ += Duration(below(50));
  switch (below(26)) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
      return enqueue(store);
    case 6:
    case 7:
    case 8:
      return claim(store);
    case 9:
    case 10:
    case 11:
    case 12:
    case 13:
      return finish(store);
    case 14:
      return one_in(3) ? move(store) : cancel(store);
    case 15:
      expect_same(wake_due(store, now_), wake_due(reference_, now_), "wake_due");
      return;
    case 16:
      if (one_in(3)) return call_hooks(store);
      if (one_in(2)) return batch(store);
      return one_in(2) ? queues(store) : log(store);
    case 17:
      return one_in(3) ? offer(store) : quarantine(store);
    case 18:
      if (one_in(20)) return recover_all(store);
      if (one_in(10)) return remove(store);
      return compare_run(store, some_run());
    case 19:
      return one_in(2) ? step(store) : live(store);
    case 20:
    case 21:
    case 22:
      return live(store);
    case 23:
    case 24:
      return one_in(2) ? token(store) : schedule(store);
    default:
      return list(store);
  }
}

void RandomOperations::enqueue(Store& store) {
  NewRun created;
  created.id = new_run_id(now_);
  if (one_in(40)) {  // one that is taken; the id of a run that was removed never comes again
    const RunId taken = some_run();
    if (reference_.run(taken)) created.id = taken;
  }
  created.task = TaskId(pick("task", kTasks));
  created.queue = QueueName("queue");
  if (queues_ == kManyQueues) {
    created.queue = QueueName(pick("queue", 3));
    if (one_in(2)) created.concurrency_key = pick("key", 3);
  }
  if (one_in(20)) created.queue_limit = 1 + below(4);
  if (one_in(4)) created.priority = Duration(below(200));
  created.now = now_;
  if (one_in(4)) created.delayed_until = now_ + Duration(below(300));
  created.calendar = one_in(2);
  created.options.is_test = one_in(4);
  if (one_in(6)) {
    created.debounce = Debounce{pick("d", 3), Duration(50 + below(200)), one_in(2), {}};
    if (one_in(2)) created.debounce->max_delay = Duration(100 + below(300));
    created.delayed_until = now_ + created.debounce->delay;
    created.calendar = false;
  }
  created.pending_version = one_in(10);
  if (one_in(5)) created.options.ttl = Duration(below(300));
  if (one_in(3)) created.options.idempotency_key = pick("k", 20);
  if (one_in(4)) created.request_id = pick("r", 40);
  if (one_in(6)) {
    created.permit = pick("p", 20);
    created.permit_expires = now_ + Duration(1 + below(500));
  }
  if (one_in(3)) created.idempotency_ttl = Duration(1 + below(500));
  for (std::uint64_t i = below(4); i > 0; --i) created.options.tags.push_back("tag" + std::to_string(i));
  if (one_in(4)) created.options.metadata = "{\"m\":true}";
  if (one_in(3)) {
    created.parent = created.root = some_run();
    created.depth = static_cast<std::uint32_t>(below(3));
    if (one_in(2)) created.call = 1 + below(3);
  }
  created.payload = '"' + std::string(below(300), 'p') + '"';
  const Result<Enqueued> subject = conformance::enqueue(store, created);
  const Result<Enqueued> reference = conformance::enqueue(reference_, created);
  ASSERT_EQ(code_name(subject.status().code()), code_name(reference.status().code()));
  if (!subject) return;
  EXPECT_EQ(subject->id.text(), reference->id.text());
  EXPECT_EQ(subject->existing, reference->existing);
  EXPECT_EQ(subject->same_request, reference->same_request);
  if (!subject->existing) runs_.push_back(subject->id);
}

void RandomOperations::claim(Store& store) {
  const std::uint64_t newest = below(2);  // which version runs start on now, unless they are locked to one
  const char full_for = pick("", 10)[0];  // runs whose ids end so
  const DecideClaim decide = [this, newest, full_for](const Run& run) -> ClaimDecision {
    if (run.id.text().back() == full_for) return NotNow{};
    if (!offered_.contains(run.task)) return Hold();
    // Now and then a run moves to the newest, as one that is locked to none.
    const bool keeps = !run.version.empty() && run.attempts % 3 != 0;
    const VersionId version = keeps ? run.version : VersionId(run.task.text() + "-v" + std::to_string(newest));
    if (quarantined_.contains({run.task, version})) return SetAside{version};
    return StartOn{version, run.machine.empty() ? "micro" : run.machine};
  };
  const std::size_t max = below(6);
  const Result<std::vector<Claim>> subject = conformance::claim(store, max, now_, decide);
  const Result<std::vector<Claim>> reference = conformance::claim(reference_, max, now_, decide);
  ASSERT_TRUE(subject) << subject.status().message();
  ASSERT_TRUE(reference);
  ASSERT_EQ(ids_of(*subject), ids_of(*reference));
  for (std::size_t i = 0; i < subject->size(); ++i) {
    const Claim& one = (*subject)[i];
    Attempt attempt = one.attempt;
    attempt.token = (*reference)[i].attempt.token;
    EXPECT_TRUE(attempt == (*reference)[i].attempt);
    EXPECT_TRUE(one.run == (*reference)[i].run) << said(one.run) << " / " << said((*reference)[i].run);
    EXPECT_EQ(one.payload, (*reference)[i].payload);
    claims_.push_back({one, (*reference)[i]});
  }
}

AfterFailure RandomOperations::some_end() {
  if (!one_in(3)) return RetryAt{now_ + Duration(below(2) * below(200)), one_in(2)};
  constexpr RunStatus kEnds[] = {RunStatus::kFailed, RunStatus::kCrashed, RunStatus::kTimedOut,
                                 RunStatus::kSystemFailure, RunStatus::kCanceled};
  return GiveUp{kEnds[below(std::size(kEnds))]};
}

void RandomOperations::finish(Store& store) {
  if (claims_.empty()) return;
  const std::size_t newest = std::min<std::size_t>(claims_.size(), 12);
  const Claimed& claimed = claims_[claims_.size() - 1 - below(newest)];
  AttemptEnd end = success_of(claimed.subject, now_, '"' + std::string(below(200), 'o') + '"');
  if (one_in(2)) {
    end.failure = Failure{static_cast<FailureKind>(1 + below(13)), "Error", "boom", "stack", "{}"};
    end.after = some_end();
  }
  end.usage.duration = Duration(below(1000));
  end.owes_hooks = one_in(8);
  for (std::uint64_t i = below(3); i > 0; --i) {
    end.logs.push_back({0, now_, end.number, LogLevel::kInfo, LogSource::kTask, "line", {}});
  }
  if (one_in(4)) add_children(end);
  const bool foreign = one_in(15);
  if (foreign) end.token = "another's";
  if (one_in(20)) ++end.number;
  AttemptEnd same = end;
  if (!foreign) same.token = claimed.reference.attempt.token;
  const Result<Run> ended = conformance::finish(store, end);
  expect_same_run(ended, conformance::finish(reference_, std::move(same)), "finish_attempt");
  if (ended && !end.failure) note_children(end);
}

void RandomOperations::cancel(Store& store) {
  const RunId id = some_run();
  expect_same_run(conformance::cancel(store, id, now_), conformance::cancel(reference_, id, now_), "cancel");
}

// A delay is moved, or a key reset.
void RandomOperations::move(Store& store) {
  const RunId id = some_run();
  const Time until = now_ + Duration(below(400)) - Duration(50);
  const bool calendar = one_in(2);
  expect_same_run(reschedule(store, id, until, now_, calendar), reschedule(reference_, id, until, now_, calendar),
                  "reschedule");
  const TaskId task(pick("task", kTasks));
  const std::string key = pick("k", 20);
  expect_same(reset_key(store, task, key, now_), reset_key(reference_, task, key, now_), "reset_idempotency_key");
  if (!one_in(4)) return;
  const Duration by = Duration(below(4000)) - Duration(2000);  // the wall clock is set
  stand_ += by;
  const ClockStand stand{"boot", stand_};
  const auto subject = clock_is(store, stand), reference = clock_is(reference_, stand);
  expect_same(subject, reference, "clock_is");
  if (subject) now_ += *subject;
}

// Something is said about a queue, or asked.
void RandomOperations::queues(Store& store) {
  const QueueName queue(queues_ == kManyQueues ? pick("queue", 3) : "queue");
  switch (below(4)) {
    case 0: {
      std::map<QueueName, QueueLimits> declared;
      for (std::uint64_t i = below(3); i > 0; --i) {
        QueueLimits& limits = declared[QueueName(pick("queue", 3))];
        if (!one_in(3)) limits.concurrency = below(4);
        if (one_in(3)) limits.rate = RateLimit{1 + below(3), Duration(1 + below(200))};
      }
      if (one_in(2)) declared[queue] = {3, std::nullopt};
      const bool all = one_in(2);
      store.declare_queues(declared, all);
      reference_.declare_queues(declared, all);
      return;
    }
    case 1: {
      const bool paused = one_in(3);
      return expect_same(pause(store, queue, paused), pause(reference_, queue, paused), "pause_queue");
    }
    case 2: {
      const std::optional<std::size_t> limit = one_in(2) ? std::nullopt : std::optional<std::size_t>(below(4));
      return expect_same(override_limit(store, queue, limit, now_), override_limit(reference_, queue, limit, now_),
                         "override_limit");
    }
    default:
      return compare_queues(store);
  }
}

void RandomOperations::compare_queues(Store& store) {
  const QueuePage subject = store.queues(0, 100), reference = reference_.queues(0, 100);
  EXPECT_TRUE(subject == reference);
  EXPECT_EQ(store.next_due(), reference_.next_due());
  for (const Queue& each : reference.queues) {
    expect_same(store.queue(each.name), reference_.queue(each.name), "queue");
    EXPECT_TRUE(store.sub_queues(each.name, std::nullopt, 100) == reference_.sub_queues(each.name, std::nullopt, 100));
  }
}

// A plugin comes or goes.
void RandomOperations::offer(Store& store) {
  const TaskId task(pick("task", kTasks));
  if (offered_.erase(task) > 0) return;
  offered_.insert(task);
  expect_same(release(store, {task}, now_), release(reference_, {task}, now_), "release");
}

// A version is not to be tried for a while; some or all of the runs set aside are put back.
void RandomOperations::quarantine(Store& store) {
  const TaskId task(pick("task", kTasks));
  const VersionId version(task.text() + "-v" + std::to_string(below(2)));
  if (one_in(2)) {
    if (quarantined_.erase({task, version}) == 0) quarantined_.insert({task, version});
  }
  const std::optional<VersionId> of = one_in(3) ? std::nullopt : std::optional(version);
  const std::size_t max = one_in(2) ? below(4) : SIZE_MAX;
  EXPECT_EQ(store.set_aside(task, of), reference_.set_aside(task, of));
  EXPECT_EQ(store.put_back(task, of, max), reference_.put_back(task, of, max));
  EXPECT_EQ(store.set_aside(task, of), reference_.set_aside(task, of));
}

// Hooks of some runs that owe them, or of any run, were called.
void RandomOperations::call_hooks(Store& store) {
  const std::size_t max = below(4);
  const auto owing = store.owing_hooks(max);
  expect_same(owing, reference_.owing_hooks(max), "owing_hooks");
  if (!owing) return;
  std::vector<RunId> called = one_in(2) ? *owing : std::vector<RunId>{some_run()};
  for (const RunId& run : called) {
    std::vector<TimelineEvent> events(below(3));
    for (TimelineEvent& each : events) {
      each.at = now_;
      each.name = "hook";
      each.data = "{}";
    }
    expect_same_run(conformance::hooks_ran(store, run, events), conformance::hooks_ran(reference_, run, events),
                    "hooks_ran");
  }
}

void RandomOperations::log(Store& store) {
  const RunId id = some_run();
  std::vector<LogEntry> entries;
  for (std::uint64_t i = 1 + below(3); i > 0; --i) {
    entries.push_back({0, now_, 1, LogLevel::kWarn, LogSource::kStdout, pick("line", 1000), "{}"});
  }
  store.append_logs(id, entries);
  reference_.append_logs(id, entries);
  if (one_in(2)) {
    const std::vector<TimelineEvent> events{{0, now_, "hook", RunStatus::kQueued, 1, "{\"hook\":\"init\"}"}};
    store.append_events(id, events);
    reference_.append_events(id, events);
  }
  const std::uint64_t after = below(5);
  const std::size_t most = below(10);
  expect_same(store.logs(id, after, most), reference_.logs(id, after, most), "logs");
  if (claims_.empty()) return;
  const Claim& claimed = claims_[below(claims_.size())].subject;
  const auto pid = static_cast<std::int32_t>(1 + below(1000));
  store.set_attempt_pid(claimed.run.id, claimed.attempt.number, pid);
  reference_.set_attempt_pid(claimed.run.id, claimed.attempt.number, pid);
}

void RandomOperations::live(Store& store) {
  const RunId id = some_run();
  switch (below(4)) {
    case 0: {
      const std::vector<std::string> tags = {pick("tag", 14), one_in(20) ? "" : pick("tag", 5)};
      return expect_same(add_tags(store, id, tags), add_tags(reference_, id, tags), "add_tags");
    }
    case 1: {
      StreamAppend append{.run = id, .name = pick("s", 3), .chunks = {}, .now = now_, .limit = 2000};
      for (std::uint64_t i = below(4); i > 0; --i) append.chunks.push_back(std::string(below(60), 'c'));
      const Status subject = append_stream(store, append), reference = append_stream(reference_, append);
      EXPECT_EQ(code_name(subject.code()), code_name(reference.code())) << subject.message() << reference.message();
      return;
    }
    default: {
      std::vector<MetadataOperation> operations;
      const std::vector<std::string> keys{"a", "b", "l", "$.o.p"}, values{"1", "[]", "\"x\"", "{\"q\":2}", "0.5"};
      for (std::uint64_t i = below(3); i > 0; --i) {
        const auto change = static_cast<MetadataChange>(1 + below(5));
        operations.push_back({change, keys[below(keys.size())], values[below(values.size())]});
        if (!check_operation(operations.back())) operations.pop_back();
      }
      const Status subject = change_metadata(store, id, operations);
      const Status reference = change_metadata(reference_, id, operations);
      EXPECT_EQ(code_name(subject.code()), code_name(reference.code())) << subject.message() << reference.message();
    }
  }
}

void RandomOperations::list(Store& store) {
  RunFilter filter;
  for (std::uint64_t i = one_in(2) ? below(3) : 0; i > 0; --i) {
    filter.statuses.push_back(static_cast<RunStatus>(1 + below(13)));
  }
  for (std::uint64_t i = one_in(3) ? below(3) : 0; i > 0; --i) filter.tasks.emplace_back(pick("task", kTasks + 1));
  for (std::uint64_t i = one_in(3) ? below(3) : 0; i > 0; --i) filter.tags.push_back(pick("tag", 5));
  for (std::uint64_t i = one_in(5) ? 1 + below(2) : 0; i > 0; --i) filter.schedules.push_back(some_schedule());
  filter.told = one_in(2);
  if (one_in(5)) filter.queues = {QueueName(queues_ == kManyQueues ? pick("queue", 4) : "queue")};
  if (one_in(5)) filter.versions = {VersionId(pick("task", kTasks) + "-v" + std::to_string(below(2)))};
  if (one_in(6)) filter.is_test = one_in(2);
  if (one_in(6)) filter.batch = some_batch();
  if (one_in(6)) filter.machines = {one_in(2) ? "micro" : "small-1x"};
  if (one_in(5)) filter.from = now_ - Duration(below(20000));
  if (one_in(5)) filter.to = now_ - Duration(below(10000));
  if (one_in(3)) filter.after = some_run();
  if (one_in(3)) filter.before = some_run();
  filter.limit = one_in(10) ? below(200) : 1 + below(30);
  const Result<RunPage> subject = store.list(filter), reference = reference_.list(filter);
  ASSERT_EQ(code_name(subject.status().code()), code_name(reference.status().code()));
  EXPECT_EQ(ids_of(subject->runs), ids_of(reference->runs));
  EXPECT_TRUE(subject->runs == reference->runs);
  EXPECT_EQ(subject->more_after, reference->more_after);
  EXPECT_EQ(subject->more_before, reference->more_before);
  EXPECT_EQ(subject->after, reference->after);
  EXPECT_EQ(subject->before, reference->before);
}

// Finished runs go, now and then.
void RandomOperations::remove(Store& store) {
  Removal removal;
  removal.status = static_cast<RunStatus>(7 + below(7));
  removal.ended_before = now_ - Duration(below(2000));
  if (one_in(3)) removal.keep = below(20);
  if (one_in(3)) removal.after = some_run();
  removal.most = 1 + below(40);
  const Result<Removed> subject = remove_finished(store, removal), reference = remove_finished(reference_, removal);
  ASSERT_TRUE(subject) << subject.status().message();
  ASSERT_TRUE(reference);
  EXPECT_EQ(subject->runs, reference->runs);
  EXPECT_EQ(subject->last, reference->last);
  EXPECT_EQ(subject->more, reference->more);
}

void RandomOperations::recover_all(Store& store) {
  expect_same(recover(store, now_), recover(reference_, now_), "recover");
}

void RandomOperations::reopened() { reference_.serve_again(); }

// An attempt, which may be over, records a step; its call may be another one's.
void RandomOperations::step(Store& store) {
  if (claims_.empty()) return;
  const Claimed& claimed = claims_[below(claims_.size())];
  const auto of = [](const Claim& claim, std::uint64_t call, std::string name, std::string result) {
    return NewStep{claim.run.id, claim.attempt.number, claim.attempt.token, call, std::move(name), std::move(result)};
  };
  const std::uint64_t call = 1 + below(3);
  const std::string name = pick("task", kTasks), result = one_in(10) ? "no JSON" : pick("", 100);
  const Status subject = record_step(store, of(claimed.subject, call, name, result));
  const Status reference = record_step(reference_, of(claimed.reference, call, name, result));
  EXPECT_EQ(code_name(subject.code()), code_name(reference.code())) << subject.message() << reference.message();
}

void RandomOperations::compare_run(Store& store, const RunId& id) {
  SCOPED_TRACE(id.text());
  expect_same_run(store.run(id), reference_.run(id), "run");
  expect_same(store.payload(id), reference_.payload(id), "payload");
  expect_same(store.output(id), reference_.output(id), "output");
  EXPECT_EQ(said(store.timeline(id)), said(reference_.timeline(id)));
  expect_same(store.logs(id, 0, 1000), reference_.logs(id, 0, 1000), "logs");
  expect_same(store.metadata(id), reference_.metadata(id), "metadata");
  expect_same(store.streams(id), reference_.streams(id), "streams");
  expect_same(store.children(id, {}, 1000), reference_.children(id, {}, 1000), "children");
  for (std::uint64_t call = 1; call <= 3; ++call) {
    expect_same(store.recorded_call(id, call), reference_.recorded_call(id, call), "recorded_call");
  }
  for (const char* stream : {"s0", "s1", "s2"}) {
    const std::uint64_t after = below(3);
    expect_same(store.read_stream(id, stream, after, 100), reference_.read_stream(id, stream, after, 100), stream);
  }
  Result<std::vector<Attempt>> subject = store.attempts(id), reference = reference_.attempts(id);
  for (Result<std::vector<Attempt>>* each : {&subject, &reference}) {
    if (!*each) continue;
    for (Attempt& attempt : each->value()) attempt.token.clear();
  }
  expect_same(subject, reference, "attempts");
}

void RandomOperations::compare_all(Store& store) {
  for (const RunId& id : runs_) compare_run(store, id);
  EXPECT_EQ(store.counts(), reference_.counts());
  compare_queues(store);
  EXPECT_EQ(store.locked_versions(), reference_.locked_versions());
  compare_schedules(store);
  compare_batches(store);
  expect_same(store.owing_hooks(SIZE_MAX), reference_.owing_hooks(SIZE_MAX), "owing_hooks");
  for (std::uint64_t i = 0; i < kTasks; ++i) {
    const TaskId task("task" + std::to_string(i));
    EXPECT_EQ(store.set_aside(task, std::nullopt), reference_.set_aside(task, std::nullopt));
  }
}

}  // namespace perdure::store::conformance
