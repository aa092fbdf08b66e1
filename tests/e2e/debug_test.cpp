// `perdure debug`: an attempt of a stored run executed again, alone, and under gdb.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/e2e/host_process.h"

namespace perdure::e2e {
namespace {

class Debug : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(host.start()) << host.log(); }

  // A run that has come to its end.
  std::string ended_run(const std::string& task, const std::string& payload) {
    Http http = host.client();
    const std::string id = trigger(http, task, payload);
    await_run(http, id);
    return id;
  }
  Ended debug(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "debug");
    return host.cli(arguments);
  }

  HostProcess host;
};

TEST_F(Debug, ExecutesASuccessfulRunAgainAndPrintsItsLogAndResultWithoutRecordingAnything) {
  const std::string id = ended_run("hello-world", R"({"name":"Ada"})");
  Http http = host.client();
  const std::string before = http.get("/perdure/v1/runs/" + id).body;
  const Ended ended = debug({id});
  EXPECT_EQ(ended.exit_status, 0) << ended.err;
  EXPECT_EQ(ended.out, "{\"message\":\"Hello, Ada!\"}\n");
  EXPECT_NE(ended.err.find("greeting"), std::string::npos) << ended.err;
  EXPECT_EQ(http.get("/perdure/v1/runs/" + id).body, before);
}

TEST_F(Debug, OfAFailureShowsTheErrorAndEndsWithStatusOne) {
  const Ended ended = debug({ended_run("fail", "null")});
  EXPECT_EQ(ended.exit_status, 1);
  EXPECT_EQ(ended.out, "");
  EXPECT_NE(ended.err.find("fail, attempt 3: TASK_ERROR"), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("FixtureError: boom"), std::string::npos) << ended.err;
}

TEST_F(Debug, OfACrashShowsItsBacktrace) {
  const Ended ended = debug({ended_run("crash", "{}")});
  EXPECT_EQ(ended.exit_status, 1);
  EXPECT_NE(ended.err.find("CRASHED"), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("SIGSEGV"), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("crash_task_dereferences_null"), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("playground.cpp:"), std::string::npos) << ended.err;
}

TEST_F(Debug, RepeatsTheAttemptThatIsNamed) {
  const std::string id = ended_run("crash", R"({"attempts":2})");
  EXPECT_EQ(debug({id}).out, "{\"attempt\":3}\n");
  const Ended second = debug({id, "--attempt", "2"});
  EXPECT_EQ(second.exit_status, 1);
  EXPECT_NE(second.err.find("crash, attempt 2: CRASHED"), std::string::npos) << second.err;
  const Ended fourth = debug({id, "--attempt", "4"});
  EXPECT_EQ(fourth.exit_status, 1);
  EXPECT_NE(fourth.err.find("no attempt 4"), std::string::npos) << fourth.err;
}

TEST_F(Debug, UnderGdbStopsAtTheFaultingLineAndShowsIt) {
  const std::string id = ended_run("crash", "{}");
  const Ended ended = debug({"--gdb", id, "--", "-batch", "-ex", "run", "-ex", "backtrace"});
  EXPECT_EQ(ended.exit_status, 1);
  EXPECT_NE(ended.out.find("SIGSEGV"), std::string::npos) << ended.out << ended.err;
  EXPECT_NE(ended.out.find("crash_task_dereferences_null"), std::string::npos) << ended.out << ended.err;
  EXPECT_NE(ended.out.find("*nowhere = 1;"), std::string::npos) << ended.out << ended.err;
  EXPECT_NE(ended.out.find("run_task"), std::string::npos) << "the backtrace reaches the task's caller\n" << ended.out;
}

TEST_F(Debug, UnderGdbStopsAtABreakpointInAPluginThatIsNotLoadedYetAndRunsOnToItsEnd) {
  const std::string id = ended_run("echo", R"({"n":1.50})");
  const Ended ended = debug({"--gdb", "--break", "perdure_register_v1", id, "--", "-batch", "-ex", "run", "-ex",
                             "info symbol $pc", "-ex", "continue"});
  EXPECT_EQ(ended.exit_status, 0) << ended.out << ended.err;
  EXPECT_NE(ended.out.find("Breakpoint 1, "), std::string::npos) << ended.out << ended.err;
  EXPECT_NE(ended.out.find("/playground.so"), std::string::npos) << ended.out << ended.err;
  EXPECT_NE(ended.out.find("{\"n\":1.50}"), std::string::npos) << ended.out << ended.err;
}

TEST_F(Debug, UnderGdbCanBeStartedAnew) {
  const std::string id = ended_run("crash", "{}");
  const Ended ended =
      debug({"--gdb", id, "--", "-batch", "-ex", "run", "-ex", "set confirm off", "-ex", "run", "-ex", "where 1"});
  const auto first = ended.out.find("received signal SIGSEGV");
  ASSERT_NE(first, std::string::npos) << ended.out << ended.err;
  EXPECT_NE(ended.out.find("received signal SIGSEGV", first + 1), std::string::npos) << ended.out << ended.err;
}

TEST_F(Debug, ShowsTheTaskOnlyTheEnvironmentThatAHostWould) {
  const std::string id = ended_run("echo", "1");
  const Ended ended = debug({"--gdb", "--break", "perdure_register_v1", id, "--", "-batch", "-ex", "run", "-ex",
                             "print (char*)getenv(\"PERDURE_API_KEY\")", "-ex", "print (char*)getenv(\"PATH\")"});
  EXPECT_NE(ended.out.find("$1 = 0x0"), std::string::npos) << ended.out << ended.err;
  EXPECT_NE(ended.out.find("/bin"), std::string::npos) << ended.out << ended.err;
  EXPECT_EQ((ended.out + ended.err).find(host.key()), std::string::npos);
}

TEST_F(Debug, WithAPluginFileOfOnesOwnNeedsNoCopyAndRefusesOneWithoutTheTask) {
  const std::string id = ended_run("hello-world", R"({"name":"Ada"})");
  const std::string plugins = PERDURE_TEST_PLUGIN_DIR;
  EXPECT_EQ(debug({id, "--plugin", plugins + "/playground.so"}).exit_status, 0);
  const Ended other = debug({id, "--plugin", plugins + "/exec.so"});
  EXPECT_EQ(other.exit_status, 1);
  EXPECT_NE(other.err.find("has no task \"hello-world\", only exec"), std::string::npos) << other.err;
  const Ended none = debug({id, "--plugin", plugins + "/nothing.so"});
  EXPECT_EQ(none.exit_status, 1);
  EXPECT_NE(none.err.find("nothing.so is no file"), std::string::npos) << none.err;
}

TEST_F(Debug, SaysSoWhenThePrivateCopyIsAnotherFileThanTheHosts) {
  const std::string id = ended_run("hello-world", R"({"name":"Ada"})");
  for (const auto& each : std::filesystem::recursive_directory_iterator(host.data() / "plugins")) {
    if (each.path().filename() != "playground.so") continue;
    std::filesystem::remove(each.path());  // written anew, because the host has it mapped
    std::ofstream(each.path()) << "not the same";
  }
  const Ended ended = debug({id});
  EXPECT_EQ(ended.exit_status, 1);
  EXPECT_NE(ended.err.find("its hash differs"), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("--plugin FILE"), std::string::npos) << ended.err;
}

TEST_F(Debug, GivesTheTaskItsPluginsConfigurationWhichNeedsTheKey) {
  const std::string id = ended_run("exec", R"({"argv":["true"]})");
  Http http = host.client();
  const auto start = http.get("/perdure/v1/runs/" + id + "/start").json();
  EXPECT_TRUE(start.at("start").at("config").is_object());
  EXPECT_EQ(Http(host.url(), "wrong").get("/perdure/v1/runs/" + id + "/start").status, 401);
}

}  // namespace
}  // namespace perdure::e2e
