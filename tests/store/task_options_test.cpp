// The options document of a task, and what is said about a wrong one.
#include "store/model/task_options.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <fstream>
#include <iterator>
#include <string>

#include "store/model/nearest.h"

namespace perdure::store {
namespace {

Result<TaskOptions> parse(std::string_view json, bool newer_minor = false) {
  return parse_task_options(TaskId("hello"), json, newer_minor);
}

TEST(TaskOptions, AnEmptyDocumentMeansTheDefaults) {
  for (const char* text : {"", "{}"}) {
    const TaskOptions options = parse(text).value();
    EXPECT_EQ(options.retry, RetryPolicy());
    EXPECT_TRUE(options.queue.empty());
    EXPECT_FALSE(options.concurrency_limit);
    EXPECT_EQ(options.machine, "");
    EXPECT_FALSE(options.max_duration);
    EXPECT_FALSE(options.ttl);
    EXPECT_FALSE(options.cron);
    EXPECT_EQ(options.recycle_after, 1u);
    EXPECT_EQ(options.document, "{}");
  }
}

TEST(TaskOptions, EveryOptionIsRead) {
  const std::string document = R"({
    "description": "Greets", "payloadSchema": {"type": "object"}, "version": "latest",
    "retry": {"maxAttempts": 7, "factor": 1.5, "minTimeoutMs": 10, "maxTimeoutMs": 20, "randomize": false,
              "on": {"error": false, "crash": {"maxAttempts": 2}, "outOfMemory": false, "stalled": false, "timeout": true},
              "outOfMemory": {"machine": "auto"}},
    "queue": {"name": "mail", "concurrencyLimit": 3, "rateLimit": {"limit": 5, "periodMs": 1000}},
    "machine": "large-2x", "maxDurationMs": 5000, "ttlMs": 0,
    "cron": {"pattern": "0 * * * *", "timezone": "Europe/Berlin", "window": "50%", "catchUp": "all", "overlap": "skip"},
    "recycleAfter": 1000, "evictWaitsAfterMs": 60000})";
  const Result<TaskOptions> parsed = parse(document);
  ASSERT_TRUE(parsed) << parsed.status().message();
  EXPECT_EQ(parsed->description, "Greets");
  EXPECT_EQ(parsed->payload_schema, R"({"type":"object"})");
  RetryPolicy retry;
  retry.max_attempts = 7;
  retry.factor = 1.5;
  retry.min_timeout = Duration(10);
  retry.max_timeout = Duration(20);
  retry.randomize = false;
  retry.on_error = retry.on_out_of_memory = retry.on_stalled = false;
  retry.on_timeout = true;
  retry.crash_attempts = 2;
  retry.out_of_memory_machine = "auto";
  EXPECT_EQ(parsed->retry, retry);
  EXPECT_EQ(parsed->queue, QueueName("mail"));
  EXPECT_EQ(parsed->concurrency_limit, 3u);
  EXPECT_EQ(parsed->machine, "large-2x");
  EXPECT_EQ(parsed->max_duration, std::chrono::seconds(5));
  EXPECT_EQ(parsed->ttl, Duration(0));
  const ScheduleRule cron{"0 * * * *", "Europe/Berlin", "50%", CatchUp::kAll, Overlap::kSkip};
  EXPECT_EQ(parsed->cron, cron);
  EXPECT_EQ(parsed->recycle_after, 1000u);
  EXPECT_EQ(parsed->document, document);
}

TEST(TaskOptions, AMaximumDurationOfZeroIsNoneAndTheMachineAfterWantOfMemoryIsKept) {
  EXPECT_EQ(parse(R"({"maxDurationMs": 0})")->max_duration, Duration(0));
  EXPECT_FALSE(parse("{}")->max_duration);
  EXPECT_EQ(parse("{}")->retry.out_of_memory_machine, "");
  EXPECT_EQ(parse(R"({"retry": {"outOfMemory": {"machine": "auto"}}})")->retry.out_of_memory_machine, "auto");
  EXPECT_EQ(
      parse(R"({"retry": {"outOfMemory": {"machine": {"cpu": 2, "memory": 300000000}}}})")->retry.out_of_memory_machine,
      "2/300000000");
}

TEST(TaskOptions, AMachineMayBeASizeOfItsOwn) {
  const Result<TaskOptions> parsed = parse(R"({"machine": {"cpu": 0.5, "memory": 536870912}})");
  ASSERT_TRUE(parsed) << parsed.status().message();
  EXPECT_EQ(parsed->machine, "0.5/536870912");
}

TEST(TaskOptions, ACoreFileIsKeptWhereItIsAskedFor) {
  EXPECT_FALSE(parse(R"({})")->core_of_last_attempt);
  EXPECT_TRUE(parse(R"({"diagnostics": {"lastAttempt": "core"}})")->core_of_last_attempt);
}

TEST(TaskOptions, ASandboxDeniesWhatItNamesAndNothingElse) {
  EXPECT_EQ(parse(R"({})")->sandbox, (Sandbox{.network = true, .exec = true}));
  EXPECT_EQ(parse(R"({"sandbox": {"network": false}})")->sandbox, (Sandbox{.network = false, .exec = true}));
  EXPECT_EQ(parse(R"({"sandbox": {"exec": false}})")->sandbox, (Sandbox{.network = true, .exec = false}));
}

struct Wrong {
  const char* document;
  const char* message;  // after: task "hello":
};
const Wrong kWrong[] = {
    {R"({"maxDuration": 5000})", "option maxDuration is unknown; the nearest known one is maxDurationMs"},
    {R"({"retry": {"max_attempts": 2}})",
     "option retry.max_attempts is unknown; the nearest known one is retry.maxAttempts"},
    {R"({"retry": {"on": {"oom": true}}})", "option retry.on.oom is unknown; the nearest known one is retry.on."},
    {R"({"cron": {"pattern": "61 * * * *"}})",
     R"(option cron: the cron pattern "61 * * * *": "61" in its minute field is wrong: expected 0-59)"},
    {R"({"cron": {"pattern": "@daily", "timezone": "Europe/Berln"}})",
     R"(option cron: there is no time zone "Europe/Berln"; expected an IANA name such as Europe/Berlin)"},
    {R"({"cron": {"pattern": "@daily", "window": "101%"}})",
     R"(option cron: "101%" is no window; expected a duration)"},
    {R"({"cron": {"patern": "* * * * *"}})", "option cron.pattern is missing; cron needs it"},
    {R"({"retry": {"maxAttempts": 0}})", "option retry.maxAttempts must be a whole number from 1 to 1000, not 0"},
    {R"({"retry": {"maxAttempts": "3"}})", "option retry.maxAttempts must be a whole number from 1 to 1000, not \"3\""},
    {R"({"retry": {"maxAttempts": 3.0}})", "option retry.maxAttempts must be a whole number"},
    {R"({"retry": {"factor": 0.5}})", "option retry.factor must be a number from 1 to 1000, not 5E-1"},
    {R"({"retry": 3})", "option retry must be an object, not 3"},
    {R"({"retry": {"on": {"crash": "yes"}}})", "option retry.on.crash must be true, false or an object of maxAttempts"},
    {R"({"retry": {"on": {"crash": {}}}})", "option retry.on.crash.maxAttempts is missing"},
    {R"({"maxDurationMs": 4999})", "option maxDurationMs must be a whole number from 5000"},
    {R"({"ttlMs": -1})", "option ttlMs must be a whole number from 0"},
    {R"({"machine": "huge"})", "option machine must be an object of cpu and memory, or one of \"micro\""},
    {R"({"machine": "auto"})", "option machine must be"},
    {R"({"machine": {"cpu": 1}})", "option machine.memory is missing; machine needs it"},
    {R"({"machine": {"cpu": 0, "memory": 16777216}})", "option machine.cpu must be more than 0"},
    {R"({"machine": {"cpu": 1, "memory": 1}})", "option machine.memory must be a whole number of at least 16777216"},
    {R"({"version": "newest"})", "option version must be one of \"locked\" \"latest\", not \"newest\""},
    {R"({"queue": {"name": ""}})", "option queue.name must be a text of 1 to 128 characters"},
    {R"({"queue": {"concurrencyLimit": 0}})", "option queue.concurrencyLimit must be"},
    {R"({"recycleAfter": true})", "option recycleAfter must be a whole number from 1 to 1000000, not true"},
    {R"({"payloadSchema": "string"})", "option payloadSchema must be an object, true or false"},
    {R"({"sandbox": {"network": "no"}})", "option sandbox.network must be true or false, not \"no\""},
    {R"({"sandbox": {"files": false}})", "option sandbox.files is unknown"},
    {R"({"diagnostics": {"lastAttempt": "log"}})", "option diagnostics.lastAttempt must be"},
    {R"([])", "the options must be a JSON object"},
    {R"({"ttlMs": 1)", "the options document is not acceptable JSON"},
    {"{\"description\": \"\xff\"}", "the options document is not acceptable JSON"},
};

TEST(TaskOptions, AWrongOneIsNamedByItsPathWithWhatWasExpected) {
  for (const Wrong& wrong : kWrong) {
    const Result<TaskOptions> parsed = parse(wrong.document);
    ASSERT_FALSE(parsed) << wrong.document;
    EXPECT_EQ(parsed.status().code(), Code::kInvalid) << wrong.document;
    const std::string message = std::string("task \"hello\": ") + wrong.message;
    EXPECT_EQ(parsed.status().message().substr(0, message.size()), message) << wrong.document;
  }
}

TEST(TaskOptions, UnknownKeysOfANewerMinorAreLeftAlone) {
  EXPECT_TRUE(parse(R"({"colour": "red", "retry": {"jitter": 1}})", true));
  EXPECT_FALSE(parse(R"({"colour": "red", "retry": {"maxAttempts": 0}})", true));
}

TEST(TaskOptions, NumbersKeepWithinWhatTimesCanHold) {
  EXPECT_FALSE(parse(R"({"ttlMs": 9223372036854775807})"));
  EXPECT_FALSE(parse(R"({"ttlMs": 1e300})"));
}

// Whether the parser knows every property of `schema`, whose object stands at `open` … `close` in the document: given
// null, it complains about the value, not about the key.
void expect_known(const boost::json::object& schema, const std::string& open, const std::string& close) {
  for (const auto& [key, property] : schema.at("properties").as_object()) {
    const std::string name(key);
    const Result<TaskOptions> parsed = parse(open + "{\"" + name + "\": null}" + close);
    ASSERT_FALSE(parsed) << open << name;
    EXPECT_EQ(parsed.status().message().find("unknown"), std::string::npos) << parsed.status().message();
    const boost::json::object& inner = property.as_object();
    if (inner.contains("properties")) expect_known(inner, open + "{\"" + name + "\": ", "}" + close);
  }
}

TEST(TaskOptions, TheSchemaNamesNoOptionThatTheParserDoesNotKnow) {
  std::ifstream file(PERDURE_SOURCE_DIR "/plugin-api/options.schema.json");
  const std::string schema{std::istreambuf_iterator<char>(file), {}};
  expect_known(boost::json::parse(schema).as_object(), "", "");
}

TEST(NearestName, IsTheOneWithTheFewestChanges) {
  const std::string_view known[] = {"maxAttempts", "minTimeoutMs", "factor"};
  EXPECT_EQ(nearest_name("maxAttemps", known), "maxAttempts");
  EXPECT_EQ(nearest_name("MAXATTEMPTS", known), "maxAttempts");
  EXPECT_EQ(nearest_name("factors", known), "factor");
  EXPECT_EQ(nearest_name("", known), "factor");
  EXPECT_EQ(nearest_name("x", {}), "");
  EXPECT_EQ(nearest_name("facto", known, 1), "factor");
  EXPECT_EQ(nearest_name("fact", known, 1), "") << "too far";
}

}  // namespace
}  // namespace perdure::store
