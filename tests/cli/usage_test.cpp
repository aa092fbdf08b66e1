// How the command line is understood: help, wrong usage, and what finds the host and its key.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "host/cli/http_client.h"
#include "tests/cli/fake_host.h"
#include "tests/cli/perdure_command.h"

namespace perdure::cli {
namespace {

constexpr const char* kNobody = "http://127.0.0.1:1";  // the port is reserved: nothing listens there

struct DataDirectory {
  std::string path = std::filesystem::temp_directory_path() / "perdure-cli-XXXXXX";
  explicit DataDirectory(const std::string& secret) {
    if (::mkdtemp(path.data()) == nullptr) std::abort();
    std::ofstream(path + "/secret") << secret << "\n";
  }
  ~DataDirectory() { std::filesystem::remove_all(path); }
};

TEST(Usage, EveryVerbsHelpHasAnExample) {
  for (const std::vector<std::string>& verb : std::vector<std::vector<std::string>>{{"trigger"},
                                                                                    {"runs", "list"},
                                                                                    {"runs", "get"},
                                                                                    {"runs", "logs"},
                                                                                    {"runs", "trace"},
                                                                                    {"runs", "watch"},
                                                                                    {"runs", "cancel"},
                                                                                    {"runs", "replay"},
                                                                                    {"runs", "reschedule"},
                                                                                    {"idempotency", "reset"},
                                                                                    {"batches", "create"},
                                                                                    {"batches", "get"},
                                                                                    {"bulk", "list"},
                                                                                    {"bulk", "get"},
                                                                                    {"bulk", "abort"},
                                                                                    {"tasks", "list"},
                                                                                    {"tasks", "get"},
                                                                                    {"schedules", "list"},
                                                                                    {"schedules", "get"},
                                                                                    {"schedules", "next"},
                                                                                    {"schedules", "create"},
                                                                                    {"schedules", "update"},
                                                                                    {"schedules", "activate"},
                                                                                    {"schedules", "deactivate"},
                                                                                    {"schedules", "delete"},
                                                                                    {"schedules", "backfill"},
                                                                                    {"tokens", "list"},
                                                                                    {"tokens", "get"},
                                                                                    {"tokens", "create"},
                                                                                    {"tokens", "complete"},
                                                                                    {"plugins", "list"}}) {
    auto arguments = verb;
    arguments.emplace_back("--help");
    const Ended ended = perdure(arguments);
    EXPECT_EQ(ended.status, kDone) << ended.err;
    EXPECT_NE(ended.out.find("Example"), std::string::npos) << ended.out;
    EXPECT_NE(ended.out.find("perdure " + verb.front()), std::string::npos) << ended.out;
  }
}

TEST(Usage, AnUnknownVerbIsNamedBesideThoseThereAre) {
  const Ended ended = perdure({"frobnicate"});
  EXPECT_EQ(ended.status, kWrongUsage);
  EXPECT_EQ(ended.err,
            "perdure: there is no verb \"frobnicate\", only trigger, runs, bulk, batches, queues, keys, idempotency, "
            "tasks, schedules, tokens, plugins\nSee `perdure --help`.\n");
  EXPECT_NE(perdure({"runs", "frobnicate"}).err.find("only list, get, logs"), std::string::npos);
}

TEST(Usage, AMissingVerbIsAskedFor) {
  const Ended ended = perdure({});
  EXPECT_EQ(ended.status, kWrongUsage);
  EXPECT_NE(ended.err.find("a verb is missing: trigger, runs"), std::string::npos) << ended.err;
}

TEST(Usage, AMissingArgumentIsNamed) {
  const Ended ended = perdure({"runs", "get"});
  EXPECT_EQ(ended.status, kWrongUsage);
  EXPECT_NE(ended.err.find("ID is required"), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("`perdure runs get --help`"), std::string::npos) << ended.err;
}

TEST(Usage, AnUnknownOptionIsWrongUsage) {
  EXPECT_EQ(perdure({"runs", "list", "--stauts", "FAILED"}).status, kWrongUsage);
}

TEST(Usage, AMomentThatIsNoneIsWrongUsage) {
  const Ended ended = perdure({"runs", "list", "--since", "yesterday"});
  EXPECT_EQ(ended.status, kWrongUsage);
  EXPECT_NE(ended.err.find("--since: \"yesterday\""), std::string::npos) << ended.err;
}

TEST(Usage, AUrlThatIsNoneIsWrongUsage) {
  EXPECT_EQ(perdure({"tasks", "list", "--url", "ftp://127.0.0.1"}).status, kWrongUsage);
}

TEST(Host, ThatDoesNotAnswerIsStatusThree) {
  const Ended ended = perdure({"tasks", "list", "--url", kNobody});
  EXPECT_EQ(ended.status, kUnreachable);
  EXPECT_NE(ended.err.find("no host answers at http://127.0.0.1:1"), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("perdure serve"), std::string::npos) << ended.err;
}

TEST(Host, IsFoundByTheEnvironmentAndTheFlagWins) {
  FakeHost host;
  host.on("GET /perdure/v1/tasks", {{.body = R"({"data":[]})"}});
  EXPECT_EQ(perdure({"tasks", "list"}, {.variables = {{"PERDURE_URL", host.url() + "/"}}}).status, kDone);
  EXPECT_EQ(perdure({"tasks", "list", "--url", host.url()}, {.variables = {{"PERDURE_URL", kNobody}}}).status, kDone);
}

TEST(Key, ComesFromTheEnvironment) {
  FakeHost host;
  perdure({"tasks", "list", "--url", host.url()}, {.variables = {{"PERDURE_API_KEY", "tr_prod_abc"}}});
  ASSERT_EQ(host.requests().size(), 1u);
  EXPECT_EQ(host.requests()[0].headers.at("authorization"), "Bearer tr_prod_abc");
}

TEST(Key, ComesFromTheDataDirectoryOtherwise) {
  FakeHost host;
  const DataDirectory data("tr_prod_file");
  perdure({"tasks", "list", "--url", host.url(), "--data", data.path});
  perdure({"tasks", "list", "--url", host.url()}, {.variables = {{"PERDURE_DATA", data.path}}});
  ASSERT_EQ(host.requests().size(), 2u);
  for (const FakeRequest& request : host.requests()) {
    EXPECT_EQ(request.headers.at("authorization"), "Bearer tr_prod_file");
  }
}

TEST(Key, ThatIsRefusedIsTraced) {
  FakeHost host;
  host.on("GET /perdure/v1/tasks", {{.status = 401, .body = R"({"error":"Invalid or missing key"})"}});
  const DataDirectory data("tr_prod_file");
  const Ended wrong = perdure({"tasks", "list", "--url", host.url(), "--data", data.path});
  EXPECT_EQ(wrong.status, kFailed);
  EXPECT_NE(wrong.err.find("the key came from " + data.path + "/secret"), std::string::npos) << wrong.err;
  const Ended missing = perdure({"tasks", "list", "--url", host.url(), "--data", data.path + "/nowhere"});
  EXPECT_NE(missing.err.find("no key was sent"), std::string::npos) << missing.err;
}

TEST(Key, OfThisMachineIsNotSentElsewhereUnasked) {
  const Ended ended = perdure({"tasks", "list", "--url", "http://host.invalid:1"});
  EXPECT_EQ(ended.status, kUnreachable);
  EXPECT_FALSE(is_loopback_url("http://127.evil.example"));
  EXPECT_FALSE(is_loopback_url("http://localhost.example:3030"));
  EXPECT_FALSE(is_loopback_url("http://127.0.0.1@example.org"));
  EXPECT_TRUE(is_loopback_url("http://127.0.0.1:3030"));
  EXPECT_TRUE(is_loopback_url("https://[::1]:3030"));
  EXPECT_TRUE(is_loopback_url("http://localhost"));
}

}  // namespace
}  // namespace perdure::cli
