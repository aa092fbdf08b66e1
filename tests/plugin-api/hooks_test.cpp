// The hooks of the C++ SDK: what each is told, and what it can decide.
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include <perdure/task.hpp>

#include "tests/plugin-api/fake_host.h"

using namespace std::chrono_literals;

namespace perdure::test {
namespace {

struct Order {
  std::string id;
};
BOOST_DESCRIBE_STRUCT(Order, (), (id))

void (*inside)(const Next&) = nullptr;

constexpr Task<Order, int> task{
    .id = "task",
    .run = [](Order, Attempt& run) { return run.init<int>() + 1; },
    .middleware = [](Attempt&, const Next& next) { inside(next); },
    .on_start_attempt = [](const Order& order, Attempt& run) { run.log.info("starting " + order.id); },
    .init = [](const Order& order, Attempt&) { return json::value(order.id.size()); },
    .on_success = [](const Order& order, const int& output,
                     Attempt& run) { run.log.info(order.id + " gave " + std::to_string(output)); },
    .catch_error = [](const Order&, const json::value& error, Attempt&) -> Retrying {
      const auto& name = error.at("name").as_string();
      if (name == "never") return Retrying::no();
      if (name == "at") return Retrying::at(Instant(5000ms));
      if (name == "after") return Retrying::after(2s);
      if (name == "other") return Retrying::with({.max_attempts = 9});
      if (name == "replace") return Retrying::by_policy().replacing(Error("Clearer", "said better"));
      if (name == "broken") throw std::runtime_error("broken hook");
      return Retrying::by_policy();
    },
    .on_failure = [](const Order&, const json::value& error, Attempt& run) { run.log.error(to_json(error)); },
    .on_complete = [](const Order&, const json::value& outcome, Attempt& run) { run.log.info(to_json(outcome)); },
    .on_wait = [](const Order&, const json::value& wait, Attempt& run) { run.log.info(to_json(wait)); },
};

class TaskHooks : public testing::Test {
 protected:
  TaskHooks() {
    EXPECT_EQ(host.load([](const perdure_registrar* registrar) {
      return perdure::detail::register_all<task>(registrar, "tests", "1");
    }),
              PERDURE_OK);
    hooks = host.tasks["task"].hooks;
  }
  Outcome call(perdure_task_fn hook, const std::string& event) {
    Given given;
    given.payload = R"({"id":"o1"})";
    given.event = event;
    return host.call(hook, given);
  }
  Outcome around(void (*what)(const Next&), perdure_status inner) {
    inside = what;
    Given given;
    given.payload = R"({"id":"o1"})";
    given.next = inner;
    return host.call(hooks.middleware, given);
  }

  FakeHost host;
  perdure_hooks hooks{};
};

TEST_F(TaskHooks, AreGivenThePayload) { EXPECT_EQ(call(hooks.on_start_attempt, "").log.at(0).message, "starting o1"); }

TEST_F(TaskHooks, PassTheValueOfInitToRun) {
  EXPECT_EQ(call(hooks.init, "").result, "2");
  Given given;
  given.payload = R"({"id":"o1"})";
  given.init = "2";
  EXPECT_EQ(host.run("task", given).result, "3");
}

TEST_F(TaskHooks, AreToldTheOutputTheErrorAndTheWait) {
  EXPECT_EQ(call(hooks.on_success, R"({"output":7})").log.at(0).message, "o1 gave 7");
  EXPECT_EQ(call(hooks.on_failure, R"({"error":{"name":"x"}})").log.at(0).message, R"({"name":"x"})");
  EXPECT_EQ(call(hooks.on_complete, R"({"ok":true,"output":7})").log.at(0).message, R"({"ok":true,"output":7})");
  EXPECT_EQ(call(hooks.on_wait, R"({"wait":{"type":"token"}})").log.at(0).message, R"({"type":"token"})");
}

TEST_F(TaskHooks, DecideAboutTheRetry) {
  const auto decision = [this](const std::string& name) {
    const Outcome outcome = call(hooks.catch_error, R"({"error":{"name":")" + name + "\"}}");
    EXPECT_EQ(outcome.status, PERDURE_OK);
    return outcome.result;
  };
  EXPECT_EQ(decision("never"), R"({"retry":false})");
  EXPECT_EQ(decision("at"), R"({"retryAtMs":5000})");
  EXPECT_EQ(decision("after"), R"({"retryAfterMs":2000})");
  EXPECT_EQ(decision("other"), R"({"retry":{"maxAttempts":9}})");
  EXPECT_EQ(decision("anything"), "");
}

TEST_F(TaskHooks, MayReplaceTheError) {
  const Outcome outcome = call(hooks.catch_error, R"({"error":{"name":"replace"}})");
  EXPECT_EQ(outcome.status, PERDURE_OK);
  EXPECT_EQ(outcome.result, "");
  EXPECT_EQ(outcome.error_type, "Clearer");
}

TEST_F(TaskHooks, FailByException) {
  const Outcome outcome = call(hooks.catch_error, R"({"error":{"name":"broken"}})");
  EXPECT_EQ(outcome.status, PERDURE_FAILED);
  EXPECT_EQ(outcome.error_message, "broken hook");
}

TEST_F(TaskHooks, StandAroundTheRest) {
  const Outcome outcome = around([](const Next& next) { next(); }, PERDURE_OK);
  EXPECT_EQ(outcome.status, PERDURE_OK);
  EXPECT_EQ(outcome.next_calls, 1);
}

TEST_F(TaskHooks, CannotHideThatTheRestFailed) {
  const Outcome outcome = around(
      [](const Next& next) {
        try {
          next();
        } catch (...) {
        }
      },
      PERDURE_ABORTED);
  EXPECT_EQ(outcome.status, PERDURE_ABORTED);
}

}  // namespace
}  // namespace perdure::test
