// Attempts that are canceled, or run out of time, with hooks around them.
#include <boost/json/parse.hpp>

#include "tests/lifecycle/attempt_walk.h"

namespace perdure::e2e {
namespace {

using Names = std::vector<std::string>;
using Stopped = AttemptWalk;

TEST_F(Stopped, ByACancelCallsOnCancelBesideRunThenCleanupAndOnComplete) {
  const std::string id = begin(R"({"task.run":"wait"})");
  logged(id, "task.run");
  cancel(id);
  const Walk walk = end(id);
  EXPECT_EQ(walk.status(), "CANCELED");
  EXPECT_EQ(walk.attempts(), 1u);
  for (const char* scope : {"global", "plugin", "task"}) {
    EXPECT_EQ(walk.all(std::string(scope) + ".on_cancel").size(), 1u) << scope;
    EXPECT_EQ(walk.all(std::string(scope) + ".cleanup").size(), 1u) << scope;
    EXPECT_TRUE(walk.all(std::string(scope) + ".catch_error").empty()) << scope;
    EXPECT_TRUE(walk.all(std::string(scope) + ".on_failure").empty()) << scope;
    EXPECT_EQ(walk.only(std::string(scope) + ".on_complete").event.at("ok"), false) << scope;
  }
  EXPECT_EQ(walk.only("task.on_cancel").event.at("reason"), "canceled through the API");
  EXPECT_EQ(walk.spans_of("task.on_cancel").size(), 1u);
}

TEST_F(Stopped, ByACancelLetsOnCancelWaitForWhatRunReturns) {
  const std::string id = begin("{}", "yielding");
  logged(id, "global.init");
  cancel(id);
  const Walk walk = end(id);
  EXPECT_EQ(walk.only("eventually \"half of it\"").attempt, 1);
  EXPECT_EQ(walk.run.at("output"), "half of it");  // a success reached in time counts
  EXPECT_EQ(walk.order(1, "task"), (Names{"on_cancel", "cleanup"}));
}

TEST_F(Stopped, ByItsMaximumDurationCallsNeitherCleanupNorOnFailureNorOnCancel) {
  const Walk walk = AttemptWalk::walk(R"({"task.run":"wait"})", "scripted", {{"maxDuration", 5}});
  EXPECT_EQ(walk.status(), "TIMED_OUT");
  EXPECT_EQ(walk.error("code"), "MAX_DURATION_EXCEEDED");
  EXPECT_EQ(walk.order(1, "task"),
            (Names{"middleware", "on_start_attempt", "on_start", "init", "run", "catch_error", "on_complete"}));
  EXPECT_EQ(walk.only("task.catch_error").event.at("error").at("name"), "MaxDurationExceeded");
}

}  // namespace
}  // namespace perdure::e2e
