// Canceling a run that triggered others: what is unfinished of its whole family ends with it, and leaves nothing.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "tests/e2e/holdings.h"
#include "tests/e2e/host_process.h"

namespace perdure::e2e {
namespace {

constexpr const char* kForLong = R"({"ms":600000})";

std::string text(const boost::json::value& value) { return std::string(value.as_string()); }

// Waits until so many runs execute.
void await_executing(Http& http, int count) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (http.get("/perdure/v1/status").json().at("runs").at("EXECUTING").to_number<int>() < count) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    std::this_thread::yield();
  }
}

TEST(Cancel, EndsChildrenAndTheirsWhereverTheyAreAndLeavesTheRestAlone) {
  HostProcess host({.environment = {{"PERDURE_CONCURRENCY", "4"}}});
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const std::string parent = trigger(http, "sleep", kForLong);
  const std::string child = trigger(http, "sleep", kForLong, {{"parentRunId", parent}});
  const std::string grandchild = trigger(http, "sleep", kForLong, {{"parentRunId", child}});
  const std::string other = trigger(http, "sleep", kForLong);
  await_executing(http, 4);
  const std::string done = trigger(http, "echo", "1");  // waits for a slot, as do the others from here on
  const std::string queued = trigger(http, "sleep", kForLong, {{"parentRunId", child}});
  const std::string delayed = trigger(http, "sleep", kForLong, {{"parentRunId", parent}, {"delay", "1h"}});

  EXPECT_EQ(http.post("/api/v2/runs/" + parent + "/cancel", "{}").status, 200);
  for (const std::string& id : {parent, child, grandchild, queued, delayed}) {
    EXPECT_EQ(text(await_run(http, id).at("status")), "CANCELED") << id;
  }
  EXPECT_EQ(text(await_run(http, done).at("status")), "COMPLETED");
  EXPECT_EQ(text(http.get("/api/v3/runs/" + other).json().at("status")), "EXECUTING");

  EXPECT_EQ(http.post("/api/v2/runs/" + other + "/cancel", "{}").status, 200);
  (void)await_run(http, other);
  const auto attempts_of = [&] {
    auto left = holdings(host.pid()).descendants;
    left.erase("perdure-zygote");
    left.erase("perdure-spare");
    return left.size();
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (attempts_of() > 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(attempts_of(), 0u);
}

}  // namespace
}  // namespace perdure::e2e
