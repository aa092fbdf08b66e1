// The checker that the fault tests rely on finds each kind of wrong that it looks for, planted into a store that lies.
#include "tests/store-rocks/history_checker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/store-rocks/fault_file_system.h"
#include "tests/store-rocks/harness.h"

namespace perdure::store::rocks {
namespace {

// Answers as the store behind it, but for what a test lets it change.
class LyingStore final : public Store {
 public:
  explicit LyingStore(Store& truth) : truth_(truth) {}

  std::function<void(Result<store::Run>&)> about_run;
  std::function<void(std::vector<Attempt>&)> about_attempts;
  std::function<void(std::vector<TimelineEvent>&)> about_timeline;
  std::function<void(const RunFilter&, RunPage&)> about_list;
  std::function<void(std::map<RunStatus, std::uint64_t>&)> about_counts;
  std::function<void(std::map<VersionId, std::uint64_t>&)> about_locks;

  void listen(Listener* listener) override { truth_.listen(listener); }
  void enqueue(NewRun run, Done<Enqueued> done) override { truth_.enqueue(std::move(run), std::move(done)); }
  void claim(std::size_t max, Time now, const DecideClaim& decide, Done<std::vector<Claim>> done) override {
    truth_.claim(max, now, decide, std::move(done));
  }
  std::size_t put_back(const TaskId& task, const std::optional<VersionId>& version, std::size_t max) override {
    return truth_.put_back(task, version, max);
  }
  std::size_t set_aside(const TaskId& task, const std::optional<VersionId>& version) const override {
    return truth_.set_aside(task, version);
  }
  std::map<VersionId, std::uint64_t> locked_versions() const override {
    std::map<VersionId, std::uint64_t> locks = truth_.locked_versions();
    if (about_locks) about_locks(locks);
    return locks;
  }
  void finish_attempt(AttemptEnd end, Done<store::Run> done) override {
    truth_.finish_attempt(std::move(end), std::move(done));
  }
  void set_attempt_pid(const RunId& id, std::uint32_t number, std::int32_t pid) override {
    truth_.set_attempt_pid(id, number, pid);
  }
  void cancel(const RunId& id, Time now, const std::string& reason, Done<store::Run> done) override {
    truth_.cancel(id, now, reason, std::move(done));
  }
  void reschedule(const RunId& id, Time until, bool calendar, Time now, Done<store::Run> done) override {
    truth_.reschedule(id, until, calendar, now, std::move(done));
  }
  void put_bulk_action(BulkAction action, const std::vector<RunId>& affected, DoneStatus done) override {
    truth_.put_bulk_action(std::move(action), affected, std::move(done));
  }
  Result<BulkAction> bulk_action(const BulkActionId& id) const override { return truth_.bulk_action(id); }
  Result<BulkActionPage> bulk_actions(const BulkActionId& after, const BulkActionId& before,
                                      std::size_t limit) const override {
    return truth_.bulk_actions(after, before, limit);
  }
  Result<std::vector<BulkActionId>> pending_bulk_actions(std::size_t max) const override {
    return truth_.pending_bulk_actions(max);
  }
  void create_batch(NewBatch batch, Done<store::Batch> done) override {
    truth_.create_batch(std::move(batch), std::move(done));
  }
  void keep_items(const BatchId& id, std::map<std::uint32_t, std::string> items, Done<std::size_t> done) override {
    truth_.keep_items(id, std::move(items), std::move(done));
  }
  void enqueue_batch(BatchItems items, Done<store::Batch> done) override {
    truth_.enqueue_batch(std::move(items), std::move(done));
  }
  void remove_batches(Time created_before, std::size_t most, Done<std::size_t> done) override {
    truth_.remove_batches(created_before, most, std::move(done));
  }
  Result<store::Batch> batch(const BatchId& id) const override { return truth_.batch(id); }
  Result<std::map<std::uint32_t, std::string>> kept_items(const BatchId& id) const override {
    return truth_.kept_items(id);
  }
  void create_token(NewToken created, Done<CreatedToken> done) override {
    truth_.create_token(std::move(created), std::move(done));
  }
  void complete_token(TokenCompletion completion, Done<Token> done) override {
    truth_.complete_token(std::move(completion), std::move(done));
  }
  void remove_tokens(Time ended_before, std::size_t most, Done<std::size_t> done) override {
    truth_.remove_tokens(ended_before, most, std::move(done));
  }
  Result<Token> token(const TokenId& id) const override { return truth_.token(id); }
  Result<TokenPage> tokens(const TokenFilter& filter) const override { return truth_.tokens(filter); }
  void clock_is(const ClockStand& stand, Done<Duration> done) override { truth_.clock_is(stand, std::move(done)); }
  void reset_idempotency_key(const TaskId& task, const std::string& key, Time now, Done<RunId> done) override {
    truth_.reset_idempotency_key(task, key, now, std::move(done));
  }
  void wake_due(Time now, Done<std::size_t> done) override { truth_.wake_due(now, std::move(done)); }
  std::optional<Time> next_due() const override { return truth_.next_due(); }
  void release(const std::vector<TaskId>& tasks, Time now, Done<std::size_t> done) override {
    truth_.release(tasks, now, std::move(done));
  }
  void recover(Time now, const std::vector<AdoptedAttempt>& adopted, Done<std::size_t> done) override {
    truth_.recover(now, adopted, std::move(done));
  }
  void owe_hooks(OwesHooks owes) override { truth_.owe_hooks(std::move(owes)); }
  void hooks_ran(const RunId& id, std::vector<TimelineEvent> events, Done<store::Run> done) override {
    truth_.hooks_ran(id, std::move(events), std::move(done));
  }
  Result<std::vector<RunId>> owing_hooks(std::size_t max) const override { return truth_.owing_hooks(max); }
  Result<std::vector<RunId>> canceled_parents(std::size_t max) const override { return truth_.canceled_parents(max); }
  void children_over(const RunId& id, DoneStatus done) override { truth_.children_over(id, std::move(done)); }
  void append_logs(const RunId& id, std::vector<LogEntry> entries) override {
    truth_.append_logs(id, std::move(entries));
  }
  void append_events(const RunId& id, std::vector<TimelineEvent> events) override {
    truth_.append_events(id, std::move(events));
  }
  void record_step(NewStep step, DoneStatus done) override { truth_.record_step(std::move(step), std::move(done)); }
  void begin_wait(NewWait wait, Done<WaitBegun> done) override { truth_.begin_wait(std::move(wait), std::move(done)); }
  void evict(const RunId& id, std::uint32_t number, const std::string& token, const Usage& usage,
             DoneStatus done) override {
    truth_.evict(id, number, token, usage, std::move(done));
  }
  void change_metadata(const RunId& id, std::vector<MetadataOperation> operations, const AttemptRequestId& asked,
                       DoneStatus done) override {
    truth_.change_metadata(id, std::move(operations), asked, std::move(done));
  }
  void add_tags(const RunId& id, const std::vector<std::string>& tags, Done<std::size_t> done) override {
    truth_.add_tags(id, tags, std::move(done));
  }
  void append_stream(StreamAppend append, DoneStatus done) override {
    truth_.append_stream(std::move(append), std::move(done));
  }
  void declare_queues(const std::map<QueueName, QueueLimits>& declared, bool all) override {
    truth_.declare_queues(declared, all);
  }
  void pause_queue(const QueueName& queue, bool paused, Done<Queue> done) override {
    truth_.pause_queue(queue, paused, std::move(done));
  }
  void override_limit(const QueueName& queue, std::optional<std::size_t> limit, Time now, Done<Queue> done) override {
    truth_.override_limit(queue, limit, now, std::move(done));
  }
  Result<Queue> queue(const QueueName& queue) const override { return truth_.queue(queue); }
  QueuePage queues(std::size_t skip, std::size_t limit) const override { return truth_.queues(skip, limit); }
  std::vector<SubQueueCounts> sub_queues(const QueueName& queue, const std::optional<std::string>& after,
                                         std::size_t limit) const override {
    return truth_.sub_queues(queue, after, limit);
  }
  void remove_finished(const Removal& removal, Done<Removed> done) override {
    truth_.remove_finished(removal, std::move(done));
  }
  void put_schedule(Schedule schedule, Done<Schedule> done) override {
    truth_.put_schedule(std::move(schedule), std::move(done));
  }
  void fire_schedule(Schedule schedule, std::vector<NewRun> runs, Done<Schedule> done) override {
    truth_.fire_schedule(std::move(schedule), std::move(runs), std::move(done));
  }
  void delete_schedule(const ScheduleId& id, DoneStatus done) override { truth_.delete_schedule(id, std::move(done)); }
  Result<Schedule> schedule(const ScheduleId& id) const override { return truth_.schedule(id); }
  Result<Schedule> schedule_with_key(const std::string& key) const override { return truth_.schedule_with_key(key); }
  Result<std::vector<Schedule>> declared_schedules() const override { return truth_.declared_schedules(); }
  Result<SchedulePage> schedules(std::size_t skip, std::size_t limit) const override {
    return truth_.schedules(skip, limit);
  }
  Result<RunId> fired(const ScheduleId& id, Time due) const override { return truth_.fired(id, due); }
  std::vector<ScheduleId> due_schedules(Time after, Time until) const override {
    return truth_.due_schedules(after, until);
  }
  std::optional<Time> next_schedule_due(Time after) const override { return truth_.next_schedule_due(after); }
  std::vector<ScheduleId> busy_schedules() const override { return truth_.busy_schedules(); }
  void synced(DoneStatus done) override { truth_.synced(std::move(done)); }
  Result<store::Run> run(const RunId& id) const override {
    Result<store::Run> run = truth_.run(id);
    if (about_run) about_run(run);
    return run;
  }
  Result<std::string> metadata(const RunId& id) const override { return truth_.metadata(id); }
  Result<RecordedCall> recorded_call(const RunId& run, std::uint64_t call) const override {
    return truth_.recorded_call(run, call);
  }
  Result<std::vector<StreamInfo>> streams(const RunId& id) const override { return truth_.streams(id); }
  Result<std::vector<StreamChunk>> read_stream(const RunId& id, const std::string& name, std::uint64_t after,
                                               std::size_t limit) const override {
    return truth_.read_stream(id, name, after, limit);
  }
  Result<std::vector<RunId>> children(const RunId& parent, const RunId& after, std::size_t limit) const override {
    return truth_.children(parent, after, limit);
  }
  Result<std::string> payload(const RunId& id) const override { return truth_.payload(id); }
  Result<std::string> output(const RunId& id) const override { return truth_.output(id); }
  Result<std::vector<Attempt>> attempts(const RunId& id) const override {
    Result<std::vector<Attempt>> attempts = truth_.attempts(id);
    if (about_attempts && attempts) about_attempts(*attempts);
    return attempts;
  }
  Result<std::vector<TimelineEvent>> timeline(const RunId& id) const override {
    Result<std::vector<TimelineEvent>> timeline = truth_.timeline(id);
    if (about_timeline && timeline) about_timeline(*timeline);
    return timeline;
  }
  Result<std::vector<LogEntry>> logs(const RunId& id, std::uint64_t after, std::size_t limit) const override {
    return truth_.logs(id, after, limit);
  }
  Result<RunPage> list(const RunFilter& filter) const override {
    Result<RunPage> page = truth_.list(filter);
    if (about_list && page) about_list(filter, *page);
    return page;
  }
  std::map<RunStatus, std::uint64_t> counts() const override {
    std::map<RunStatus, std::uint64_t> counts = truth_.counts();
    if (about_counts) about_counts(counts);
    return counts;
  }
  Status health() const override { return truth_.health(); }

 private:
  Store& truth_;
};

// A store with one run that failed once and then completed, and a checker that knows.
class Checker : public testing::Test {
 protected:
  void SetUp() override {
    NewRun run = new_run(kStart);
    run.options.tags = {"t"};
    id_ = run.id;
    ASSERT_TRUE(enqueue(*store_, run));
    checker_.note_created(id_);
    const auto failed = finish(*store_, failure_of(claim(*store_, 1, kStart).at(0), kStart, RetryAt{kStart}));
    ASSERT_TRUE(failed);
    checker_.note_ended(id_, 1, false, failed->status);
    const auto done = finish(*store_, success_of(claim(*store_, 1, kStart).at(0), kStart));
    ASSERT_TRUE(done);
    checker_.note_ended(id_, 2, true, done->status);
    ASSERT_TRUE(checker_.check(*store_).empty()) << checker_.check(*store_).front();
  }
  void expect_found(const std::string& what) {
    const std::vector<std::string> wrong = checker_.check(lying_);
    EXPECT_TRUE(std::any_of(wrong.begin(), wrong.end(),
                            [&](const std::string& line) { return line.find(what) != std::string::npos; }))
        << "found only: " << (wrong.empty() ? "nothing" : wrong.front());
  }

  TempDirectory directory_;
  std::unique_ptr<Store> store_ = open_or_die(options_for(directory_.path()));
  LyingStore lying_{*store_};
  HistoryChecker checker_;
  RunId id_;
};

TEST_F(Checker, FindsAnAcknowledgedRunThatIsGone) {
  lying_.about_run = [](Result<store::Run>& run) { run = Status::not_found("gone"); };
  expect_found("was acknowledged and is gone");
}

TEST_F(Checker, FindsARefusedRunThatIsThere) {
  checker_.note_refused(id_);
  expect_found("was refused and is there");
}

TEST_F(Checker, FindsAFinalStatusThatChanged) {
  lying_.about_run = [](Result<store::Run>& run) { run->status = RunStatus::kFailed; };
  expect_found("was COMPLETED and is FAILED");
}

TEST_F(Checker, FindsTwoFinalStatusesShown) {
  checker_.note_status(id_, RunStatus::kCanceled);
  expect_found("was COMPLETED, then shown CANCELED");
}

TEST_F(Checker, FindsAnAttemptToldToHaveEndedBothWays) {
  checker_.note_ended(id_, 1, true, RunStatus::kQueued);
  expect_found("ended both ways");
}

TEST_F(Checker, FindsAnOutcomeThatChanged) {
  lying_.about_attempts = [](std::vector<Attempt>& attempts) { attempts[0].status = AttemptStatus::kSucceeded; };
  expect_found("had ended another way");
}

TEST_F(Checker, FindsAGapInTheAttemptNumbers) {
  lying_.about_attempts = [](std::vector<Attempt>& attempts) { attempts[1].number = 3; };
  expect_found("its number should be 2");
}

TEST_F(Checker, FindsALostAttempt) {
  lying_.about_attempts = [](std::vector<Attempt>& attempts) { attempts.pop_back(); };
  expect_found("had ended and is gone");
}

TEST_F(Checker, FindsAnAttemptThatExecutesWhileItsRunIsOver) {
  lying_.about_attempts = [](std::vector<Attempt>& attempts) { attempts[1].status = AttemptStatus::kExecuting; };
  expect_found("executes while its run is COMPLETED");
}

TEST_F(Checker, FindsAGapInTheTimeline) {
  lying_.about_timeline = [](std::vector<TimelineEvent>& events) { events.erase(events.begin() + 1); };
  expect_found("its sequence should be 2");
}

TEST_F(Checker, FindsAnIllegalTransition) {
  lying_.about_timeline = [](std::vector<TimelineEvent>& events) { events[1].status = RunStatus::kWaiting; };
  expect_found("does not lead from");
}

TEST_F(Checker, FindsAnEventAfterTheEnd) {
  lying_.about_timeline = [](std::vector<TimelineEvent>& events) {
    TimelineEvent more = events.back();
    ++more.sequence;
    events.push_back(more);
  };
  expect_found("comes after the run became COMPLETED");
}

TEST_F(Checker, FindsARunMissingFromAnIndex) {
  lying_.about_list = [](const RunFilter& filter, RunPage& page) {
    if (!filter.tags.empty()) page.runs.clear();
  };
  expect_found("tag t: lists other runs than are stored");
}

TEST_F(Checker, FindsARunInTheWrongStatusIndex) {
  lying_.about_list = [this](const RunFilter& filter, RunPage& page) {
    if (filter.statuses == std::vector{RunStatus::kQueued}) page.runs.push_back(*store_->run(id_));
  };
  expect_found("QUEUED: lists other runs than are stored");
}

TEST_F(Checker, FindsAWrongCount) {
  lying_.about_counts = [](std::map<RunStatus, std::uint64_t>& counts) { ++counts[RunStatus::kCompleted]; };
  expect_found("COMPLETED: counts 2 runs, there are 1");
}

TEST_F(Checker, FindsAVersionThatIsLockedByNoRun) {
  lying_.about_locks = [](std::map<VersionId, std::uint64_t>& locks) { ++locks[VersionId("v")]; };
  expect_found("locked_versions()");
}

// The whole chain: a disk that says it synced and did not is found out, by the engine or by the checker.
TEST(LyingDisk, IsFoundOut) {
  const TempDirectory directory;
  const auto disk = std::make_shared<FaultFileSystem>();
  RocksOptions options = options_for(directory.path());
  options.file_system = disk;
  HistoryChecker checker;
  {
    const std::unique_ptr<Store> store = open_or_die(options);
    disk->ignore_syncs(true);
    for (int i = 0; i < 50; ++i) {
      const NewRun run = new_run(kStart);
      ASSERT_TRUE(enqueue(*store, run));
      checker.note_created(run.id);
    }
    disk->cut_power();
  }
  disk->lose_unsynced(1);
  const Result<std::unique_ptr<Store>> trusting = open_rocks(options);
  ASSERT_FALSE(trusting);
  EXPECT_EQ(trusting.status().code(), Code::kCorruption) << trusting.status().message();
  options.accept_loss = true;
  const std::unique_ptr<Store> store = open_or_die(options);
  EXPECT_FALSE(checker.check(*store).empty());
}

}  // namespace
}  // namespace perdure::store::rocks
