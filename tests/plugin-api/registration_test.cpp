// What PERDURE_PLUGIN tells the host: the plugin, each task with its options document, hooks.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <perdure/testing.hpp>

using namespace std::chrono_literals;

namespace perdure::test {
namespace {

using perdure::testing::Plugin;

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
    .sandbox = {.network = false, .exec = false},
    .diagnostics = {.last_attempt = LastAttempt::kCore},
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
  const Plugin plugin(register_some);
  ASSERT_EQ(plugin.refusal(), "");
  EXPECT_EQ(plugin.name(), "shop");
  EXPECT_EQ(plugin.version(), "2.1.0");
  EXPECT_EQ(plugin.task_ids(), (std::vector<std::string>{"bare", "full", "own-machine"}));
}

TEST(Registration, LeavesOutWhatTheAuthorLeftOut) {
  const Plugin plugin(register_some);
  ASSERT_EQ(plugin.refusal(), "");
  EXPECT_EQ(plugin.task("bare").options(), json::object());
}

TEST(Registration, WritesEveryOption) {
  const Plugin plugin(register_some);
  ASSERT_EQ(plugin.refusal(), "");
  EXPECT_EQ(json::value(plugin.task("full").options()), json::parse(R"({
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
    "sandbox": {"network": false, "exec": false},
    "diagnostics": {"lastAttempt": "core"},
    "payloadSchema": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
  })"));
  EXPECT_EQ(json::value(plugin.task("own-machine").options()),
            json::parse(R"({"machine": {"cpu": 0.5, "memory": 805306368}, "payloadSchema": true})"));
}

TEST(Registration, WritesOnlyOptionsThatTheSchemaKnows) {
  std::ifstream in(PERDURE_OPTIONS_SCHEMA);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const json::value schema = json::parse(text);
  const Plugin plugin(register_some);
  ASSERT_EQ(plugin.refusal(), "");
  const json::object& options = plugin.task("full").options();
  const auto& known = schema.at("properties").as_object();
  for (const auto& option : options) {
    ASSERT_TRUE(known.contains(option.key())) << option.key();
    const json::object* inner = known.at(option.key()).as_object().contains("properties")
                                    ? known.at(option.key()).at("properties").if_object()
                                    : nullptr;
    if (inner == nullptr) continue;
    for (const auto& member : option.value().as_object()) EXPECT_TRUE(inner->contains(member.key())) << member.key();
  }
  EXPECT_EQ(options.size(), known.size()) << "the task above should use every option there is";
}

// A host that remembers the hooks it is given, and refuses the task named `refused`.
struct HookKeeper {
  HookKeeper() {
    registrar.struct_size = sizeof registrar;
    registrar.host = this;
    registrar.plugin = [](const perdure_registrar*, const perdure_plugin*) -> perdure_status { return PERDURE_OK; };
    registrar.task = [](const perdure_registrar* r, const perdure_task* task) -> perdure_status {
      auto& self = *static_cast<HookKeeper*>(r->host);
      const std::string id(perdure::detail::view(task->id));
      if (id == self.refused) return PERDURE_INVALID;
      self.of_tasks[id] = task->hooks != nullptr ? *task->hooks : perdure_hooks{};
      return PERDURE_OK;
    };
    registrar.hooks = [](const perdure_registrar* r, const perdure_hooks* given,
                         std::uint32_t flags) -> perdure_status {
      static_cast<HookKeeper*>(r->host)->around.emplace_back(*given, flags);
      return PERDURE_OK;
    };
    registrar.fail = [](const perdure_registrar*, perdure_str) {};
  }
  perdure_registrar registrar{};
  std::string refused;
  std::map<std::string, perdure_hooks> of_tasks;
  std::vector<std::pair<perdure_hooks, std::uint32_t>> around;
};

TEST(Registration, NamesTheHooksATaskHasAndNoOther) {
  HookKeeper host;
  ASSERT_EQ(register_some(&host.registrar), PERDURE_OK);
  EXPECT_EQ(host.of_tasks["bare"].struct_size, 0u);
  const perdure_hooks& hooks = host.of_tasks["full"];
  EXPECT_EQ(hooks.struct_size, sizeof(perdure_hooks));
  EXPECT_NE(hooks.on_success, nullptr);
  EXPECT_NE(hooks.cleanup, nullptr);
  EXPECT_EQ(hooks.on_start, nullptr);
  EXPECT_EQ(hooks.middleware, nullptr);
}

TEST(Registration, PutsHooksAroundThePluginOrTheHost) {
  HookKeeper host;
  ASSERT_EQ(register_some(&host.registrar), PERDURE_OK);
  ASSERT_EQ(host.around.size(), 2u);
  EXPECT_EQ(host.around[0].second, 0u);
  EXPECT_NE(host.around[0].first.on_start, nullptr);
  EXPECT_EQ(host.around[1].second, PERDURE_HOOKS_GLOBAL);
  EXPECT_NE(host.around[1].first.on_complete, nullptr);
}

constexpr SelfTest passes{[](Attempt& run) { run.log.info(run.task_id().empty() ? "no task" : "a task"); }};
constexpr SelfTest fails{[](Attempt&) { throw std::runtime_error("the model is missing"); }};

TEST(Registration, DeclaresTheSelfTestWithThePlugin) {
  const Plugin plain(register_some);
  EXPECT_FALSE(plain.has_self_test());
  EXPECT_THROW((void)plain.self_test(), std::logic_error);
  const Plugin tested(
      [](const perdure_registrar* r) { return perdure::detail::register_all<bare, passes>(r, "tested", "1"); });
  ASSERT_EQ(tested.refusal(), "");
  const auto outcome = tested.self_test();
  EXPECT_TRUE(outcome.succeeded()) << outcome.describe();
  EXPECT_NE(outcome.find_log("no task"), nullptr);
}

TEST(Registration, LetsASelfTestFailByAnException) {
  const Plugin plugin(
      [](const perdure_registrar* r) { return perdure::detail::register_all<fails, bare>(r, "tested", "1"); });
  const auto outcome = plugin.self_test();
  EXPECT_EQ(outcome.describe(), "failed: std::runtime_error: the model is missing");
  EXPECT_FALSE(outcome.retried);
}

TEST(Registration, EndsWithTheFirstRefusal) {
  HookKeeper host;
  host.refused = "bare";
  EXPECT_EQ(register_some(&host.registrar), PERDURE_INVALID);
  EXPECT_TRUE(host.of_tasks.empty());
}

}  // namespace
}  // namespace perdure::test
