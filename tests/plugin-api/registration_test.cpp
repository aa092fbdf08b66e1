// What PERDURE_PLUGIN tells the host: the plugin, each task with its options document, hooks.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <fstream>
#include <iterator>
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

constexpr Task<> bare{.id = "bare", .run = [](None, Attempt&) { return None{}; }};
constexpr Task<Order, int> full{
    .id = "full",
    .description = "Everything at once",
    .version = Version::kLatest,
    .queue = {.name = "payments", .concurrency_limit = 4, .rate_limit = {.limit = 10, .period = 1s}},
    .retry = {.max_attempts = 5,
              .factor = 1.5,
              .min_timeout = 250ms,
              .max_timeout = 30s,
              .randomize = false,
              .on = {.error = attempts(2), .crash = false, .timeout = true},
              .out_of_memory = {.machine = "auto"}},
    .machine = "small-2x",
    .max_duration = 5min,
    .ttl = 0ms,
    .cron = {.pattern = "0 3 * * *",
             .timezone = "Europe/Paris",
             .window = "30m",
             .catch_up = CatchUp::kAll,
             .overlap = Overlap::kQueueOne},
    .recycle_after = 100,
    .evict_waits_after = 1h,
    .run = [](Order, Attempt&) { return 1; },
    .on_success = [](const Order&, const int&, Attempt&) {},
    .cleanup = [](const Order&, Attempt&) {},
};
constexpr Task<Order> own_machine{
    .id = "own-machine", .machine = Machine(0.5, 768 * kMiB), .payload_schema = "true", .run = [](Order, Attempt&) {
      return None{};
    }};
constexpr Hooks around{.on_start = [](const json::value&, Attempt&) {}};
constexpr Hooks everywhere{.global = true, .on_complete = [](const json::value&, const json::value&, Attempt&) {}};

perdure_status register_some(const perdure_registrar* registrar) {
  return perdure::detail::register_all<around, bare, full, own_machine, everywhere>(registrar, "shop", "2.1.0");
}

TEST(Registration, DeclaresThePluginAndItsTasks) {
  FakeHost host;
  ASSERT_EQ(host.load(register_some), PERDURE_OK);
  EXPECT_EQ(host.plugin, "shop");
  EXPECT_EQ(host.version, "2.1.0");
  EXPECT_EQ(host.tasks.size(), 3u);
}

TEST(Registration, LeavesOutWhatTheAuthorLeftOut) {
  FakeHost host;
  ASSERT_EQ(host.load(register_some), PERDURE_OK);
  EXPECT_EQ(host.tasks["bare"].options, "{}");
  EXPECT_EQ(host.tasks["bare"].hooks.struct_size, 0u);
}

TEST(Registration, WritesEveryOption) {
  FakeHost host;
  ASSERT_EQ(host.load(register_some), PERDURE_OK);
  EXPECT_EQ(json::parse(host.tasks["full"].options), json::parse(R"({
    "description": "Everything at once",
    "version": "latest",
    "queue": {"name": "payments", "concurrencyLimit": 4, "rateLimit": {"limit": 10, "periodMs": 1000}},
    "retry": {"maxAttempts": 5, "factor": 1.5, "minTimeoutMs": 250, "maxTimeoutMs": 30000, "randomize": false,
              "on": {"error": {"maxAttempts": 2}, "crash": false, "timeout": true}, "outOfMemory": {"machine": "auto"}},
    "machine": "small-2x",
    "maxDurationMs": 300000,
    "ttlMs": 0,
    "cron": {"pattern": "0 3 * * *", "timezone": "Europe/Paris", "window": "30m", "catchUp": "all",
             "overlap": "queue_one"},
    "recycleAfter": 100,
    "evictWaitsAfterMs": 3600000,
    "payloadSchema": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
  })"));
  EXPECT_EQ(json::parse(host.tasks["own-machine"].options),
            json::parse(R"({"machine": {"cpu": 0.5, "memory": 805306368}, "payloadSchema": true})"));
}

TEST(Registration, WritesOnlyOptionsThatTheSchemaKnows) {
  std::ifstream in(PERDURE_OPTIONS_SCHEMA);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const json::value schema = json::parse(text);
  FakeHost host;
  ASSERT_EQ(host.load(register_some), PERDURE_OK);
  const json::value options = json::parse(host.tasks["full"].options);
  const auto& known = schema.at("properties").as_object();
  for (const auto& option : options.as_object()) {
    ASSERT_TRUE(known.contains(option.key())) << option.key();
    const json::object* inner = known.at(option.key()).as_object().contains("properties")
                                    ? known.at(option.key()).at("properties").if_object()
                                    : nullptr;
    if (inner == nullptr) continue;
    for (const auto& member : option.value().as_object()) EXPECT_TRUE(inner->contains(member.key())) << member.key();
  }
  EXPECT_EQ(options.as_object().size(), known.size()) << "the task above should use every option there is";
}

TEST(Registration, NamesTheHooksATaskHasAndNoOther) {
  FakeHost host;
  ASSERT_EQ(host.load(register_some), PERDURE_OK);
  const perdure_hooks& hooks = host.tasks["full"].hooks;
  EXPECT_EQ(hooks.struct_size, sizeof(perdure_hooks));
  EXPECT_NE(hooks.on_success, nullptr);
  EXPECT_NE(hooks.cleanup, nullptr);
  EXPECT_EQ(hooks.on_start, nullptr);
  EXPECT_EQ(hooks.middleware, nullptr);
}

TEST(Registration, PutsHooksAroundThePluginOrTheHost) {
  FakeHost host;
  ASSERT_EQ(host.load(register_some), PERDURE_OK);
  ASSERT_EQ(host.hooks.size(), 2u);
  EXPECT_EQ(host.hooks[0].flags, 0u);
  EXPECT_NE(host.hooks[0].hooks.on_start, nullptr);
  EXPECT_EQ(host.hooks[1].flags, PERDURE_HOOKS_GLOBAL);
  EXPECT_NE(host.hooks[1].hooks.on_complete, nullptr);
}

TEST(Registration, EndsWithTheFirstRefusal) {
  FakeHost host;
  host.refused = "bare";
  EXPECT_EQ(host.load(register_some), PERDURE_INVALID);
  EXPECT_TRUE(host.tasks.empty());
}

}  // namespace
}  // namespace perdure::test
