// What stands around a wait: on_wait before it, on_resume after it, at all levels, in the process that waited or in the
// one that goes on for it.
#include <boost/json/parse.hpp>

#include "tests/lifecycle/attempt_walk.h"

namespace perdure::e2e {
namespace {

using Names = std::vector<std::string>;
using Waiting = AttemptWalk;

TEST_F(Waiting, HasOnWaitBeforeItAndOnResumeAfterIt) {
  const Walk walk = AttemptWalk::walk(R"({"ms":50})", "waiting");
  EXPECT_EQ(walk.status(), "COMPLETED");
  EXPECT_EQ(walk.order(1, "task"), (Names{"middleware", "on_start_attempt", "on_start", "init", "run", "on_wait",
                                          "on_resume", "cleanup", "middleware after", "on_success", "on_complete"}));
  for (const char* hook : {"global.on_wait", "plugin.on_wait", "task.on_resume"}) {
    EXPECT_EQ(walk.only(hook).event, boost::json::parse(R"({"wait":{"type":"duration","id":"50"}})")) << hook;
    EXPECT_EQ(walk.spans_of(hook).size(), 1u) << hook;
  }
}

TEST_F(Waiting, ThatIsOverAtOnceHasNothingAroundIt) {
  const Walk walk = AttemptWalk::walk(R"({"ms":0})", "waiting");
  EXPECT_EQ(walk.status(), "COMPLETED");
  EXPECT_TRUE(walk.all("task.on_wait").empty());
  EXPECT_TRUE(walk.all("task.on_resume").empty());
}

TEST_F(Waiting, IsNotHarmedByAnErrorInItsHooks) {
  const Walk walk = AttemptWalk::walk(R"({"ms":50,"task.on_wait":"error","plugin.on_resume":"error"})", "waiting");
  EXPECT_EQ(walk.status(), "COMPLETED");
  for (const char* hook : {"task.on_wait", "plugin.on_resume"}) {
    const auto spans = walk.spans_of(hook);
    ASSERT_EQ(spans.size(), 1u) << hook;
    EXPECT_EQ(spans[0].at("ignored"), true) << hook;
  }
}

TEST_F(Waiting, WithoutItsProcessEntersRunAnewWithoutWhatIsForABeginning) {
  const Walk walk = AttemptWalk::walk(R"({"ms":400})", "leaving");
  EXPECT_EQ(walk.status(), "COMPLETED");
  EXPECT_EQ(walk.attempts(), 1u);
  EXPECT_EQ(walk.run.at("output"), boost::json::parse(R"({"replay":1})"));
  EXPECT_EQ(walk.order(1, "task"),
            (Names{"middleware", "on_start_attempt", "on_start", "init", "run", "on_wait", "middleware", "init", "run",
                   "on_resume", "cleanup", "middleware after", "on_success", "on_complete"}));
}

TEST_F(Waiting, EndsAtOnceWhenTheRunIsCanceled) {
  const std::string id = begin(R"({"ms":600000})", "waiting");
  logged(id, "task.on_wait");
  cancel(id);
  const Walk walk = end(id);
  EXPECT_EQ(walk.status(), "CANCELED");
  EXPECT_TRUE(walk.all("task.on_resume").empty());
  EXPECT_EQ(walk.all("task.on_cancel").size(), 1u);
}

}  // namespace
}  // namespace perdure::e2e
