// Steps through a real host: what a run has recorded is not done again, wherever its attempts or the host die.
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <fstream>
#include <map>

#include "tests/e2e/host_process.h"

namespace perdure::e2e {
namespace {

HostOptions ledger_host() { return {.plugins = PERDURE_TEST_BIN_DIR "/../fixtures/ledger"}; }

// How often each line is in the file.
std::map<std::string, int> lines_of(const std::filesystem::path& file) {
  std::map<std::string, int> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) ++lines[line];
  return lines;
}

std::string payload(const std::filesystem::path& file, bool walk) {
  return boost::json::serialize(boost::json::object{{"file", file.string()}, {"walk", walk}});
}

TEST(Steps, AreDoneOnceWhereverAttemptsDieOnceTheyAreRecorded) {
  HostProcess host(ledger_host());
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const std::filesystem::path file = host.directory() / "ledger";
  const auto run = await_run(http, trigger(http, "walk", payload(file, true)));
  EXPECT_EQ(run.at("status"), "COMPLETED") << boost::json::serialize(run);
  EXPECT_EQ(run.at("output"), "first!second!third!");
  EXPECT_EQ(run.at("attempts").as_array().size(), 11u) << "one died at each of ten places";
  const auto children = http.get("/perdure/v1/runs/" + std::string(run.at("id").as_string()) + "/children").json();
  ASSERT_EQ(children.at("data").as_array().size(), 1u) << boost::json::serialize(children);
  await_run(http, std::string(children.at("data").as_array()[0].at("id").as_string()));
  // Each step's work was done once more than once: by the attempt that died between its work and its record.
  EXPECT_EQ(lines_of(file), (std::map<std::string, int>{{"first", 2}, {"second", 2}, {"third", 2}, {"child", 1}}));
}

TEST(Steps, AreOnTheTimelineWithWhatTheyTook) {
  HostProcess host(ledger_host());
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const auto run = await_run(http, trigger(http, "walk", payload(host.directory() / "ledger", false)));
  EXPECT_EQ(run.at("attempts").as_array().size(), 1u);
  std::string steps;
  const auto trace = http.get("/perdure/v1/runs/" + std::string(run.at("id").as_string()) + "/trace").json();
  for (const auto& event : trace.at("events").as_array()) {
    if (event.at("name") != "step") continue;
    steps += std::string(event.at("data").at("name").as_string()) + " ";
    EXPECT_GE(event.at("data").at("durationUs").to_number<std::int64_t>(), 0);
  }
  EXPECT_EQ(steps, "first second third ");
  const Ended shown = host.cli({"runs", "trace", std::string(run.at("id").as_string())});
  EXPECT_NE(shown.out.find("second "), std::string::npos) << shown.out;
}

TEST(Steps, InAnotherOrderFailTheAttemptWithWhatWasExpectedAndWhatCame) {
  HostProcess host(ledger_host());
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const std::filesystem::path file = host.directory() / "ledger";
  const auto run = await_run(http, trigger(http, "stray", boost::json::serialize(boost::json::value(file.string()))));
  EXPECT_EQ(run.at("status"), "FAILED");
  const auto& error = run.at("attempts").as_array().back().at("error").as_object();
  EXPECT_EQ(error.at("name"), "STEP_MISMATCH") << boost::json::serialize(error);
  EXPECT_NE(error.at("message").as_string().find("step \"charge\", and not step \"refund\""), std::string::npos)
      << boost::json::serialize(error);
  EXPECT_EQ(error.at("details").at("expected").at("name"), "charge");
  EXPECT_EQ(error.at("details").at("got").at("name"), "refund");
  EXPECT_EQ(lines_of(file), (std::map<std::string, int>{{"charge", 1}}));
}

}  // namespace
}  // namespace perdure::e2e
