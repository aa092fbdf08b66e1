// The harness that plugin authors test with: that every service is answered as plugin.h says, and that an attempt goes
// on from what earlier ones have recorded.
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <perdure/testing.hpp>

using namespace std::chrono_literals;

namespace perdure::test {
namespace {

using perdure::testing::Options;
using perdure::testing::Plugin;
using perdure::testing::Result;

// The attempt calls what a test has set, in the manner of C: what that returns is the status.
perdure_status (*body)(const perdure_attempt*, const perdure_services&) = nullptr;
perdure_status call_body(const perdure_attempt* attempt) { return body(attempt, *attempt->services); }

perdure_status register_c(const perdure_registrar* registrar) {
  perdure_plugin plugin{};
  plugin.struct_size = sizeof plugin;
  plugin.name = PERDURE_STR("in-c");
  perdure_task task{};
  task.struct_size = sizeof task;
  task.id = PERDURE_STR("task");
  task.options = PERDURE_STR(R"({"retry":{"maxAttempts":2,"minTimeoutMs":500,"on":{"out_of_memory":false}}})");
  task.run = call_body;
  const perdure_status status = registrar->plugin(registrar, &plugin);
  return status != PERDURE_OK ? status : registrar->task(registrar, &task);
}

Result run(perdure_status (*what)(const perdure_attempt*, const perdure_services&), const Options& options = {}) {
  static const Plugin plugin(register_c);
  body = what;
  return plugin.task("task").run(nullptr, options);
}

std::string text(perdure_str handed_out) { return std::string(perdure::detail::view(handed_out)); }

perdure_trigger trigger_of(perdure_str task, perdure_str payload, perdure_str options = {}) {
  perdure_trigger trigger{};
  trigger.struct_size = sizeof trigger;
  trigger.task_id = task;
  trigger.payload = payload;
  trigger.options = options;
  return trigger;
}

TEST(Harness, AnswersEveryServiceThatIsDeclared) {
  const perdure_services& services = perdure::testing::detail::services();
  ASSERT_EQ(services.struct_size, sizeof services);
  const auto* slots = reinterpret_cast<void* const*>(&services);
  for (std::size_t i = 1; i < sizeof services / sizeof(void*); ++i) EXPECT_NE(slots[i], nullptr) << "slot " << i;
}

TEST(Harness, RunsATaskWithAPayloadOfItsType) {
  static constexpr Task<std::vector<int>, int> sum{.id = "sum", .run = [](std::vector<int> in, Attempt&) {
                                                     int all = 0;
                                                     for (const int each : in) all += each;
                                                     return all;
                                                   }};
  EXPECT_EQ(perdure::testing::run<sum>({1, 2, 3}).output<int>(), 6);
  EXPECT_EQ(perdure::testing::run_json<sum>(R"(["x"])").error().name, "TASK_PAYLOAD_INVALID");
}

TEST(Harness, ThrowsWhatHappenedWhenThereIsNoOutput) {
  const Result outcome = run([](const auto*, const auto&) -> perdure_status { return PERDURE_FAILED; });
  EXPECT_EQ(outcome.describe(), "failed: TaskError: the task returned status 1 and set no error");
  EXPECT_THROW((void)outcome.output(), std::logic_error);
}

TEST(Harness, RetriesByThePolicyOfTheTask) {
  const auto fails = [](const auto*, const auto&) -> perdure_status { return PERDURE_FAILED; };
  const Result first = run(fails, {.now = Instant(1s)});
  EXPECT_TRUE(first.retried);
  EXPECT_EQ(first.retry_at, Instant(1500ms));
  EXPECT_FALSE(run(fails, {.attempt = 2}).retried);
  EXPECT_FALSE(run([](const auto*, const auto&) -> perdure_status { return PERDURE_ABORTED; }).retried);
  EXPECT_FALSE(run([](const auto*, const auto&) -> perdure_status { return PERDURE_OUT_OF_MEMORY; }).retried);
}

TEST(Harness, JudgesTheOutputAsTheHostDoes) {
  const auto not_json = [](const auto* a, const auto& s) { return s.set_result(a, PERDURE_STR("{")); };
  EXPECT_EQ(run(not_json).error().name, "OUTPUT_INVALID");
  const auto large = [](const auto* a, const auto& s) { return s.set_result(a, PERDURE_STR("[1,2,3]")); };
  EXPECT_EQ(run(large, {.output_limit = 6}).error().name, "OUTPUT_TOO_LARGE");
  EXPECT_FALSE(run(large, {.output_limit = 6}).retried);
}

TEST(Harness, SaysInLastErrorWhatIsWrongWithACall) {
  const Result outcome = run([](const auto* a, const auto& s) -> perdure_status {
    EXPECT_EQ(s.log(a, PERDURE_INFO, PERDURE_STR("x"), PERDURE_STR("[]")), PERDURE_INVALID);
    EXPECT_EQ(text(s.last_error(a)), "log fields must be one JSON object");
    return PERDURE_INVALID;
  });
  EXPECT_NE(outcome.error().message.find("log fields must be one JSON object"), std::string::npos);
}

TEST(Harness, KeepsOutcomeAndStepsToTheAttemptsThread) {
  EXPECT_TRUE(run([](const auto* a, const auto& s) -> perdure_status {
                std::thread([&] {
                  perdure_str json{};
                  EXPECT_EQ(s.set_result(a, PERDURE_STR("1")), PERDURE_INVALID);
                  EXPECT_EQ(s.memo_get(a, PERDURE_STR("step"), &json), PERDURE_INVALID);
                  EXPECT_EQ(s.wait_for(a, 1), PERDURE_INVALID);
                  EXPECT_EQ(s.heartbeat(a), PERDURE_OK);
                }).join();
                return PERDURE_OK;
              }).succeeded());
}

TEST(Harness, ChangesMetadataTagsAndStreams) {
  const Result outcome = run(
      [](const auto* a, const auto& s) -> perdure_status {
        const auto change = [&](perdure_metadata_op op, perdure_str key, perdure_str value) {
          return s.set_metadata(a, PERDURE_META_SELF, op, key, value);
        };
        EXPECT_EQ(change(PERDURE_META_SET, PERDURE_STR("state"), PERDURE_STR("\"up\"")), PERDURE_OK);
        EXPECT_EQ(change(PERDURE_META_INCREMENT, PERDURE_STR("n"), PERDURE_STR("2")), PERDURE_OK);
        EXPECT_EQ(change(PERDURE_META_INCREMENT, PERDURE_STR("n"), PERDURE_STR("-5")), PERDURE_OK);
        EXPECT_EQ(change(PERDURE_META_APPEND, PERDURE_STR("list"), PERDURE_STR("1")), PERDURE_OK);
        EXPECT_EQ(change(PERDURE_META_APPEND, PERDURE_STR("list"), PERDURE_STR("2")), PERDURE_OK);
        EXPECT_EQ(change(PERDURE_META_REMOVE, PERDURE_STR("list"), PERDURE_STR("1")), PERDURE_OK);
        EXPECT_EQ(change(PERDURE_META_DELETE, PERDURE_STR("old"), {}), PERDURE_OK);
        EXPECT_EQ(change(PERDURE_META_APPEND, PERDURE_STR("n"), PERDURE_STR("1")), PERDURE_INVALID);
        EXPECT_EQ(s.set_metadata(a, PERDURE_META_ROOT, PERDURE_META_SET, PERDURE_STR("r"), PERDURE_STR("1")), 0);
        const perdure_str tags[] = {PERDURE_STR("a"), PERDURE_STR("b")};
        EXPECT_EQ(s.add_tags(a, tags, 2), PERDURE_OK);
        const perdure_str empty[] = {PERDURE_STR("c"), perdure_str{}};
        EXPECT_EQ(s.add_tags(a, empty, 2), PERDURE_INVALID);
        EXPECT_EQ(s.stream_append(a, PERDURE_STR("lines"), PERDURE_STR("one")), PERDURE_OK);
        EXPECT_EQ(s.stream_append(a, PERDURE_STR("lines"), PERDURE_STR("two")), PERDURE_OK);
        return PERDURE_OK;
      },
      {.metadata = {{"old", true}}, .tags = {"a"}, .has_parent = true});
  EXPECT_EQ(outcome.metadata, (json::object{{"state", "up"}, {"n", -3}, {"list", {2}}}));
  EXPECT_EQ(outcome.root_metadata, (json::object{{"r", 1}}));
  EXPECT_EQ(outcome.tags, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(outcome.streams.at("lines"), (std::vector<std::string>{"one", "two"}));
}

// A step, and a failure after it in the first attempt.
perdure_status charge_then_fail(const perdure_attempt* a, const perdure_services& s) {
  perdure_str json{};
  if (s.memo_get(a, PERDURE_STR("charge"), &json) == PERDURE_NOT_FOUND) {
    (void)s.log(a, PERDURE_INFO, PERDURE_STR("charging"), {});
    if (const auto status = s.memo_put(a, PERDURE_STR("charge"), PERDURE_STR("42")); status != PERDURE_OK) {
      return status;
    }
    return PERDURE_FAILED;
  }
  return s.set_result(a, json);
}

TEST(Harness, GivesALaterAttemptTheStepsOfAnEarlierOne) {
  const Result first = run(charge_then_fail);
  ASSERT_TRUE(first.retried);
  ASSERT_EQ(first.steps.size(), 1u);
  EXPECT_EQ(first.steps[0].key, "charge");
  const Result second = run(charge_then_fail, {.attempt = 2, .recorded = first.steps});
  EXPECT_EQ(second.output<int>(), 42);
  EXPECT_EQ(second.find_log("charging"), nullptr);
  EXPECT_TRUE(second.steps.at(0).replayed);
  EXPECT_EQ(run(charge_then_fail, {.recorded = {perdure::testing::memo("charge", 7)}}).output<int>(), 7);
}

TEST(Harness, FailsAnAttemptThatTakesOtherStepsThanItsRunDid) {
  const Result outcome = run(charge_then_fail, {.recorded = {perdure::testing::memo("refund", 7)}});
  EXPECT_EQ(outcome.error().name, "STEP_MISMATCH");
}

TEST(Harness, RefusesTheResultOfAStepThatWasNotAskedFor) {
  EXPECT_EQ(run([](const auto* a, const auto& s) {
              return s.memo_put(a, PERDURE_STR("never asked"), PERDURE_STR("1"));
            }).status,
            PERDURE_INVALID);
}

// Waits for another task and gives back its output or error.
perdure_status ask_other(const perdure_attempt* a, const perdure_services& s) {
  const perdure_trigger other = trigger_of(PERDURE_STR("other"), PERDURE_STR("[1]"));
  perdure_str json{};
  const perdure_status status = s.trigger_and_wait(a, &other, &json);
  if (status == PERDURE_OK || status == PERDURE_CHILD_FAILED) return s.set_result(a, json);
  return status;
}

TEST(Harness, LetsTheTestStandForTheTasksThatAreWaitedFor) {
  const Result outcome = run(ask_other, {.children = {{"other", [](const json::value& in) { return in.at(0); }}}});
  EXPECT_EQ(outcome.output<int>(), 1);
  ASSERT_EQ(outcome.children.size(), 1u);
  EXPECT_EQ(outcome.children[0].task, "other");
  EXPECT_EQ(outcome.children[0].payload, json::array{1});
  EXPECT_TRUE(outcome.children[0].waited);
}

TEST(Harness, FailsAChildByTheExceptionOfTheTest) {
  const auto fails = [](const json::value&) -> json::value { throw Error("CardDeclined", "no money"); };
  const json::value error = run(ask_other, {.children = {{"other", fails}}}).output();
  EXPECT_EQ(error.at("name"), "CardDeclined");
  EXPECT_EQ(error.at("runId"), "child_1");
}

TEST(Harness, KnowsNoTaskToWaitForThatTheTestDoesNotName) {
  const Result outcome = run(ask_other);
  EXPECT_EQ(outcome.status, PERDURE_NOT_FOUND);
  EXPECT_NE(outcome.error().message.find("name it in Options::children"), std::string::npos);
}

TEST(Harness, DoesNotTriggerAgainWhatIsRecorded) {
  const Options options{.children = {{"other", [](const json::value&) { return json::value(1); }}}};
  Options later = options;
  later.recorded = run(ask_other, options).steps;
  const Result second = run(ask_other, later);
  EXPECT_EQ(second.output<int>(), 1);
  EXPECT_TRUE(second.children.empty());
}

TEST(Harness, KeepsChildrenOfASuccessOnlyWhenThereIsOne) {
  const auto triggers = [](const auto* a, const auto& s) -> perdure_status {
    const perdure_trigger always = trigger_of(PERDURE_STR("always"), {});
    const perdure_trigger then = trigger_of(PERDURE_STR("then"), {}, PERDURE_STR(R"({"when":"on_success"})"));
    perdure_str id{};
    EXPECT_EQ(s.trigger(a, &always, &id), PERDURE_OK);
    EXPECT_EQ(text(id), "child_1");
    EXPECT_EQ(s.trigger(a, &then, &id), PERDURE_OK);
    return a->number == 1 ? PERDURE_FAILED : PERDURE_OK;
  };
  EXPECT_EQ(run(triggers).children.size(), 1u);
  EXPECT_EQ(run(triggers, {.attempt = 2}).children.size(), 2u);
}

TEST(Harness, TriggersBatches) {
  const auto batch = [](const auto* a, const auto& s) -> perdure_status {
    const perdure_trigger one = trigger_of(PERDURE_STR("one"), PERDURE_STR("1"));
    const perdure_trigger two = trigger_of(PERDURE_STR("two"), PERDURE_STR("2"));
    const perdure_trigger* const both[] = {&one, &two};
    perdure_str json{};
    EXPECT_EQ(s.batch_trigger(a, both, 2, &json), PERDURE_OK);
    EXPECT_EQ(text(json), R"({"id":"batch_1","runs":["child_1","child_2"]})");
    EXPECT_EQ(s.batch_trigger_and_wait(a, both, 2, &json), PERDURE_OK);
    return s.set_result(a, json);
  };
  const Result outcome = run(batch, {.children = {
                                         {"one", [](const json::value&) { return json::value("first"); }},
                                         {"two", [](const json::value&) -> json::value { throw Abort("no"); }},
                                     }});
  const json::value ends = outcome.output();
  EXPECT_EQ(ends.at(0), (json::value{{"ok", true}, {"runId", "child_3"}, {"output", "first"}}));
  EXPECT_EQ(ends.at(1).at("error").at("name"), "perdure::Abort");
}

// Two long waits.
perdure_status wait_twice(const perdure_attempt* a, const perdure_services& s) {
  if (const auto status = s.wait_for(a, 3'600'000); status != PERDURE_OK) return status;
  if (const auto status = s.wait_until(a, 86'400'000); status != PERDURE_OK) return status;
  return s.set_result(a, PERDURE_STR("\"done\""));
}

TEST(Harness, LetsNoTimePassInWaits) {
  const Result outcome = run(wait_twice, {.now = Instant(0ms)});
  EXPECT_TRUE(outcome.succeeded());
  EXPECT_EQ(outcome.now, Instant(24h));
}

TEST(Harness, SuspendsAtAWaitAndGoesOnAfterIt) {
  Result outcome = run(wait_twice, {.evict_waits = true});
  for (int replay = 1; replay <= 2; ++replay) {
    EXPECT_TRUE(outcome.suspended());
    EXPECT_EQ(outcome.steps.size(), static_cast<std::size_t>(replay));
    outcome = run(wait_twice, {.replay = replay, .recorded = outcome.steps, .evict_waits = true});
  }
  EXPECT_EQ(outcome.output<std::string>(), "done");
}

TEST(Harness, CancelsAnAttemptThatWaits) {
  EXPECT_TRUE(run(wait_twice, {.cancelled = true}).cancelled());
  EXPECT_FALSE(run(wait_twice, {.cancelled = true}).retried);
}

// Creates a token and gives back what it was completed with.
perdure_status await_token(const perdure_attempt* a, const perdure_services& s) {
  perdure_str json{};
  if (const auto status = s.token_create(a, PERDURE_STR(R"({"timeoutMs":5000})"), &json); status) return status;
  EXPECT_EQ(json::parse(text(json)).at("id"), "token_1");
  if (const auto status = s.token_wait(a, PERDURE_STR("token_1"), &json); status) return status;
  return s.set_result(a, json);
}

TEST(Harness, CompletesTokensByTheTestOrLetsThemTimeOut) {
  EXPECT_EQ(run(await_token, {.tokens = {{"token_1", "approved"}}}).output<std::string>(), "approved");
  const Result late = run(await_token, {.now = Instant(0ms)});
  EXPECT_EQ(late.status, PERDURE_TIMED_OUT);
  EXPECT_EQ(late.now, Instant(5s));
}

TEST(Harness, KeepsTheFirstValueOfAToken) {
  const Result outcome = run([](const auto* a, const auto& s) -> perdure_status {
    perdure_str json{};
    EXPECT_EQ(s.token_complete(a, PERDURE_STR("token_1"), PERDURE_STR("0")), PERDURE_NOT_FOUND);
    EXPECT_EQ(s.token_create(a, {}, &json), PERDURE_OK);
    EXPECT_EQ(s.token_complete(a, PERDURE_STR("token_1"), PERDURE_STR("1")), PERDURE_OK);
    EXPECT_EQ(s.token_complete(a, PERDURE_STR("token_1"), PERDURE_STR("2")), PERDURE_OK);
    EXPECT_EQ(s.token_wait(a, PERDURE_STR("token_1"), &json), PERDURE_OK);
    return s.set_result(a, json);
  });
  EXPECT_EQ(outcome.output<int>(), 1);
  EXPECT_EQ(outcome.tokens.at("token_1"), 1);
}

TEST(Harness, SaysWhyAHostWouldRefuseAPlugin) {
  const Plugin silent([](const perdure_registrar*) -> perdure_status { return PERDURE_OK; });
  EXPECT_EQ(silent.refusal(), "the plugin registers no task and no hook");
  EXPECT_THROW((void)silent.task("task"), std::out_of_range);
  const Plugin missing("/no/such/plugin.so");
  EXPECT_NE(missing.refusal().find("/no/such/plugin.so"), std::string::npos);
}

TEST(Harness, TakesAPluginOfAnOlderMinorVersion) {
  const Plugin plugin(std::string(PERDURE_TEST_PLUGIN_DIR "/../fixtures/minor_0/minor_0.so"));
  ASSERT_EQ(plugin.refusal(), "");
  EXPECT_FALSE(plugin.has_self_test());
  EXPECT_EQ(plugin.task("minor-0").run().output<std::string>(), "hello from minor 0");
}

TEST(Harness, CallsTheHooksOfThePluginAroundItsTasks) {
  static constexpr Hooks around{.on_start_attempt = [](const json::value&, Attempt& run) { run.log.info("outer"); }};
  static constexpr Task<> task{
      .id = "task",
      .run = [](None, Attempt&) { return None{}; },
      .on_start_attempt = [](const None&, Attempt& run) { run.log.info("inner"); },
      .on_cancel = [](const None&, Attempt& run) { run.log.info("cancelled"); },
  };
  const Plugin plugin([](const perdure_registrar* registrar) {
    return perdure::detail::register_all<around, task>(registrar, "tests", "1");
  });
  const Result outcome = plugin.task("task").run();
  ASSERT_EQ(outcome.logs.size(), 2u);
  EXPECT_EQ(outcome.logs[0].message, "outer");
  EXPECT_EQ(outcome.logs[1].message, "inner");
  EXPECT_NE(plugin.task("task").run(nullptr, {.cancelled = true}).find_log("cancelled"), nullptr);
}

}  // namespace
}  // namespace perdure::test
