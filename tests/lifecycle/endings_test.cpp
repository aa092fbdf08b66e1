// The table "How an attempt ends" of the README, row by row, on a real host: what is recorded, as what the run ends,
// and whether it was tried again.
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <ostream>

#include "tests/lifecycle/hooked_host.h"

namespace perdure::lifecycle {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

struct Ending {
  const char* task;
  const char* code;  // of the error; null: none
  const char* status;
  bool retried;
  const char* payload = "{}";
  int max_duration = 0;  // seconds; 0: none
  friend std::ostream& operator<<(std::ostream& out, const Ending& ending) { return out << ending.task; }
};

// Hostile and playground tasks side by side.
class Endings : public testing::TestWithParam<Ending> {
 protected:
  Endings() {
    fs::create_directories(plugins_.path() / "in");
    for (const char* each : {"/../fixtures/hostile/hostile.so", "/playground.so"}) {
      const fs::path from = std::string(PERDURE_TEST_PLUGIN_DIR) + each;
      fs::copy_file(from, plugins_.path() / "in" / from.filename());
    }
  }
  const e2e::TemporaryDirectory plugins_;
  e2e::HostProcess host_{
      {.plugins = plugins_.path() / "in",
       .environment = {{"PERDURE_ATTEMPTS_STALLED_AFTER",
                        GetParam().code != nullptr&& GetParam().code == std::string_view("STALLED") ? "1s" : "5m"}}}};
};

TEST_P(Endings, IsRecordedAndRetriedAsTheTableSays) {
  ASSERT_TRUE(host_.start()) << host_.log();
  e2e::Http http = host_.client();
  boost::json::object options{{"maxAttempts", 2}};
  if (GetParam().max_duration > 0) options["maxDuration"] = GetParam().max_duration;
  const std::string id = e2e::trigger(http, GetParam().task, GetParam().payload, std::move(options));
  const auto run = e2e::await_run(http, id);
  const std::string shown = boost::json::serialize(run);
  EXPECT_EQ(text(run.at("status")), GetParam().status) << shown;
  const std::size_t attempts = GetParam().retried ? 2 : 1;
  ASSERT_EQ(run.at("attempts").as_array().size(), attempts) << shown;
  for (const auto& attempt : run.at("attempts").as_array()) {
    if (GetParam().code == nullptr) {
      EXPECT_EQ(text(attempt.at("status")), "SUCCEEDED") << shown;
      continue;
    }
    EXPECT_EQ(text(attempt.at("status")), "FAILED") << shown;
    EXPECT_EQ(text(attempt.at("error").at("code")), GetParam().code) << shown;
    EXPECT_FALSE(text(attempt.at("error").at("message")).empty());
  }
  Names expected{"triggered", "claimed", "attempt_started"};
  if (GetParam().retried) {
    for (const char* each : {"retry_later", "due", "claimed", "attempt_started"}) expected.emplace_back(each);
  }
  const std::string status = GetParam().status;
  expected.push_back(status == "COMPLETED"   ? "succeeded"
                     : status == "CRASHED"   ? "crashed"
                     : status == "TIMED_OUT" ? "timed_out"
                                             : "failed");
  Names names;
  const boost::json::value trace = http.get("/perdure/v1/runs/" + id + "/trace").json();
  for (const auto& event : trace.at("events").as_array()) {
    names.push_back(text(event.at("name")));
  }
  EXPECT_EQ(names, expected);
}

std::string name_of(const testing::TestParamInfo<Ending>& each) {
  std::string name = each.param.task;
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Table, Endings,
                         testing::Values(Ending{"echo", nullptr, "COMPLETED", false},
                                         Ending{"fail", "TASK_ERROR", "FAILED", true},
                                         Ending{"throw-int", "TASK_ERROR", "FAILED", true},
                                         Ending{"null-dereference", "CRASHED", "CRASHED", true},
                                         Ending{"abort", "CRASHED", "CRASHED", true},
                                         Ending{"stack-overflow", "CRASHED", "CRASHED", true},
                                         Ending{"terminate", "CRASHED", "CRASHED", true},
                                         Ending{"exit-0", "EXITED_WITHOUT_RESULT", "CRASHED", true},
                                         Ending{"exit-3", "EXITED_WITHOUT_RESULT", "CRASHED", true},
                                         Ending{"bad-alloc", "OUT_OF_MEMORY", "CRASHED", true},
                                         Ending{"infinite-loop", "MAX_DURATION_EXCEEDED", "TIMED_OUT", false, "{}", 5},
                                         Ending{"stop-itself", "STALLED", "CRASHED", true},
                                         Ending{"write-descriptors", "PROTOCOL_ERROR", "CRASHED", true},
                                         Ending{"not-json", "OUTPUT_INVALID", "FAILED", false},
                                         Ending{"invalid-utf8", "OUTPUT_INVALID", "FAILED", false},
                                         Ending{"large-output", "OUTPUT_TOO_LARGE", "FAILED", false}),
                         name_of);

TEST(EndingsOfHosts, AnAttemptOutlivesItsHostAndItsHooksAreCalledOnce) {
  HookedHost host;
  const std::string run = host.trigger({{"do", "hold"}, {"gate", host.gate()}}, {{"maxAttempts", 1}});
  host.own(1);
  host.kill_and_start();
  host.open_gate();
  const auto ended = host.await(run);
  EXPECT_EQ(text(ended.at("status")), "COMPLETED");
  EXPECT_EQ(ended.at("hostLosses"), 0);
  EXPECT_EQ(ended.at("attempts").as_array().size(), 1u);
}

TEST(EndingsOfHosts, AnAttemptThatIsLostWithTheMachineIsTriedAgainAndNotCounted) {
  HookedHost host;
  const std::string run = host.trigger({{"do", "hold"}, {"gate", host.gate()}}, {{"maxAttempts", 1}});
  host.own(1);
  host.kill_with_attempts_and_start();
  host.open_gate();
  const auto ended = host.await(run);
  EXPECT_EQ(text(ended.at("status")), "COMPLETED");
  EXPECT_EQ(ended.at("hostLosses"), 1);
  ASSERT_EQ(ended.at("attempts").as_array().size(), 2u);
  EXPECT_EQ(text(ended.at("attempts").at(0).at("error").at("code")), "HOST_LOST");
  EXPECT_EQ(text(ended.at("attempts").at(0).at("status")), "LOST");
  const auto names = names_of(host.timeline(run));
  EXPECT_EQ((Names{names.begin(), names.begin() + 4}), (Names{"triggered", "claimed", "attempt_started", "host_lost"}));
}

TEST(EndingsOfHosts, AnAttemptThatIsCanceledEndsItsRun) {
  HookedHost host;
  const std::string run = host.trigger({{"do", "hold"}, {"gate", host.gate()}});
  host.own(1);
  host.cancel(run);
  const auto ended = host.await(run);
  EXPECT_EQ(text(ended.at("status")), "CANCELED");
  ASSERT_EQ(ended.at("attempts").as_array().size(), 1u);
  EXPECT_EQ(text(ended.at("attempts").at(0).at("status")), "CANCELED");
  EXPECT_EQ(names_of(host.timeline(run)).back(), "canceled");
}

}  // namespace
}  // namespace perdure::lifecycle
