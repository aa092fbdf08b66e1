// The hooks of the C++ SDK: what each is told, and what it can decide.
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <perdure/testing.hpp>

using namespace std::chrono_literals;

namespace perdure::test {
namespace {

using perdure::testing::Options;
using perdure::testing::Result;

struct Order {
  std::string id;
  std::string fails_with;
};
BOOST_DESCRIBE_STRUCT(Order, (), (id, fails_with))

void (*inside)(const Next&) = nullptr;

constexpr Task<Order, int> task{
    .id = "task",
    .run =
        [](Order order, Attempt& run) {
          if (order.id == "waits") (void)run.raw()->services->wait_for(run.raw(), 1000);
          if (!order.fails_with.empty()) throw Error(order.fails_with, "it failed");
          return run.init<int>() + 1;
        },
    .on_start_attempt = [](const Order& order, Attempt& run) { run.log.info("starting " + order.id); },
    .init = [](const Order& order, Attempt&) { return json::value(order.id.size()); },
    .on_success = [](const Order& order, const int& output,
                     Attempt& run) { run.log.info(order.id + " gave " + std::to_string(output)); },
    .catch_error = [](const Order&, const json::value& error, Attempt&) -> Retrying {
      const auto& name = error.at("name").as_string();
      if (name == "never") return Retrying::no();
      if (name == "at") return Retrying::at(Instant(5000ms));
      if (name == "after") return Retrying::after(2s);
      if (name == "other") return Retrying::with({.max_attempts = 9, .min_timeout = 7s});
      if (name == "replace") return Retrying::by_policy().replacing(Error("Clearer", "said better"));
      if (name == "broken") throw std::runtime_error("broken hook");
      return Retrying::by_policy();
    },
    .on_failure = [](const Order&, const json::value& error,
                     Attempt& run) { run.log.error("failed: " + to_json(error)); },
    .on_complete = [](const Order&, const json::value& outcome,
                      Attempt& run) { run.log.info("complete: " + to_json(outcome)); },
    .on_wait = [](const Order&, const json::value& wait, Attempt& run) { run.log.info("waiting: " + to_json(wait)); },
    .on_resume = [](const Order&, const json::value& wait, Attempt& run) { run.log.info("resumed: " + to_json(wait)); },
};

constexpr Task<None, int> wrapped{
    .id = "wrapped",
    .run = [](None, Attempt&) -> int { throw Abort("inside"); },
    .middleware = [](Attempt&, const Next& next) { inside(next); },
};
constexpr Task<None, int> beside{
    .id = "beside",
    .run = [](None, Attempt&) { return 5; },
    .middleware = [](Attempt&, const Next& next) { inside(next); },
};

constexpr Task<None, int> unstartable{
    .id = "unstartable",
    .run = [](None, Attempt&) { return 1; },
    .on_start_attempt = [](const None&, Attempt&) { throw std::runtime_error("no database"); },
    .handle_error = [](const None&, const json::value&, Attempt&) { return Retrying::no(); },
    .cleanup = [](const None&, Attempt&) {},
};

constexpr Task<None, std::string> cancellable{
    .id = "cancellable",
    .run = [](None, Attempt& run) -> std::string {
      (void)run.stop_token().wait_for(20s);
      return "half of it";
    },
    .on_cancel =
        [](const None&, Attempt& run) {
          run.log.info("saved " + to_json(json::value(run.eventual_output<std::string>().value_or("nothing"))));
        },
};
constexpr Task<None, std::string> cancelled_failing{
    .id = "cancelled-failing",
    .run = [](None, Attempt&) -> std::string { throw std::runtime_error("no"); },
    .on_cancel = [](const None&,
                    Attempt& run) { run.log.info(run.eventual_output().has_value() ? "some" : "nothing"); },
};

Result run(const std::string& id, const std::string& fails_with = "", Options options = {}) {
  options.now = Instant(1000ms);
  return perdure::testing::run<task>({.id = id, .fails_with = fails_with}, options);
}

TEST(TaskHooks, AreCalledAroundRunInTheirOrder) {
  const Result outcome = run("o1");
  EXPECT_EQ(outcome.hooks, (std::vector<std::string>{"on_start_attempt", "init", "on_success", "on_complete"}));
  EXPECT_EQ(outcome.logs.at(0).message, "starting o1");
}

TEST(TaskHooks, PassTheValueOfInitToRun) { EXPECT_EQ(run("o1").output<int>(), 3); }

TEST(TaskHooks, AreToldTheOutput) {
  const Result outcome = run("o1");
  EXPECT_NE(outcome.find_log("o1 gave 3"), nullptr);
  EXPECT_NE(outcome.find_log(R"(complete: {"ok":true,"output":3})"), nullptr);
}

TEST(TaskHooks, AreToldTheErrorWhenTheRunIsFinal) {
  const std::string error = R"({"name":"x","message":"it failed"})";
  EXPECT_EQ(run("o1", "x", {.attempt = 2}).find_log("failed: "), nullptr);
  const Result last = run("o1", "x", {.attempt = 3});
  EXPECT_NE(last.find_log("failed: " + error), nullptr);
  EXPECT_NE(last.find_log(R"(complete: {"ok":false,"error":)" + error + "}"), nullptr);
}

TEST(TaskHooks, AreToldAWaitBeforeAndAfter) {
  const Result outcome = run("waits");
  const std::string wait = R"({"type":"duration","id":"1000"})";
  EXPECT_NE(outcome.find_log("waiting: " + wait), nullptr);
  EXPECT_NE(outcome.find_log("resumed: " + wait), nullptr);
}

TEST(TaskHooks, DecideAboutTheRetry) {
  EXPECT_FALSE(run("o1", "never").retried);
  EXPECT_EQ(run("o1", "at").retry_at, Instant(5000ms));
  EXPECT_EQ(run("o1", "after").retry_at, Instant(3000ms));
  EXPECT_EQ(run("o1", "other").retry_at, Instant(8000ms));
  EXPECT_TRUE(run("o1", "other", {.attempt = 8}).retried);
  EXPECT_EQ(run("o1", "anything").retry_at, Instant(2000ms));  // after the policy's second
  EXPECT_FALSE(run("o1", "anything", {.attempt = 3}).retried);
}

TEST(TaskHooks, MayReplaceTheError) {
  const Result outcome = run("o1", "replace");
  EXPECT_EQ(outcome.error().name, "Clearer");
  EXPECT_TRUE(outcome.retried);
}

TEST(TaskHooks, FailTheAttemptByAnExceptionInCatchError) {
  const Result outcome = run("o1", "broken");
  EXPECT_EQ(outcome.error().name, "HANDLE_ERROR_ERROR");
  EXPECT_EQ(outcome.error().message, "std::runtime_error: broken hook");
}

TEST(TaskHooks, CleanUpAlsoWhereTheAttemptCouldNotStart) {
  const Result outcome = perdure::testing::run<unstartable>();
  EXPECT_EQ(outcome.hooks, (std::vector<std::string>{"on_start_attempt", "cleanup", "catch_error"}));
  EXPECT_EQ(outcome.error().message, "no database");
}

TEST(TaskHooks, KnowCatchErrorByItsOtherName) { EXPECT_FALSE(perdure::testing::run<unstartable>().retried); }

TEST(TaskHooks, MayWaitInOnCancelForWhatRunReturns) {
  const Result outcome = perdure::testing::run<cancellable>({}, {.cancelled = true});
  EXPECT_NE(outcome.find_log("saved \"half of it\""), nullptr);
}

TEST(TaskHooks, FindNothingInOnCancelWhenRunFailed) {
  const Result outcome = perdure::testing::run<cancelled_failing>({}, {.cancelled = true});
  EXPECT_NE(outcome.find_log("nothing"), nullptr);
}

TEST(Middleware, StandsAroundTheRest) {
  inside = [](const Next& next) { next(); };
  EXPECT_EQ(perdure::testing::run<beside>().output<int>(), 5);
}

TEST(Middleware, CannotHideThatTheRestFailed) {
  inside = [](const Next& next) {
    try {
      next();
    } catch (...) {
    }
  };
  const Result outcome = perdure::testing::run<wrapped>();
  EXPECT_TRUE(outcome.aborted());
  EXPECT_EQ(outcome.error().message, "inside");
}

TEST(Middleware, FailsTheAttemptByItsOwnException) {
  inside = [](const Next& next) {
    next();
    throw std::runtime_error("afterwards");
  };
  EXPECT_EQ(perdure::testing::run<beside>().error().message, "afterwards");
}

}  // namespace
}  // namespace perdure::test
