// Children of canceled runs: canceled with them, executing or not, and theirs in turn, whatever dies in between.
#include <gtest/gtest.h>

#include "tests/engine/host_simulation.h"

namespace perdure::engine::testing {
namespace {

using namespace std::chrono_literals;

class CanceledChildrenTest : public ::testing::Test {
 protected:
  void SetUp() override {
    host_.boot();
    host_.trigger("task");  // takes the only slot, and executes for long
    until([this] { return !host_.acknowledged.empty() && status(parent()) == store::RunStatus::kExecuting; });
  }

  void until(const std::function<bool()>& done) {
    while (!done()) ASSERT_TRUE(host_.core.step()) << "nothing happens any more";
  }
  store::RunId child_of(const store::RunId& of) {
    store::NewRun run;
    run.now = host_.core.now();
    run.id = store::new_run_id(run.now);
    run.task = store::TaskId("task");
    run.queue = store::QueueName("task/task");
    run.payload = "null";
    run.parent = of;
    run.root = parent();
    run.depth = 1;
    const store::RunId id = run.id;
    host_.store->enqueue(std::move(run), [](const store::Result<store::Enqueued>& made) { EXPECT_TRUE(made); });
    return id;
  }
  void cancel(const store::RunId& run) {
    host_.engine->cancel(run, "enough", [](const store::Result<store::Run>&) {});
  }
  [[nodiscard]] const store::RunId& parent() const { return host_.acknowledged.at(0); }
  store::RunStatus status(const store::RunId& run) { return host_.store->run(run)->status; }
  std::size_t marked() { return host_.store->canceled_parents(100)->size(); }

  HostSimulation host_{{.concurrency = 2,
                        .script =
                            [](const process::AttemptSpec&) {
                              Ending ending;
                              ending.result.output = "1";
                              ending.takes = 1h;
                              return ending;
                            },
                        .fault = {}}};
};

TEST_F(CanceledChildrenTest, QueuedAndExecutingOnesAreCanceledAndTheirsAsWell) {
  const store::RunId executing = child_of(parent());
  until([&] { return status(executing) == store::RunStatus::kExecuting; });
  const store::RunId queued = child_of(parent()), grandchild = child_of(executing), stranger = child_of({});
  cancel(parent());
  ASSERT_TRUE(host_.core.run_out(100000));
  EXPECT_EQ(status(parent()), store::RunStatus::kCanceled);
  EXPECT_EQ(status(executing), store::RunStatus::kCanceled);
  EXPECT_EQ(status(queued), store::RunStatus::kCanceled);
  EXPECT_EQ(status(grandchild), store::RunStatus::kCanceled);
  EXPECT_EQ(status(stranger), store::RunStatus::kCompleted);
  EXPECT_EQ(marked(), 0u);
}

TEST_F(CanceledChildrenTest, AHostThatDiesInBetweenLeavesTheRestToTheNext) {
  std::vector<store::RunId> children;
  for (int i = 0; i < 200; ++i) children.push_back(child_of(parent()));
  cancel(parent());
  until([this] { return status(parent()) == store::RunStatus::kCanceled; });
  EXPECT_EQ(marked(), 1u);
  host_.kill();
  host_.boot();
  ASSERT_TRUE(host_.core.run_out(1000000));
  for (const store::RunId& child : children) EXPECT_EQ(status(child), store::RunStatus::kCanceled);
  EXPECT_EQ(marked(), 0u);
}

TEST_F(CanceledChildrenTest, AChildThatIsLostWithItsHostInItsGraceIsNotTriedAgain) {
  const store::RunId executing = child_of(parent());
  until([&] { return status(executing) == store::RunStatus::kExecuting; });
  cancel(parent());
  until([this] { return status(parent()) == store::RunStatus::kCanceled; });
  host_.kill();
  host_.boot();
  ASSERT_TRUE(host_.core.run_out(100000));
  EXPECT_EQ(status(executing), store::RunStatus::kCanceled);
  EXPECT_EQ(marked(), 0u);
}

TEST_F(CanceledChildrenTest, ChildrenOfARunThatEndsOtherwiseGoOn) {
  const store::RunId child = child_of(parent());
  ASSERT_TRUE(host_.core.run_out(100000));
  EXPECT_EQ(status(parent()), store::RunStatus::kCompleted);
  EXPECT_EQ(status(child), store::RunStatus::kCompleted);
}

}  // namespace
}  // namespace perdure::engine::testing
