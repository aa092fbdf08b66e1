// How what happens inside a task's function reaches the host: results, exceptions of every kind, and statuses that
// nobody may swallow.
#include <gtest/gtest.h>

#include <chrono>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>

#include <perdure/task.hpp>

#include "tests/plugin-api/fake_host.h"

using namespace std::chrono_literals;

namespace perdure::test {
namespace {

// The attempt calls the body that a test has set.
void (*body)(Attempt&) = nullptr;
constexpr Task<None, void> plain{.id = "plain", .run = [](None, Attempt& run) { body(run); }};

struct Numbers {
  int a = 0;
  int b = 0;
};
BOOST_DESCRIBE_STRUCT(Numbers, (), (a, b))
constexpr Task<Numbers, int> sum{.id = "sum", .run = [](Numbers in, Attempt&) { return in.a + in.b; }};
constexpr Task<json::value, json::value> mirror{.id = "mirror", .run = [](json::value in, Attempt&) { return in; }};
constexpr Task<RawJson, RawJson> raw{.id = "raw", .run = [](RawJson in, Attempt&) { return in; }};
constexpr Task<None, double> not_finite{.id = "not-finite", .run = [](None, Attempt&) { return 1e308 * 10; }};

class TaskOutcome : public testing::Test {
 protected:
  TaskOutcome() {
    EXPECT_EQ(host.load([](const perdure_registrar* registrar) {
      return perdure::detail::register_all<plain, sum, mirror, raw, not_finite>(registrar, "tests", "1");
    }),
              PERDURE_OK);
  }
  Outcome run(void (*what)(Attempt&), const Given& given = {}) {
    body = what;
    return host.run("plain", given);
  }
  Outcome task(std::string_view id, const std::string& payload) {
    Given given;
    given.payload = payload;
    return host.run(id, given);
  }

  FakeHost host;
};

struct FixtureError : std::runtime_error {
  using runtime_error::runtime_error;
};

TEST_F(TaskOutcome, CarriesTheValueOfRun) {
  const Outcome outcome = task("sum", R"({"a":2,"b":3})");
  EXPECT_EQ(outcome.status, PERDURE_OK);
  EXPECT_EQ(outcome.result, "5");
}

TEST_F(TaskOutcome, OfATaskWithoutAResultIsNothing) {
  const Outcome outcome = run([](Attempt&) {});
  EXPECT_EQ(outcome.status, PERDURE_OK);
  EXPECT_EQ(outcome.result, "");
}

TEST_F(TaskOutcome, KeepsUntypedPayloads) {
  EXPECT_EQ(task("mirror", R"({"a":[1,null,"x"]})").result, R"({"a":[1,null,"x"]})");
  EXPECT_EQ(task("raw", R"({"a": 1E-1})").result, R"({"a": 1E-1})");
}

TEST_F(TaskOutcome, OfAPayloadThatDoesNotFitIsAbortedWithThePlace) {
  const Outcome outcome = task("sum", R"({"a":2,"b":"three"})");
  EXPECT_EQ(outcome.status, PERDURE_ABORTED);
  EXPECT_EQ(outcome.error_type, "TASK_PAYLOAD_INVALID");
  EXPECT_NE(outcome.error_message.find("b must be an integer"), std::string::npos) << outcome.error_message;
}

TEST_F(TaskOutcome, OfAResultThatJsonCannotSayIsAnError) {
  const Outcome outcome = task("not-finite", "null");
  EXPECT_EQ(outcome.status, PERDURE_FAILED);
  EXPECT_EQ(outcome.error_type, "perdure::JsonError");
}

TEST_F(TaskOutcome, NamesTheTypeOfAnException) {
  const Outcome outcome = run([](Attempt&) { throw FixtureError("boom"); });
  EXPECT_EQ(outcome.status, PERDURE_FAILED);
  EXPECT_EQ(outcome.error_type, "perdure::test::FixtureError");
  EXPECT_EQ(outcome.error_message, "boom");
  EXPECT_EQ(run([](Attempt&) { throw std::out_of_range("far"); }).error_type, "std::out_of_range");
}

TEST_F(TaskOutcome, TakesTheNameAndTheDetailsOfAnError) {
  const Outcome outcome = run([](Attempt&) { throw Error("CardDeclined", "no money", {{"code", 51}}); });
  EXPECT_EQ(outcome.error_type, "CardDeclined");
  EXPECT_EQ(outcome.error_detail, R"({"code":51})");
}

TEST_F(TaskOutcome, TellsWhatAnExceptionWasCausedBy) {
  const Outcome outcome = run([](Attempt&) {
    try {
      throw std::out_of_range("inner");
    } catch (...) {
      std::throw_with_nested(std::runtime_error("outer"));
    }
  });
  EXPECT_EQ(outcome.error_message, "outer");
  EXPECT_EQ(outcome.error_detail, R"({"causes":["std::out_of_range: inner"]})");
}

TEST_F(TaskOutcome, OfAnAbortIsNotRetried) {
  const Outcome outcome = run([](Attempt&) { throw Abort("never"); });
  EXPECT_EQ(outcome.status, PERDURE_ABORTED);
  EXPECT_EQ(outcome.error_type, "perdure::Abort");
}

TEST_F(TaskOutcome, CarriesTheTimeOfTheRetry) {
  const Outcome outcome = run([](Attempt&) { throw RetryAt(Instant(1234567890123ms), "later"); });
  EXPECT_EQ(outcome.status, PERDURE_FAILED);
  EXPECT_EQ(outcome.retry_at_ms, 1234567890123);
  EXPECT_NE(run([](Attempt&) { throw RetryAt(Instant(0ms), "now"); }).retry_at_ms, 0);
}

TEST_F(TaskOutcome, OfNoMemoryIsOutOfMemory) {
  EXPECT_EQ(run([](Attempt&) { throw std::bad_alloc(); }).status, PERDURE_OUT_OF_MEMORY);
  EXPECT_EQ(run([](Attempt&) { throw OutOfMemory(); }).status, PERDURE_OUT_OF_MEMORY);
}

TEST_F(TaskOutcome, SaysWhenAnExceptionIsNoneOfTheStandardLibrarys) {
  const Outcome outcome = run([](Attempt&) { throw 42; });
  EXPECT_EQ(outcome.status, PERDURE_FAILED);
  EXPECT_EQ(outcome.error_type, "int");
  EXPECT_EQ(outcome.error_message, "an exception of type int, which is no std::exception");
  EXPECT_EQ(run([](Attempt&) { throw "text"; }).error_message, "text");
}

TEST_F(TaskOutcome, IsCancelledWhateverTheTaskCatches) {
  host.cancel();
  EXPECT_EQ(run([](Attempt& run) { run.stop_if_requested(); }).status, PERDURE_CANCELLED);
  EXPECT_EQ(run([](Attempt& run) {
              try {
                run.stop_if_requested();
              } catch (...) {
              }
            }).status,
            PERDURE_CANCELLED);
  EXPECT_EQ(run([](Attempt& run) {
              try {
                run.stop_if_requested();
              } catch (...) {
                throw std::runtime_error("something else");
              }
            }).status,
            PERDURE_CANCELLED);
}

TEST_F(TaskOutcome, UnwindsAgainAtTheNextCallOfWhoSwallowedIt) {
  host.cancel();
  static bool went_on;
  went_on = false;
  const Outcome outcome = run([](Attempt& run) {
    try {
      run.stop_if_requested();
    } catch (...) {
    }
    run.heartbeat();
    went_on = true;
  });
  EXPECT_EQ(outcome.status, PERDURE_CANCELLED);
  EXPECT_FALSE(went_on);
}

TEST_F(TaskOutcome, RunsDestructorsWhenAnAttemptStops) {
  host.cancel();
  static bool destroyed;
  destroyed = false;
  (void)run([](Attempt& run) {
    struct Guard {
      ~Guard() { destroyed = true; }
    } guard;
    run.stop_if_requested();
  });
  EXPECT_TRUE(destroyed);
}

TEST_F(TaskOutcome, OfASleepThatIsCancelledComesAtOnce) {
  for (const bool has_descriptor : {true, false}) {
    FakeHost sleeper;
    sleeper.has_cancel_fd = has_descriptor;
    ASSERT_EQ(sleeper.load([](const perdure_registrar* registrar) {
      return perdure::detail::register_all<plain>(registrar, "tests", "1");
    }),
              PERDURE_OK);
    body = [](Attempt& run) { run.sleep_for(1h); };
    std::thread canceller([&] { sleeper.cancel(); });
    EXPECT_EQ(sleeper.run("plain", {}).status, PERDURE_CANCELLED);
    canceller.join();
  }
}

TEST_F(TaskOutcome, KeepsLogLinesWithTheirFields) {
  const Outcome outcome = run([](Attempt& run) {
    run.log.info("charged", {{"cents", 5}, {"to", "Ada"}});
    run.log.error("plain");
  });
  ASSERT_EQ(outcome.log.size(), 2u);
  EXPECT_EQ(outcome.log[0].level, PERDURE_INFO);
  EXPECT_EQ(outcome.log[0].message, "charged");
  EXPECT_EQ(outcome.log[0].fields, R"({"cents":5,"to":"Ada"})");
  EXPECT_EQ(outcome.log[1].level, PERDURE_ERROR);
  EXPECT_EQ(outcome.log[1].fields, "");
}

TEST_F(TaskOutcome, MayDependOnContextAndConfiguration) {
  Given given;
  given.context = R"({"run":{"tags":["a"]}})";
  given.config = R"({"a":1,"b":2})";
  given.number = 3;
  const Outcome outcome = run(
      [](Attempt& run) {
        EXPECT_EQ(run.context().at("run").at("tags").at(0), "a");
        EXPECT_EQ(run.config().at("a"), 1);
        EXPECT_EQ(run.config<Numbers>().b, 2);
        EXPECT_EQ(run.number(), 3);
        EXPECT_EQ(run.run_id(), "run_1");
      },
      given);
  EXPECT_EQ(outcome.status, PERDURE_OK);
}

TEST_F(TaskOutcome, OfAConfigurationThatDoesNotFitIsAborted) {
  Given given;
  given.config = R"({"a":1})";
  const Outcome outcome = run([](Attempt& run) { (void)run.config<Numbers>(); }, given);
  EXPECT_EQ(outcome.status, PERDURE_ABORTED);
  EXPECT_EQ(outcome.error_message, "the plugin's configuration in perdure.toml: b is missing");
}

}  // namespace
}  // namespace perdure::test
