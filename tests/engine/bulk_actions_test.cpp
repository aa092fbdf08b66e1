// Bulk actions: every run that was meant, once, whatever dies in between, and no other.
#include <gtest/gtest.h>

#include <map>

#include "tests/engine/host_simulation.h"

namespace perdure::engine::testing {
namespace {

using namespace std::chrono_literals;
using store::BulkAction;
using store::BulkKind;
using store::BulkStatus;
using store::RunStatus;

class BulkActionsTest {
 public:
  explicit BulkActionsTest(std::function<store::Status(std::string_view)> fault = {})
      : host_({.concurrency = 50,
               .script =
                   [](const process::AttemptSpec&) {
                     Ending ending;
                     ending.takes = 1ms;
                     ending.result.output = "1";
                     return ending;
                   },
               .fault = std::move(fault)}) {
    host_.catalog = catalog_of({"task", "other"});
    host_.boot();
  }

  // Runs that wait for an hour.
  void make_waiting(std::size_t count, const std::string& task = "task") {
    for (std::size_t i = 0; i < count; ++i) {
      TriggerRequest request;
      request.delay = 1h;
      host_.trigger(task, request);
      host_.core.after(1ms, [] {});
      until([&, wanted = ++made_] { return host_.acknowledged.size() == wanted; });
    }
  }
  void make_finished(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) host_.trigger("task");
    made_ += count;
    EXPECT_TRUE(host_.core.run_out(1'000'000));
  }
  store::BulkActionId begin(BulkKind kind, store::RunFilter filter, std::vector<store::RunId> runs = {}) {
    BulkAction action;
    action.kind = kind;
    action.filter = std::move(filter);
    action.runs = std::move(runs);
    std::optional<store::BulkActionId> begun;
    host_.engine->begin_bulk_action(std::move(action), [&](const store::Result<store::BulkActionId>& id) {
      EXPECT_TRUE(id) << id.status().message();
      begun = id.value();
    });
    until([&] { return begun.has_value(); });
    return *begun;
  }
  void until(const std::function<bool()>& done) {
    while (!done()) ASSERT_TRUE(host_.core.step()) << "nothing happens any more";
  }
  BulkAction action(const store::BulkActionId& id) { return host_.store->bulk_action(id).value(); }
  bool over(const store::BulkActionId& id) { return action(id).status != BulkStatus::kPending; }
  std::size_t count(RunStatus status) { return host_.store->counts()[status]; }

  // By original: how many runs replay it.
  std::map<std::string, int> replays() {
    std::map<std::string, int> found;
    store::RunFilter filter;
    filter.limit = 100;
    for (;;) {
      const store::RunPage page = host_.store->list(filter).value();
      for (const store::Run& run : page.runs) {
        if (!run.origin.empty()) ++found[run.origin];
      }
      if (!page.more_after) return found;
      filter.after = page.after;
    }
  }

  HostSimulation host_;
  std::size_t made_ = 0;
};

store::RunFilter of_task(const std::string& task) {
  store::RunFilter filter;
  filter.tasks = {store::TaskId(task)};
  return filter;
}

TEST(BulkActions, CancelAllThatTheFilterLetsThroughAndNoOthers) {
  BulkActionsTest test;
  test.make_waiting(250);
  test.make_waiting(3, "other");
  const store::BulkActionId id = test.begin(BulkKind::kCancel, of_task("task"));
  test.make_waiting(2);  // too late for it
  test.until([&] { return test.over(id); });
  EXPECT_EQ(test.count(RunStatus::kCanceled), 250u);
  EXPECT_EQ(test.count(RunStatus::kDelayed), 5u);
  const BulkAction action = test.action(id);
  EXPECT_EQ(action.status, BulkStatus::kCompleted);
  EXPECT_EQ(action.success, 250u);
  EXPECT_EQ(action.failure, 0u);
  EXPECT_EQ(action.total(), 250u);
  EXPECT_TRUE(action.completed_at);
  store::RunFilter by_action;
  by_action.bulk_action = id;
  by_action.limit = 100;
  EXPECT_EQ(test.host_.store->list(by_action)->runs.size(), 100u);
  ASSERT_TRUE(test.host_.core.run_out(1'000'000));
  EXPECT_EQ(test.count(RunStatus::kCompleted), 5u);
}

TEST(BulkActions, CancelRunsByIdAndCountThoseThatHadEnded) {
  BulkActionsTest test;
  test.make_finished(1);
  test.make_waiting(2);
  std::vector<store::RunId> runs = test.host_.acknowledged;
  runs.push_back(store::new_run_id(test.host_.core.now()));  // there is none
  const store::BulkActionId id = test.begin(BulkKind::kCancel, {}, runs);
  test.until([&] { return test.over(id); });
  EXPECT_EQ(test.action(id).success, 2u);
  EXPECT_EQ(test.action(id).failure, 2u);
  EXPECT_EQ(test.action(id).total(), 4u);
}

TEST(BulkActions, ReplayEachRunOnceAndNotTheReplays) {
  BulkActionsTest test;
  test.make_finished(130);
  store::RunFilter filter;
  filter.statuses = {RunStatus::kCompleted};
  const store::BulkActionId id = test.begin(BulkKind::kReplay, filter);
  ASSERT_TRUE(test.host_.core.run_out(1'000'000));
  EXPECT_EQ(test.action(id).success, 130u);
  EXPECT_EQ(test.count(RunStatus::kCompleted), 260u);
  const std::map<std::string, int> replays = test.replays();
  EXPECT_EQ(replays.size(), 130u);
  for (const auto& [original, times] : replays) EXPECT_EQ(times, 1) << original;
}

TEST(BulkActions, AreAbortedAfterTheBatchThatTheyAreAt) {
  BulkActionsTest test;
  test.make_waiting(450);
  const store::BulkActionId id = test.begin(BulkKind::kCancel, of_task("task"));
  test.until([&] { return test.action(id).success >= 100; });
  bool aborted = false;
  test.host_.engine->abort_bulk_action(id, [&](const store::Result<store::BulkActionId>& done) {
    EXPECT_TRUE(done);
    aborted = true;
  });
  test.until([&] { return aborted; });
  const BulkAction action = test.action(id);
  EXPECT_EQ(action.status, BulkStatus::kAborted);
  EXPECT_TRUE(action.completed_at);
  EXPECT_EQ(test.count(RunStatus::kCanceled), action.success);
  EXPECT_LT(action.success, 450u);
  ASSERT_TRUE(test.host_.core.run_out(1'000'000));
  EXPECT_EQ(test.count(RunStatus::kCompleted), 450 - action.success);
  test.host_.engine->abort_bulk_action(
      store::new_bulk_action_id(test.host_.core.now()),
      [](const store::Result<store::BulkActionId>& done) { EXPECT_EQ(done.status().code(), store::Code::kNotFound); });
}

// The host dies after so many steps of the action; whether it was over before that.
bool survives_death(BulkKind kind, std::size_t steps) {
  constexpr std::size_t kRuns = 130;
  BulkActionsTest test;
  kind == BulkKind::kReplay ? test.make_finished(kRuns) : test.make_waiting(kRuns);
  const store::BulkActionId id = test.begin(kind, of_task("task"));
  bool over = false;
  for (std::size_t i = 0; i < steps && !over; ++i) over = !test.host_.core.step() || test.over(id);
  test.host_.kill();
  test.host_.boot();
  test.until([&] { return test.over(id); });
  EXPECT_EQ(test.action(id).success, kRuns) << steps;
  EXPECT_EQ(test.action(id).failure, 0u) << steps;
  EXPECT_EQ(test.count(RunStatus::kCanceled), kind == BulkKind::kCancel ? kRuns : 0) << steps;
  EXPECT_TRUE(test.host_.core.run_out(1'000'000));
  if (kind == BulkKind::kReplay) {
    const std::map<std::string, int> replays = test.replays();
    EXPECT_EQ(replays.size(), kRuns) << steps;
    for (const auto& [original, times] : replays) EXPECT_EQ(times, 1) << original << " " << steps;
  }
  return over;
}

TEST(BulkActions, GoOnAfterAHostThatDiedAtAnyPoint) {
  for (const BulkKind kind : {BulkKind::kCancel, BulkKind::kReplay}) {
    std::size_t steps = 0;
    for (; !survives_death(kind, steps) && !::testing::Test::HasFailure(); ++steps) {
    }
    EXPECT_GT(steps, 5u);
  }
}

TEST(BulkActions, GoOnWhenTheStoreServesAgain) {
  for (int fails_at = 1; fails_at < 60; ++fails_at) {
    for (const BulkKind kind : {BulkKind::kCancel, BulkKind::kReplay}) {
      bool begun = false;
      int calls = 0;
      BulkActionsTest* subject = nullptr;
      BulkActionsTest test([&](std::string_view) {
        if (!begun || ++calls != fails_at) return store::Status::ok();
        subject->host_.core.after(50ms, [&] { subject->host_.store->serve_again(); });
        return store::Status::io("injected");
      });
      subject = &test;
      kind == BulkKind::kReplay ? test.make_finished(20) : test.make_waiting(20);
      const store::BulkActionId id = test.begin(kind, of_task("task"));
      begun = true;
      test.until([&] { return test.over(id); });
      ASSERT_EQ(test.action(id).success, 20u) << fails_at;
      ASSERT_EQ(test.action(id).failure, 0u) << fails_at;
      ASSERT_TRUE(test.host_.core.run_out(1'000'000));
      if (kind == BulkKind::kReplay) {
        ASSERT_EQ(test.replays().size(), 20u) << fails_at;
      }
    }
  }
}

}  // namespace
}  // namespace perdure::engine::testing
