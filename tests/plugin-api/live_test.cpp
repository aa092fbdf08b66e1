// What a task tells while it executes, through the SDK: metadata, tags, streams and the runs it triggers.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <perdure/testing.hpp>

using namespace std::chrono_literals;

namespace perdure::test {
namespace {

using perdure::testing::Options;
using perdure::testing::Plugin;
using perdure::testing::Result;

struct Order {
  std::string id;
  int items = 0;
};
BOOST_DESCRIBE_STRUCT(Order, (), (id, items))

constexpr Task<Order> child{.id = "child", .run = [](Order, Attempt&) { return None{}; }};

// The attempt does what a test has set.
void (*body)(Attempt& run) = nullptr;
constexpr Task<> task{.id = "task", .run = [](None, Attempt& run) {
                        body(run);
                        return None{};
                      }};

Result run(void (*what)(Attempt&), const Options& options = {}) {
  static const Plugin plugin([](const perdure_registrar* registrar) {
    return perdure::detail::register_all<task, child>(registrar, "tests", "1");
  });
  body = what;
  return plugin.task("task").run(nullptr, options);
}

TEST(Live, MetadataTakesEveryTypeThatJsonHas) {
  const Result result = run([](Attempt& attempt) {
    attempt.metadata.set("status", "loading");
    attempt.metadata.set("order", Order{"a7", 3});
    attempt.metadata.increment("done");
    attempt.metadata.increment("done", 0.5);
    attempt.metadata.append("seen", 1);
    attempt.metadata.append("seen", std::string("two"));
    attempt.metadata.append("seen", 1);
    attempt.metadata.remove("seen", 1);
    attempt.metadata.set("gone", true);
    attempt.metadata.del("gone");
    attempt.metadata.set("$.order.items", 4);
    attempt.metadata.increment("$.totals.cents", 250);
  });
  ASSERT_TRUE(result.succeeded()) << result.describe();
  EXPECT_EQ(to_json(result.metadata),
            R"({"status":"loading","order":{"id":"a7","items":4},"done":1.5,"seen":["two"],"totals":{"cents":250}})");
}

TEST(Live, MetadataOfParentAndRootIsTheRunsOwnWithoutAParent) {
  const auto tell = [](Attempt& attempt) {
    attempt.metadata.parent().set("p", 1);
    attempt.metadata.root().append("r", 2);
  };
  EXPECT_EQ(to_json(run(tell).metadata), R"({"p":1,"r":[2]})");
  const Result with_parent = run(tell, {.has_parent = true});
  EXPECT_EQ(to_json(with_parent.metadata), "{}");
  EXPECT_EQ(to_json(with_parent.parent_metadata), R"({"p":1})");
  EXPECT_EQ(to_json(with_parent.root_metadata), R"({"r":[2]})");
}

TEST(Live, MetadataThatDoesNotFitAbortsTheRunAndCanBeCaught) {
  const Result aborted = run([](Attempt& attempt) {
    attempt.metadata.set("list", 1);
    attempt.metadata.append("list", 2);
  });
  EXPECT_TRUE(aborted.aborted());
  EXPECT_NE(aborted.error().message.find("\"list\""), std::string::npos) << aborted.error().message;
  const Result large = run([](Attempt& attempt) {
    try {
      attempt.metadata.set("large", std::string(300'000, 'x'));
    } catch (const Abort& e) {
      attempt.log.warn(e.what());
    }
  });
  EXPECT_TRUE(large.succeeded());
  EXPECT_NE(large.find_log("256 KB"), nullptr);
}

TEST(Live, TagsAreAddedAllOrNone) {
  const Result result = run(
      [](Attempt& attempt) {
        attempt.add_tags({"a", "b"});
        attempt.add_tags(std::vector<std::string>{"b", "c"});
        try {
          attempt.add_tags({"d", ""});
        } catch (const Abort&) {
          attempt.log.info("refused");
        }
      },
      {.tags = {"first"}});
  EXPECT_EQ(result.tags, (std::vector<std::string>{"first", "a", "b", "c"}));
  EXPECT_NE(result.find_log("refused"), nullptr);
}

TEST(Live, AStreamTakesTextAndJsonAndCutsWhatIsTooLongBetweenCharacters) {
  const Result result = run([](Attempt& attempt) {
    const Stream lines = attempt.stream("lines");
    lines.append("one\n");
    lines.append_json(Order{"a7", 1});
    std::string accents;
    for (int i = 0; i < 600'000; ++i) accents += "\xc3\xa9";
    attempt.stream("long").append("x" + accents);
  });
  EXPECT_EQ(result.streams.at("lines"), (std::vector<std::string>{"one\n", R"({"id":"a7","items":1})"}));
  const std::vector<std::string>& chunks = result.streams.at("long");
  ASSERT_EQ(chunks.size(), 2u);
  EXPECT_EQ(chunks[0].size(), (1u << 20) - 1) << "a character was cut";
  EXPECT_EQ(chunks[0].size() + chunks[1].size(), 1'200'001u);
}

TEST(Live, ATriggerSaysWhatIsAskedAndGivesTheChildsId) {
  const Result result = run([](Attempt& attempt) {
    const RunHandle first = attempt.trigger(child, {.id = "a7", .items = 2});
    const RunHandle second = attempt.trigger("elsewhere", json::value{{"k", 1}},
                                             {.delay = 5min,
                                              .ttl = 0ms,
                                              .idempotency_key = "once",
                                              .idempotency_scope = KeyScope::kGlobal,
                                              .queue = "q",
                                              .concurrency_key = "c",
                                              .priority = 10s,
                                              .max_attempts = 2,
                                              .max_duration = 1min,
                                              .machine = "small-2x",
                                              .tags = {"t"},
                                              .metadata = {{"m", 1}},
                                              .allow_pending = true});
    attempt.log.info(first.id + " " + second.id);
  });
  ASSERT_TRUE(result.succeeded()) << result.describe();
  EXPECT_NE(result.find_log("child_1 child_2"), nullptr);
  ASSERT_EQ(result.children.size(), 2u);
  EXPECT_EQ(to_json(result.children[0].payload), R"({"id":"a7","items":2})");
  EXPECT_TRUE(result.children[0].options.empty());
  EXPECT_EQ(to_json(result.children[1].options),
            R"({"delayMs":300000,"ttlMs":0,"idempotencyKey":"once","idempotencyKeyScope":"global","queue":"q",)"
            R"("concurrencyKey":"c","priority":10,"maxAttempts":2,"maxDurationMs":60000,"machine":"small-2x",)"
            R"("tags":["t"],"metadata":{"m":1},"allowPending":true})");
}

TEST(Live, ATriggerMayBeDebounced) {
  const Result result = run([](Attempt& attempt) {
    attempt.trigger(child, {}, {.debounce = Debounce{.key = "k", .delay = 5s}});
    attempt.trigger(
        child, {}, {.debounce = Debounce{.key = "k", .delay = 5s, .mode = DebounceMode::kTrailing, .max_delay = 1min}});
  });
  ASSERT_EQ(result.children.size(), 2u) << result.describe();
  EXPECT_EQ(to_json(result.children[0].options), R"({"debounce":{"key":"k","delayMs":5000}})");
  EXPECT_EQ(to_json(result.children[1].options),
            R"({"debounce":{"key":"k","delayMs":5000,"mode":"trailing","maxDelayMs":60000}})");
}

TEST(Live, ALaterAttemptGetsTheChildrenThatAnEarlierOneTriggered) {
  const auto trigger_two = [](Attempt& attempt) {
    attempt.trigger(child, {});
    attempt.log.info(attempt.trigger(child, {}).id);
  };
  const Result first = run([](Attempt& attempt) { attempt.trigger(child, {}); });
  const Result second = run(trigger_two, {.attempt = 2, .recorded = first.steps});
  EXPECT_EQ(second.children.size(), 1u) << "the first one was triggered before";
  EXPECT_NE(second.find_log("child_2"), nullptr);
}

// ---- Batches --------------------------------------------------------------------------------------------------------

TEST(Batches, TriggerManyRunsOfOneTaskOrOfSeveral) {
  const Result result = run([](Attempt& attempt) {
    const BatchHandle same =
        attempt.batch_trigger(child, {{.id = "a", .items = 1}, {.id = "b", .items = 2}}, {.tags = {"t"}});
    const BatchHandle mixed =
        attempt.batch_trigger({item(child, {.id = "c"}, {.delay = 5min}), item("elsewhere", json::value{{"k", 1}})});
    attempt.log.info(same.id + " " + same.runs.at(1).id + " " + mixed.id + " " + mixed.runs.at(1).id);
  });
  ASSERT_TRUE(result.succeeded()) << result.describe();
  EXPECT_NE(result.find_log("batch_1 child_2 batch_2 child_4"), nullptr);
  ASSERT_EQ(result.children.size(), 4u);
  EXPECT_EQ(to_json(result.children[1].payload), R"({"id":"b","items":2})");
  EXPECT_EQ(to_json(result.children[1].options), R"({"tags":["t"]})");
  EXPECT_EQ(to_json(result.children[2].options), R"({"delayMs":300000})");
  EXPECT_EQ(result.children[3].task, "elsewhere");
  EXPECT_EQ(to_json(result.children[3].payload), R"({"k":1})");
}

TEST(Batches, AreOneDurableCallEach) {
  const auto batches = [](Attempt& attempt) {
    attempt.log.info(attempt.batch_trigger(child, {{}, {}}).id);
    attempt.step("next", [] {});
  };
  const Result first = run(batches);
  ASSERT_EQ(first.steps.size(), 2u) << first.describe();
  const Result second = run(batches, {.attempt = 2, .recorded = first.steps});
  EXPECT_TRUE(second.children.empty()) << "triggered before";
  EXPECT_NE(second.find_log("batch_1"), nullptr);
  const Result inside = run([](Attempt& attempt) { attempt.step("s", [&] { attempt.batch_trigger(child, {{}}); }); });
  EXPECT_NE(inside.error().message.find("inside the step"), std::string::npos) << inside.describe();
  EXPECT_FALSE(run([](Attempt& attempt) { attempt.batch_trigger(std::vector<BatchItem>()); }).succeeded());
}

TEST(Batches, GiveWhatCameOfEachRunInOrderToWhoWaitsForThem) {
  const auto waits = [](Attempt& attempt) {
    const auto ends = attempt.batch_trigger_and_wait({item("double", 4), item("refuses", 1), item("double", 5)});
    EXPECT_EQ(ends.size(), 3u);
    EXPECT_EQ(ends[0].value().to_number<int>(), 8);
    EXPECT_FALSE(ends[1].ok());
    EXPECT_EQ(ends[1].error().name, "Refused");
    EXPECT_EQ(ends[2].unwrap().to_number<int>(), 10);
    EXPECT_THROW(ends.unwrap(), RunFailed);
  };
  const Options options{
      .children = {{"double", [](const json::value& n) { return n.to_number<int>() * 2; }},
                   {"refuses", [](const json::value&) -> json::value { throw Error("Refused", "no"); }}}};
  const Result first = run(waits, options);
  ASSERT_TRUE(first.succeeded()) << first.describe();
  ASSERT_EQ(first.steps.size(), 1u) << "one durable call";
  Options later = options;
  later.attempt = 2;
  later.recorded = first.steps;
  const Result second = run(waits, later);
  EXPECT_TRUE(second.succeeded()) << second.describe();
  EXPECT_TRUE(second.children.empty());
}

TEST(Batches, MayComeWithTheSuccessOfTheAttempt) {
  const Result result = run([](Attempt& attempt) {
    attempt.trigger(child, {}, {.when = When::kOnSuccess});
    attempt.batch_trigger(child, {{}}, {.when = When::kOnSuccess});
  });
  ASSERT_EQ(result.children.size(), 2u) << result.describe();
  for (const auto& each : result.children) EXPECT_EQ(to_json(each.options), R"({"when":"on_success"})");
}

// ---- Steps ----------------------------------------------------------------------------------------------------------

TEST(Steps, GiveTheirResultAndALaterAttemptGetsTheRecordedOne) {
  static int done = 0;
  done = 0;
  const auto steps = [](Attempt& attempt) {
    const Order order = attempt.step("order", [] { return Order{"a7", ++done}; });
    attempt.step("nothing", [] { ++done; });
    attempt.log.info(order.id + " " + std::to_string(order.items));
  };
  const Result first = run(steps);
  ASSERT_TRUE(first.succeeded()) << first.describe();
  EXPECT_EQ(done, 2);
  const Result second = run(steps, {.attempt = 2, .recorded = first.steps});
  ASSERT_TRUE(second.succeeded()) << second.describe();
  EXPECT_EQ(done, 2) << "nothing was done again";
  EXPECT_NE(second.find_log("a7 1"), nullptr);
}

TEST(Steps, ThatThrowAreNotRecorded) {
  const Result result =
      run([](Attempt& attempt) { attempt.step("fails", []() -> int { throw std::runtime_error("no"); }); });
  EXPECT_EQ(result.error().message, "no");
  EXPECT_TRUE(result.steps.empty());
}

TEST(Steps, TakeNoDurableCallInside) {
  const Result result = run([](Attempt& attempt) { attempt.step("outer", [&] { attempt.step("inner", [] {}); }); });
  EXPECT_NE(result.error().message.find("inside the step \"outer\""), std::string::npos) << result.describe();
  const Result again = run([](Attempt& attempt) {
    try {
      attempt.step("fails", [&] { attempt.trigger(child, {}); });
    } catch (const Abort&) {
    }
    attempt.step("next", [] {});
  });
  EXPECT_TRUE(again.succeeded()) << "the step that was left is over: " << again.describe();
}

TEST(Steps, RecordedWithAnotherTypeOfResultSaySo) {
  const auto first = run([](Attempt& attempt) { attempt.step("number", [] { return std::string("seven"); }); });
  const auto second =
      run([](Attempt& attempt) { attempt.step("number", [] { return 7; }); }, {.attempt = 2, .recorded = first.steps});
  EXPECT_EQ(second.error().name, "STEP_RESULT_INVALID") << second.describe();
}

}  // namespace
}  // namespace perdure::test
