// One run through the real executables: from a trigger over HTTP or the command line to its stored result.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "tests/e2e/host_process.h"

namespace perdure::e2e {
namespace {

std::string text(const boost::json::value& value) { return std::string(value.as_string()); }

TEST(Run, IsTriggeredOverHttpAndItsOutputReadBack) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const auto run = await_run(http, trigger(http, "hello-world", R"({"name":"Ada"})"));
  EXPECT_EQ(text(run.at("status")), "COMPLETED");
  EXPECT_EQ(run.at("output"), boost::json::parse(R"({"message":"Hello, Ada!"})"));
  EXPECT_EQ(host.stop(), 0);
}

TEST(Run, IsTriggeredAndAwaitedFromTheCommandLine) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  const Ended good = host.cli({"trigger", "hello-world", R"({"name":"Ada"})", "--wait"});
  EXPECT_EQ(good.exit_status, 0) << good.err;
  EXPECT_NE(good.out.find("Hello, Ada!"), std::string::npos) << good.out;
  const Ended bad = host.cli({"trigger", "fail", "--wait", "--max-attempts", "1"});
  EXPECT_EQ(bad.exit_status, 1);
  EXPECT_NE((bad.out + bad.err).find("boom"), std::string::npos) << bad.err;
  const Ended unknown = host.cli({"trigger", "nope"});
  EXPECT_EQ(unknown.exit_status, 1);
  EXPECT_NE(unknown.err.find("nope"), std::string::npos) << unknown.err;
}

TEST(Run, ThatCrashesTwiceCompletesOnItsThirdAttemptWithBacktracesAndTheHostLivesOn) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const auto before = http.get("/perdure/v1/status").json().at("pid");
  const auto run = await_run(http, trigger(http, "crash", R"({"attempts":2})"));
  EXPECT_EQ(text(run.at("status")), "COMPLETED");
  const auto& attempts = run.at("attempts").as_array();
  ASSERT_EQ(attempts.size(), 3u);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& failure = attempts[i].at("error");
    EXPECT_EQ(text(failure.at("code")), "CRASHED");
    EXPECT_EQ(text(failure.at("name")), "SIGSEGV");
    const std::string stack = text(failure.at("stackTrace"));
    EXPECT_NE(stack.find("crash_task_dereferences_null"), std::string::npos) << stack;
    EXPECT_NE(stack.find("playground.cpp:"), std::string::npos) << stack;
  }
  EXPECT_EQ(http.get("/perdure/v1/status").json().at("pid"), before);
}

TEST(Run, ThatFailsForGoodKeepsItsError) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const std::string id = trigger(http, "fail", "null");
  const auto run = await_run(http, id);
  EXPECT_EQ(text(run.at("status")), "FAILED");
  EXPECT_EQ(run.at("attempts").as_array().size(), 3u);
  const auto shown = http.get("/api/v3/runs/" + id).json();
  EXPECT_EQ(text(shown.at("error").at("name")), "FixtureError");
  EXPECT_EQ(text(shown.at("error").at("message")), "boom");
}

TEST(Run, LogsAndCapturedOutputAreThereInOrder) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const std::string id = trigger(http, "hello-world", R"({"name":"Ada"})");
  await_run(http, id);
  const Ended logs = host.cli({"runs", "logs", id});
  EXPECT_EQ(logs.exit_status, 0);
  EXPECT_NE(logs.out.find("greeting"), std::string::npos) << logs.out;
}

TEST(Run, ThatIsCanceledWhileExecutingEndsSoon) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const std::string id = trigger(http, "sleep", R"({"ms":600000})");
  EXPECT_EQ(http.post("/api/v2/runs/" + id + "/cancel", "").status, 200);
  EXPECT_EQ(text(await_run(http, id).at("status")), "CANCELED");
}

TEST(Run, ThatIsRecycledSharesItsProcessWithOthers) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  for (int i = 0; i < 200; ++i) {
    const auto run = await_run(http, trigger(http, "echo-recycled", std::to_string(i)));
    ASSERT_EQ(text(run.at("status")), "COMPLETED");
    ASSERT_EQ(run.at("output").to_number<int>(), i);
  }
}

TEST(Run, ThatExecutesShowsItsStackAndOneThatEndedSaysSo) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const std::string id = trigger(http, "sleep", R"({"ms":600000})");
  Ended stack;
  for (int tries = 0; tries < 200 && stack.out.find("sleep_a_while") == std::string::npos; ++tries) {
    stack = host.cli({"runs", "stack", id});  // it may be on its way to the task still
  }
  EXPECT_EQ(stack.exit_status, 0) << stack.err;
  EXPECT_NE(stack.out.find(id + ", attempt 1, process "), std::string::npos) << stack.out;
  EXPECT_NE(stack.out.find("sleep_a_while"), std::string::npos) << stack.out;
  EXPECT_EQ(http.post("/api/v2/runs/" + id + "/cancel", "").status, 200);
  EXPECT_EQ(text(await_run(http, id).at("status")), "CANCELED");
  const Ended ended = host.cli({"runs", "stack", id});
  EXPECT_EQ(ended.exit_status, 1);
  EXPECT_NE(ended.err.find("The run is CANCELED, so nothing of it executes now."), std::string::npos) << ended.err;
}

}  // namespace
}  // namespace perdure::e2e
