// In which order the functions of an attempt are called, and what each is given.
#include <boost/json/parse.hpp>

#include "tests/lifecycle/attempt_walk.h"

namespace perdure::e2e {
namespace {

using Names = std::vector<std::string>;
using Order = AttemptWalk;

Names each_level(const std::string& hook) { return {"global." + hook, "plugin." + hook, "task." + hook}; }
Names joined(const std::vector<Names>& parts) {
  Names all;
  for (const Names& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}
const Names kMiddlewareEnds{"task.middleware after", "plugin.middleware after", "global.middleware after"};

TEST_F(Order, OfASuccessIsTheWholeTableFromTheOutermostLevelInwards) {
  const Walk walk = AttemptWalk::walk("{}");
  EXPECT_EQ(walk.status(), "COMPLETED");
  EXPECT_EQ(walk.order(1), joined({each_level("middleware"),
                                   each_level("on_start_attempt"),
                                   each_level("on_start"),
                                   each_level("init"),
                                   {"task.run"},
                                   each_level("cleanup"),
                                   kMiddlewareEnds,
                                   each_level("on_success"),
                                   each_level("on_complete")}));
  EXPECT_EQ(walk.run.at("output"), boost::json::parse(R"({"done":1})"));
}

TEST_F(Order, OfASuccessGivesEachHookItsEvent) {
  const Walk walk = AttemptWalk::walk("{}");
  EXPECT_EQ(walk.only("task.on_success").event, boost::json::parse(R"({"output":{"done":1}})"));
  for (const char* hook : {"plugin.on_complete", "global.cleanup"}) {
    EXPECT_EQ(walk.only(hook).event, boost::json::parse(R"({"ok":true,"output":{"done":1}})")) << hook;
  }
}

TEST_F(Order, GivesTheLatestInitToRunAndThoseAfterIt) {
  const Walk walk = AttemptWalk::walk(R"({"task.init":{"result":[1,{"a":2}]}})");
  EXPECT_EQ(walk.only("global.on_start").init, nullptr);
  EXPECT_EQ(walk.only("plugin.init").init, "global.init");
  for (const char* hook : {"task.run", "task.cleanup", "global.on_success", "plugin.on_complete"}) {
    EXPECT_EQ(walk.only(hook).init, boost::json::parse(R"([1,{"a":2}])")) << hook;
  }
}

TEST_F(Order, OfARetriedFailureHasNothingFinalAndTheNextAttemptNoOnStart) {
  const Walk walk = AttemptWalk::walk(R"({"task.run":{"error":1}})");
  EXPECT_EQ(walk.status(), "COMPLETED");
  EXPECT_EQ(walk.attempts(), 2u);
  const Names first{"middleware", "on_start_attempt", "on_start", "init", "run", "cleanup", "catch_error"};
  EXPECT_EQ(walk.order(1, "task"), first);
  const Names second{"middleware", "on_start_attempt", "init",       "run",
                     "cleanup",    "middleware after", "on_success", "on_complete"};
  EXPECT_EQ(walk.order(2, "task"), second);
}

TEST_F(Order, OfAFailureThatIsFinalEndsWithOnFailureAndOnComplete) {
  const Walk walk = AttemptWalk::walk(R"({"task.run":"error"})");
  EXPECT_EQ(walk.status(), "FAILED");
  EXPECT_EQ(walk.attempts(), 2u);
  const Names last{"middleware", "on_start_attempt", "init",       "run",
                   "cleanup",    "catch_error",      "on_failure", "on_complete"};
  EXPECT_EQ(walk.order(2, "task"), last);
  const auto error = walk.only("global.on_failure").event.at("error");
  EXPECT_EQ(error.at("name"), "Scripted");
  EXPECT_EQ(error.at("message"), "task.run");
  EXPECT_EQ(walk.only("plugin.on_complete").event.at("ok"), false);
  EXPECT_EQ(walk.only("plugin.on_complete").event.at("error"), error);
}

TEST_F(Order, OfAnAbortIsThatOfAFinalFailureAtOnce) {
  const Walk walk = AttemptWalk::walk(R"({"task.run":"abort"})");
  EXPECT_EQ(walk.status(), "FAILED");
  EXPECT_EQ(walk.attempts(), 1u);
  EXPECT_EQ(walk.only("task.catch_error").event.at("retryAtMs"), nullptr);
  EXPECT_EQ(walk.all("task.on_failure").size(), 1u);
}

TEST_F(Order, CatchesErrorsFromTheInnermostLevelOutwards) {
  const Walk walk = AttemptWalk::walk(R"({"task.run":"abort"})");
  Names caught;
  for (const std::string& name : walk.order(1)) {
    if (name.ends_with("catch_error")) caught.push_back(name);
  }
  EXPECT_EQ(caught, (Names{"task.catch_error", "plugin.catch_error", "global.catch_error"}));
}

TEST_F(Order, ShowsEveryHookOnceOnTheTimelineWithItsScopeAndAttempt) {
  const Walk walk = AttemptWalk::walk("{}");
  EXPECT_EQ(walk.spans.size(), 21u);
  for (const char* hook :
       {"middleware", "on_start_attempt", "on_start", "init", "cleanup", "on_success", "on_complete"}) {
    for (const char* scope : {"task", "plugin", "global"}) {
      const auto spans = walk.spans_of(std::string(scope) + "." + hook);
      ASSERT_EQ(spans.size(), 1u) << scope << hook;
      EXPECT_EQ(spans[0].at("attempt"), 1);
      EXPECT_FALSE(spans[0].contains("error"));
    }
  }
}

TEST_F(Order, IsPrintedByTheCommandLine) {
  const Walk walk = AttemptWalk::walk(R"({"plugin.on_success":"error"})");
  const std::string trace = printed({"runs", "trace", walk.id});
  EXPECT_NE(trace.find("global.middleware "), std::string::npos) << trace;
  EXPECT_NE(trace.find(" ms: Scripted: plugin.on_success (ignored)"), std::string::npos) << trace;
}

TEST_F(Order, EndsLocalsAfterTheLastHook) {
  const Walk walk = AttemptWalk::walk("{}", "with-locals");
  EXPECT_EQ(walk.status(), "COMPLETED");
  EXPECT_EQ(walk.order(1, "task"), Names{"on_complete"});
  EXPECT_EQ(walk.steps.back().what, "local ends");
}

}  // namespace
}  // namespace perdure::e2e
