// The life of a host: what it refuses to start with, what it leaves in its data directory, and how it ends.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/api/http_connection.h"
#include "tests/e2e/host_process.h"

namespace perdure::e2e {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Runs the real `perdure` with these arguments.
Ended perdure(std::vector<std::string> arguments, const std::map<std::string, std::string>& environment = {}) {
  arguments.insert(arguments.begin(), PERDURE_TEST_BIN_DIR "/perdure");
  return run_program(arguments, environment);
}

std::string first_line(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

TEST(Serve, MakesAKeyThatOnlyItsOwnerMayReadAndKeepsIt) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  const std::string data = host.data();
  const std::string key = first_line(data + "/secret");
  EXPECT_EQ(key.size(), 8u + 64u);
  EXPECT_TRUE(key.starts_with("tr_prod_")) << key;
  struct stat about {};
  ASSERT_EQ(::stat((data + "/secret").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat(data.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0700u);
  host.stop();
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_EQ(first_line(data + "/secret"), key);
}

TEST(Serve, RefusesADataDirectoryThatAnotherHostHasAndNamesIt) {
  HostProcess first;
  ASSERT_TRUE(first.start()) << first.log();
  const Ended second = perdure({"serve", "--data", first.data(), "--listen", "127.0.0.1:0"});
  EXPECT_EQ(second.exit_status, 1);
  EXPECT_TRUE(contains(second.err, "in use by process " + std::to_string(first.pid()))) << second.err;
}

TEST(Serve, RefusesAKeyThatOthersMayRead) {
  const TemporaryDirectory here;
  std::ofstream(here.path() / "secret") << "tr_prod_0123456789abcdef0123456789\n";
  ASSERT_EQ(::chmod((here.path() / "secret").c_str(), 0644), 0);
  const Ended host = perdure({"serve", "--data", here.path().string(), "--listen", "127.0.0.1:0"});
  EXPECT_EQ(host.exit_status, 1);
  EXPECT_TRUE(contains(host.err, "chmod 600")) << host.err;
}

TEST(Serve, RefusesToBeReachedByOtherMachinesWithoutAConfiguredKey) {
  const TemporaryDirectory here;
  const Ended host = perdure({"serve", "--data", here.path() / "data", "--listen", "0.0.0.0:0"});
  EXPECT_EQ(host.exit_status, 2);
  EXPECT_TRUE(contains(host.err, "PERDURE_AUTH_KEY")) << host.err;
}

TEST(Serve, TellsFileAndLineOfAWrongConfiguration) {
  const TemporaryDirectory here;
  const std::string file = here.path() / "perdure.toml";
  std::ofstream(file) << "[host]\nlisen = 1\n";
  const Ended host = perdure({"serve", "--config", file});
  EXPECT_EQ(host.exit_status, 2);
  EXPECT_TRUE(contains(host.err, file + ":2: unknown key host.lisen; did you mean listen?")) << host.err;
}

TEST(Serve, PrintsTheConfigurationAndWhereItCameFrom) {
  const Ended shown = perdure({"serve", "--print-config", "--data", "/d"}, {{"PERDURE_CONCURRENCY", "3"}});
  EXPECT_EQ(shown.exit_status, 0);
  EXPECT_TRUE(contains(shown.out, "data = \"/d\"  # --data\n")) << shown.out;
  EXPECT_TRUE(contains(shown.out, "concurrency = 3  # PERDURE_CONCURRENCY\n")) << shown.out;
}

TEST(Serve, RefusesAPluginDirectoryThatIsNotThere) {
  const TemporaryDirectory here;
  const Ended host =
      perdure({"serve", "--data", here.path() / "data", "--listen", "127.0.0.1:0", "--plugins", here.path() / "none"});
  EXPECT_EQ(host.exit_status, 1);
  EXPECT_TRUE(contains(host.err, (here.path() / "none").string())) << host.err;
}

TEST(Serve, EndsAtOnceWhenNothingExecutes) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  host.signal(SIGTERM);
  EXPECT_EQ(host.wait(), 0);
}

TEST(Serve, AnswersWhatItWasAskedBeforeItEnds) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const std::string run = "/perdure/v1/runs/" + trigger(http, "echo", "1", {{"delay", "1h"}});
  const auto port = static_cast<std::uint16_t>(std::stoi(host.url().substr(host.url().rfind(':') + 1)));
  const auto request = [&](const std::string& line, const std::string& body) {
    return line + " HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer " + host.key() +
           "\r\ncontent-type: application/json\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  };
  api::HttpConnection waiting(port), following(port), asking(port), idle(port);
  waiting.send(request("GET " + run + "?wait=300s", ""));
  following.send(request("GET " + run + "/logs?follow=1", ""));
  for (int i = 0; i < 20; ++i) asking.send(request("GET " + run, ""));
  host.signal(SIGTERM);
  const api::Answer waited = waiting.read();
  EXPECT_EQ(waited.status, 200);
  EXPECT_EQ(waited.header("connection"), "close");
  EXPECT_EQ(waited.json().at("status").as_string(), "DELAYED");
  EXPECT_EQ(following.read().status, 200);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(asking.read().status, 200) << i;
  for (api::HttpConnection* each : {&waiting, &following, &asking, &idle}) EXPECT_TRUE(each->closed());
  EXPECT_EQ(host.wait(), 0);
  EXPECT_EQ(http.get("/healthz").status, 0);
}

TEST(Serve, LetsAttemptsEndBeforeItDoes) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  const Ended triggered = host.cli({"trigger", "sleep", R"({"ms":1000})"});
  ASSERT_EQ(triggered.exit_status, 0) << triggered.err;
  const std::string id = triggered.out.substr(0, triggered.out.find('\n'));
  while (!contains(host.cli({"runs", "list", "--json"}).out, "\"EXECUTING\"")) {
  }
  host.signal(SIGTERM);
  EXPECT_EQ(host.wait(), 0);
  ASSERT_TRUE(host.start()) << host.log();
  const Ended run = host.cli({"runs", "get", id, "--json"});
  EXPECT_TRUE(contains(run.out, "\"attemptCount\": 1")) << run.out;
  EXPECT_TRUE(contains(run.out, "\"COMPLETED\"")) << run.out;
}

TEST(Serve, CutsAttemptsOffAfterItsPatienceAndSaysSo) {
  HostProcess host({.arguments = {"--drain-timeout", "0", "--drain", "cancel"}});
  ASSERT_TRUE(host.start()) << host.log();
  ASSERT_EQ(host.cli({"trigger", "sleep", R"({"ms":600000})"}).exit_status, 0);
  while (!contains(host.cli({"runs", "list", "--json"}).out, "\"EXECUTING\"")) {
  }
  host.signal(SIGTERM);
  EXPECT_EQ(host.wait(), 1);
}

TEST(Serve, EndsAtOnceAtASecondSignal) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  ASSERT_EQ(host.cli({"trigger", "sleep", R"({"ms":600000})"}).exit_status, 0);
  while (!contains(host.cli({"runs", "list", "--json"}).out, "\"EXECUTING\"")) {
  }
  host.signal(SIGTERM);
  // Draining, it answers reads and refuses triggers.
  while (host.cli({"trigger", "echo"}).exit_status != 1) {
  }
  EXPECT_EQ(host.cli({"runs", "list"}).exit_status, 0);
  host.signal(SIGTERM);
  EXPECT_EQ(host.wait(), 1);
}

TEST(PluginsCheck, ShowsWhatAPluginOffers) {
  const Ended check = perdure({"plugins", "check", PERDURE_TEST_PLUGIN_DIR "/playground.so"});
  EXPECT_EQ(check.exit_status, 0) << check.err;
  EXPECT_TRUE(contains(check.out, "isolation fork")) << check.out;
  EXPECT_TRUE(contains(check.out, "\nhello-world  ")) << check.out;
}

TEST(PluginsCheck, SaysInJsonToo) {
  const Ended check = perdure({"plugins", "check", "--json", PERDURE_TEST_PLUGIN_DIR "/playground.so"});
  EXPECT_EQ(check.exit_status, 0) << check.err;
  EXPECT_TRUE(contains(check.out, "\"accepted\": true")) << check.out;
  EXPECT_TRUE(contains(check.out, "\"payloadSchema\": {")) << check.out;
}

TEST(PluginsCheck, SaysWhyAFileIsRefused) {
  const TemporaryDirectory here;
  const std::string file = here.path() / "text.so";
  std::ofstream(file) << "hello\n";
  const Ended check = perdure({"plugins", "check", file});
  EXPECT_EQ(check.exit_status, 1);
  EXPECT_TRUE(contains(check.err, file + " is refused: not an ELF shared object")) << check.err;
  const Ended missing = perdure({"plugins", "check", here.path() / "none.so"});
  EXPECT_EQ(missing.exit_status, 1);
  EXPECT_TRUE(contains(missing.err, "there is no such file")) << missing.err;
}

}  // namespace
}  // namespace perdure::e2e
