// The exec plugin, as it ships: which programs it runs, what it gives back, and what is left when it must stop.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>

#include <perdure/testing.hpp>

namespace perdure::test {
namespace {

using perdure::testing::Plugin;
using perdure::testing::Result;

class Exec : public ::testing::Test {
 protected:
  Result exec(const std::string& payload, const std::string& allow = R"(["sh","cat","/bin/sh"])",
              std::function<void()> cancel_when = {}) {
    return plugin.task("exec").run_json(payload,
                                        {.config = {{"allow", json::parse(allow)}}, .cancel_when = cancel_when});
  }
  static json::object result_of(const Result& outcome) {
    EXPECT_TRUE(outcome.succeeded()) << outcome.describe();
    return outcome.succeeded() ? outcome.output<json::object>() : json::object();
  }

  Plugin plugin{PERDURE_TEST_PLUGIN_DIR "/exec.so"};
};

TEST_F(Exec, GivesBackWhatAProgramWroteAndItsStatus) {
  const json::object result = result_of(exec(R"({"argv":["sh","-c","echo out; echo err >&2"]})"));
  EXPECT_EQ(result, json::parse(R"({"exit_code":0,"stdout":"out\n","stderr":"err\n"})"));
}

TEST_F(Exec, RunsNothingByDefaultAndSaysHowToAllowIt) {
  const Result outcome = plugin.task("exec").run_json(R"({"argv":["sh","-c","true"]})");
  EXPECT_EQ(outcome.status, PERDURE_ABORTED);
  EXPECT_EQ(outcome.error().name, "ProgramNotAllowed");
  EXPECT_NE(outcome.error().message.find("\"sh\""), std::string::npos);
  EXPECT_NE(outcome.error().message.find("[plugins.exec] allow = [\"sh\"]"), std::string::npos);
}

TEST_F(Exec, AllowsAProgramOnlyAsItIsWritten) {
  EXPECT_EQ(exec(R"({"argv":["/usr/bin/sh","-c","true"]})").status, PERDURE_ABORTED);
  EXPECT_EQ(exec(R"({"argv":["./sh","-c","true"]})").status, PERDURE_ABORTED);
  EXPECT_EQ(exec(R"({"argv":["/bin/sh","-c","true"]})").status, PERDURE_OK);
}

TEST_F(Exec, RefusesVariablesOfTheLoader) {
  const Result outcome = exec(R"({"argv":["sh","-c","true"],"env":{"LD_PRELOAD":"/tmp/x.so"}})");
  EXPECT_EQ(outcome.status, PERDURE_ABORTED);
  EXPECT_NE(outcome.error().message.find("LD_PRELOAD"), std::string::npos);
}

TEST_F(Exec, PassesInputDirectoryAndEnvironment) {
  const json::object result = result_of(
      exec(R"({"argv":["sh","-c","cat; pwd; echo $GREETING"],"cwd":"/usr","env":{"GREETING":"hi"},"stdin":"in\n"})"));
  EXPECT_EQ(result.at("stdout"), "in\n/usr\nhi\n");
}

TEST_F(Exec, KeepsTheRestOfTheHostsEnvironmentToItself) {
  setenv("SECRET_OF_THE_HOST", "x", 1);
  const json::object result = result_of(exec(R"({"argv":["sh","-c","echo [$SECRET_OF_THE_HOST]"]})"));
  EXPECT_EQ(result.at("stdout"), "[]\n");
}

TEST_F(Exec, FailsOnAnotherExitStatusAndSaysTheLastLine) {
  const Result outcome = exec(R"({"argv":["sh","-c","echo first >&2; echo no such file >&2; exit 3"]})");
  EXPECT_EQ(outcome.status, PERDURE_FAILED);
  EXPECT_EQ(outcome.error().name, "ProgramFailed");
  EXPECT_EQ(outcome.error().message, "sh exited with status 3: no such file");
  EXPECT_EQ(outcome.error().details.at("exit_code"), 3);
}

TEST_F(Exec, FailsWhenASignalEndsTheProgram) {
  const Result outcome = exec(R"({"argv":["sh","-c","kill -KILL $$"]})");
  EXPECT_EQ(outcome.error().message, "sh was ended by signal 9");
  EXPECT_EQ(outcome.error().details.at("exit_code"), 137);
}

TEST_F(Exec, KeepsHalfAMegabyteOfEachStreamAndSaysThatItCut) {
  const json::object result =
      result_of(exec(R"({"argv":["sh","-c","head -c 3000000 /dev/zero | tr '\\0' x; echo done >&2"]})"));
  EXPECT_EQ(result.at("stdout").as_string().size(), std::size_t{512} << 10);
  EXPECT_EQ(result.at("stderr"), "done\n");
  EXPECT_EQ(result.at("truncated"), json::parse(R"(["stdout"])"));
}

TEST_F(Exec, TurnsBytesThatAreNoTextIntoReplacementCharacters) {
  const json::object result = result_of(exec(R"({"argv":["sh","-c","printf 'a\\377\\302\\251\\342\\202'"]})"));
  EXPECT_EQ(result.at("stdout"), "a\xef\xbf\xbd\xc2\xa9\xef\xbf\xbd\xef\xbf\xbd");
}

TEST_F(Exec, AbortsWhenTheProgramOrTheDirectoryIsMissing) {
  const Result program = exec(R"({"argv":["/no/such/program"]})", R"(["/no/such/program"])");
  EXPECT_EQ(program.status, PERDURE_ABORTED);
  EXPECT_EQ(program.error().message, "exec cannot start \"/no/such/program\": No such file or directory");
  const Result directory = exec(R"({"argv":["sh","-c","true"],"cwd":"/no/such/directory"})");
  EXPECT_EQ(directory.status, PERDURE_ABORTED);
  EXPECT_NE(directory.error().message.find("/no/such/directory"), std::string::npos);
}

TEST_F(Exec, DoesNotWaitForWhoeverKeepsTheOutputOpen) {
  const json::object result = result_of(exec(R"({"argv":["sh","-c","setsid sleep 600 & echo $!"]})"));
  const pid_t left = std::atoi(result.at("stdout").as_string().c_str());
  EXPECT_GT(left, 0);
  EXPECT_EQ(kill(left, SIGKILL), 0);
}

TEST_F(Exec, EndsTheProgramAndItsChildrenWhenTheAttemptMustStop) {
  const std::string pids = ::testing::TempDir() + "exec_pids_" + std::to_string(getpid());
  ASSERT_EQ(mkfifo(pids.c_str(), 0600), 0);
  pollfd programs[2] = {{-1, POLLIN, 0}, {-1, POLLIN, 0}};
  const auto started = [&] {
    std::ifstream in(pids);  // opened when the program has started
    for (pollfd& program : programs) {
      pid_t pid = 0;
      in >> pid;
      program.fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    }
  };
  const Result outcome =
      exec(R"({"argv":["sh","-c","sleep 600 & echo $$ $! > )" + pids + R"(; wait"]})", R"(["sh"])", started);
  unlink(pids.c_str());
  EXPECT_EQ(outcome.status, PERDURE_CANCELLED);
  for (pollfd& program : programs) {
    ASSERT_GE(program.fd, 0);
    EXPECT_EQ(poll(&program, 1, 10'000), 1) << "still alive";
    close(program.fd);
  }
}

}  // namespace
}  // namespace perdure::test
