// How what happens inside a task's function reaches the host: results, exceptions of every kind, and statuses that
// nobody may swallow.
#include <gtest/gtest.h>

#include <chrono>
#include <new>
#include <stdexcept>
#include <string>

#include <perdure/testing.hpp>

using namespace std::chrono_literals;

namespace perdure::test {
namespace {

using perdure::testing::Options;
using perdure::testing::Result;
using perdure::testing::run_json;

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

class TaskOutcome : public ::testing::Test {
 protected:
  Result run(void (*what)(Attempt&), const Options& options = {}) {
    body = what;
    return perdure::testing::run<plain>({}, options);
  }
};

struct FixtureError : std::runtime_error {
  using runtime_error::runtime_error;
};

TEST_F(TaskOutcome, CarriesTheValueOfRun) {
  const Result outcome = run_json<sum>(R"({"a":2,"b":3})");
  EXPECT_EQ(outcome.status, PERDURE_OK);
  EXPECT_EQ(outcome.output_text, "5");
}

TEST_F(TaskOutcome, OfATaskWithoutAResultIsNothing) {
  const Result outcome = run([](Attempt&) {});
  EXPECT_EQ(outcome.status, PERDURE_OK);
  EXPECT_EQ(outcome.output_text, "null");
}

TEST_F(TaskOutcome, KeepsUntypedPayloads) {
  EXPECT_EQ(run_json<mirror>(R"({"a":[1,null,"x"]})").output_text, R"({"a":[1,null,"x"]})");
  EXPECT_EQ(run_json<raw>(R"({"a": 1E-1})").output_text, R"({"a": 1E-1})");
}

TEST_F(TaskOutcome, OfAPayloadThatDoesNotFitIsAbortedWithThePlace) {
  const Result outcome = run_json<sum>(R"({"a":2,"b":"three"})");
  EXPECT_EQ(outcome.status, PERDURE_ABORTED);
  EXPECT_EQ(outcome.error().name, "TASK_PAYLOAD_INVALID");
  EXPECT_NE(outcome.error().message.find("b must be an integer"), std::string::npos) << outcome.error().message;
}

TEST_F(TaskOutcome, OfAResultThatJsonCannotSayIsAnError) {
  const Result outcome = run_json<not_finite>("null");
  EXPECT_EQ(outcome.status, PERDURE_FAILED);
  EXPECT_EQ(outcome.error().name, "perdure::JsonError");
}

TEST_F(TaskOutcome, NamesTheTypeOfAnException) {
  const Result outcome = run([](Attempt&) { throw FixtureError("boom"); });
  EXPECT_EQ(outcome.status, PERDURE_FAILED);
  EXPECT_EQ(outcome.error().name, "perdure::test::FixtureError");
  EXPECT_EQ(outcome.error().message, "boom");
  EXPECT_EQ(run([](Attempt&) { throw std::out_of_range("far"); }).error().name, "std::out_of_range");
}

TEST_F(TaskOutcome, TakesTheNameAndTheDetailsOfAnError) {
  const Result outcome = run([](Attempt&) { throw Error("CardDeclined", "no money", {{"code", 51}}); });
  EXPECT_EQ(outcome.error().name, "CardDeclined");
  EXPECT_EQ(to_json(outcome.error().details), R"({"code":51})");
}

TEST_F(TaskOutcome, TellsWhatAnExceptionWasCausedBy) {
  const Result outcome = run([](Attempt&) {
    try {
      throw std::out_of_range("inner");
    } catch (...) {
      std::throw_with_nested(std::runtime_error("outer"));
    }
  });
  EXPECT_EQ(outcome.error().message, "outer");
  EXPECT_EQ(to_json(outcome.error().details), R"({"causes":["std::out_of_range: inner"]})");
}

TEST_F(TaskOutcome, OfAnAbortIsNotRetried) {
  const Result outcome = run([](Attempt&) { throw Abort("never"); });
  EXPECT_EQ(outcome.status, PERDURE_ABORTED);
  EXPECT_EQ(outcome.error().name, "perdure::Abort");
}

TEST_F(TaskOutcome, CarriesTheTimeOfTheRetry) {
  const Result outcome = run([](Attempt&) { throw RetryAt(Instant(1234567890123ms), "later"); });
  EXPECT_EQ(outcome.status, PERDURE_FAILED);
  EXPECT_EQ(outcome.retry_at, Instant(1234567890123ms));
  EXPECT_EQ(run([](Attempt&) { throw RetryAt(Instant(0ms), "now"); }).retry_at, Instant(1ms));
}

TEST_F(TaskOutcome, OfNoMemoryIsOutOfMemory) {
  EXPECT_EQ(run([](Attempt&) { throw std::bad_alloc(); }).status, PERDURE_OUT_OF_MEMORY);
  EXPECT_EQ(run([](Attempt&) { throw OutOfMemory(); }).status, PERDURE_OUT_OF_MEMORY);
}

TEST_F(TaskOutcome, SaysWhenAnExceptionIsNoneOfTheStandardLibrarys) {
  const Result outcome = run([](Attempt&) { throw 42; });
  EXPECT_EQ(outcome.status, PERDURE_FAILED);
  EXPECT_EQ(outcome.error().name, "int");
  EXPECT_EQ(outcome.error().message, "an exception of type int, which is no std::exception");
  EXPECT_EQ(run([](Attempt&) { throw "text"; }).error().message, "text");
}

TEST_F(TaskOutcome, IsCancelledWhateverTheTaskCatches) {
  const Options cancelled{.cancelled = true};
  EXPECT_EQ(run([](Attempt& run) { run.stop_if_requested(); }, cancelled).status, PERDURE_CANCELLED);
  const Result swallowed = run(
      [](Attempt& run) {
        try {
          run.stop_if_requested();
        } catch (...) {
        }
      },
      cancelled);
  EXPECT_EQ(swallowed.status, PERDURE_CANCELLED);
  const Result replaced = run(
      [](Attempt& run) {
        try {
          run.stop_if_requested();
        } catch (...) {
          throw std::runtime_error("something else");
        }
      },
      cancelled);
  EXPECT_EQ(replaced.status, PERDURE_CANCELLED);
}

TEST_F(TaskOutcome, UnwindsAgainAtTheNextCallOfWhoSwallowedIt) {
  static bool went_on;
  went_on = false;
  const Result outcome = run(
      [](Attempt& run) {
        try {
          run.stop_if_requested();
        } catch (...) {
        }
        run.heartbeat();
        went_on = true;
      },
      {.cancelled = true});
  EXPECT_EQ(outcome.status, PERDURE_CANCELLED);
  EXPECT_FALSE(went_on);
}

TEST_F(TaskOutcome, RunsDestructorsWhenAnAttemptStops) {
  static bool destroyed;
  destroyed = false;
  (void)run(
      [](Attempt& run) {
        struct Guard {
          ~Guard() { destroyed = true; }
        } guard;
        run.stop_if_requested();
      },
      {.cancelled = true});
  EXPECT_TRUE(destroyed);
}

TEST_F(TaskOutcome, OfASleepThatIsCancelledComesAtOnce) {
  for (const bool has_descriptor : {true, false}) {
    const Result outcome =
        run([](Attempt& run) { run.sleep_for(1h); }, {.cancel_after = 1ms, .cancel_descriptor = has_descriptor});
    EXPECT_EQ(outcome.status, PERDURE_CANCELLED);
  }
}

TEST_F(TaskOutcome, KeepsLogLinesWithTheirFields) {
  const Result outcome = run([](Attempt& run) {
    run.log.info("charged", {{"cents", 5}, {"to", "Ada"}});
    run.log.error("plain");
  });
  ASSERT_EQ(outcome.logs.size(), 2u);
  EXPECT_EQ(outcome.logs[0].level, PERDURE_INFO);
  EXPECT_EQ(outcome.logs[0].message, "charged");
  EXPECT_EQ(outcome.logs[0].fields, (json::object{{"cents", 5}, {"to", "Ada"}}));
  EXPECT_EQ(outcome.logs[1].level, PERDURE_ERROR);
  EXPECT_TRUE(outcome.logs[1].fields.empty());
}

TEST_F(TaskOutcome, MayDependOnContextAndConfiguration) {
  const Result outcome = run(
      [](Attempt& run) {
        EXPECT_EQ(run.context().at("run").at("tags").at(0), "a");
        EXPECT_EQ(run.config().at("a"), 1);
        EXPECT_EQ(run.config<Numbers>().b, 2);
        EXPECT_EQ(run.number(), 3);
        EXPECT_EQ(run.run_id(), "run_1");
      },
      {.attempt = 3, .config = {{"a", 1}, {"b", 2}}, .tags = {"a"}});
  EXPECT_EQ(outcome.status, PERDURE_OK);
}

TEST_F(TaskOutcome, OfAConfigurationThatDoesNotFitIsAborted) {
  const Result outcome = run([](Attempt& run) { (void)run.config<Numbers>(); }, {.config = {{"a", 1}}});
  EXPECT_EQ(outcome.status, PERDURE_ABORTED);
  EXPECT_EQ(outcome.error().message, "the plugin's configuration in perdure.toml: b is missing");
}

}  // namespace
}  // namespace perdure::test
