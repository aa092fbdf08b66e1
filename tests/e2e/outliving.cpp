#include "tests/e2e/outliving.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/host_process.h"

namespace perdure::e2e {
namespace {

// What each attempt has written: its process and number when it began, and again when it ended.
std::map<std::string, int> lines_of(const std::filesystem::path& file) {
  std::map<std::string, int> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) ++lines[line];
  return lines;
}

std::size_t count_of(const std::filesystem::path& file) {
  std::size_t count = 0;
  for (const auto& [line, times] : lines_of(file)) count += static_cast<std::size_t>(times);
  return count;
}

}  // namespace

void outlive_hosts(std::size_t runs_wanted, std::size_t kills) {
  HostProcess host({.plugins = PERDURE_TEST_BIN_DIR "/../fixtures/ledger",
                    .arguments = {"--concurrency", "40", "--memory", "64GiB"}});
  ASSERT_TRUE(host.start()) << host.log();
  const std::filesystem::path file = host.directory() / "ledger";
  const auto seed = std::random_device{}();
  std::cout << "seed " << seed << std::endl;
  std::mt19937 random(seed);
  std::vector<std::string> runs;
  {
    Http http = host.client();
    for (std::size_t i = 0; i < runs_wanted; ++i) {
      const auto ms = 200 + random() % 1800;
      runs.push_back(
          trigger(http, "watch", boost::json::serialize(boost::json::object{{"file", file.string()}, {"ms", ms}})));
    }
  }
  for (std::size_t kill = 1; kill <= kills; ++kill) {
    // At a moment that has nothing to do with what the host does just then.
    const std::size_t until = kill * runs_wanted / (kills + 2) + random() % 8;
    while (count_of(file) < 2 * until) std::this_thread::yield();
    host.kill();
    ASSERT_TRUE(host.start()) << host.log();
  }
  Http http = host.client();
  std::size_t unborn = 0;
  for (const std::string& id : runs) {
    const auto run = await_run(http, id);
    ASSERT_EQ(std::string(run.at("status").as_string()), "COMPLETED") << boost::json::serialize(run);
    // Of a claim that the host had no time to give a process, nothing ran: the lines below show that.
    const auto& attempts = run.at("attempts").as_array();
    for (std::size_t i = 0; i + 1 < attempts.size(); ++i, ++unborn) {
      EXPECT_NE(boost::json::serialize(attempts.at(i)).find("HOST_LOST"), std::string::npos)
          << boost::json::serialize(run);
    }
  }
  EXPECT_LE(unborn, kills) << "a kill meets few attempts just as they are to begin";
  std::size_t began = 0, ended = 0;
  for (const auto& [line, times] : lines_of(file)) {
    (line.ends_with(" ended") ? ended : began) += static_cast<std::size_t>(times);
  }
  EXPECT_EQ(began, runs_wanted) << "each began once";
  EXPECT_EQ(ended, runs_wanted) << "and ended once";
  EXPECT_EQ(host.stop(), 0);
}

}  // namespace perdure::e2e
