// A run of steps, a child, a wait and a token, in which the attempt, its zygote and the host are each killed at every
// place there is, one after the other: it always ends with the same output, and nothing that was recorded is done
// twice.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <chrono>
#include <fstream>
#include <map>
#include <optional>
#include <thread>

#include "tests/e2e/host_process.h"

namespace perdure::e2e {
namespace {

enum class Victim : std::uint8_t { kAttempt, kZygote, kHost };

std::string text(const boost::json::value& value) { return std::string(value.as_string()); }

pid_t parent_of(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("PPid:", 0) == 0) return std::atoi(line.c_str() + 5);
  }
  return 0;
}

// A host with the fixture, and a run for each place.
class Walk {
 public:
  explicit Walk(Victim victim) : victim_(victim), host_({.plugins = PERDURE_TEST_BIN_DIR "/../fixtures/ledger"}) {}
  bool start() { return host_.start(); }
  std::string log() const { return host_.log(); }

  // Whether there is such a place. Fails the test when the run ends otherwise than it should.
  bool visit(int place) {
    const std::filesystem::path places = host_.directory() / ("place-" + std::to_string(place));
    std::filesystem::create_directory(places);
    const std::filesystem::path file = places / "ledger";
    const std::string payload = boost::json::serialize(
        boost::json::object{{"file", file.string()}, {"places", places.string()}, {"stop", place}});
    std::string id;
    {
      Http http = host_.client();
      id = trigger(http, "tell", payload);
      if (!await_stop(http, id, places)) {
        EXPECT_EQ(lines_of(file), once()) << "nobody was killed";
        return false;
      }
    }
    kill(places);
    Http http = host_.client();
    release(http, id, places);
    const auto run = await_run(http, id);
    EXPECT_EQ(run.at("status"), "COMPLETED") << "place " << place << ": " << boost::json::serialize(run);
    if (run.at("status") != "COMPLETED") return true;
    EXPECT_EQ(run.at("output"), "first!child!token!last!") << "place " << place;
    const auto children = http.get("/perdure/v1/runs/" + id + "/children").json().at("data").as_array();
    EXPECT_EQ(children.size(), 2u) << "place " << place;
    for (const auto& child : children) {
      EXPECT_EQ(text(await_run(http, text(child.at("id"))).at("status")), "COMPLETED") << "place " << place;
    }
    expect_lines(place, lines_of(file));
    return true;
  }

 private:
  static std::map<std::string, int> once() { return {{"first", 1}, {"child", 1}, {"completes", 1}, {"last", 1}}; }

  static std::map<std::string, int> lines_of(const std::filesystem::path& file) {
    std::map<std::string, int> lines;
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) ++lines[line];
    return lines;
  }

  // Between what a step does and its record is the one place where it may be done again.
  static void expect_lines(int place, std::map<std::string, int> lines) {
    int again = 0;
    for (auto& [line, count] : lines) {
      if (count == 2) ++again, count = 1;
    }
    EXPECT_EQ(lines, once()) << "place " << place;
    EXPECT_LE(again, 1) << "place " << place;
  }

  static bool await_stop(Http& http, const std::string& id, const std::filesystem::path& places) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!std::filesystem::exists(places / "stopped")) {
      if (text(http.get("/api/v3/runs/" + id).json().at("status")) == "COMPLETED") return false;
      if (std::chrono::steady_clock::now() > deadline) return ADD_FAILURE() << "nobody came by", false;
      std::this_thread::yield();
    }
    return true;
  }

  void kill(const std::filesystem::path& places) {
    pid_t teller = 0;
    std::ifstream(places / "teller") >> teller;
    ASSERT_GT(teller, 0);
    switch (victim_) {
      case Victim::kAttempt:
        ::kill(teller, SIGKILL);
        break;
      case Victim::kZygote:
        ::kill(parent_of(teller), SIGKILL);
        break;
      case Victim::kHost:
        host_.kill();
        ASSERT_TRUE(host_.start()) << host_.log();
        break;
    }
  }

  // Who has stopped and still lives goes on.
  static void release(Http& http, const std::string& id, const std::filesystem::path& places) {
    const std::string pipe = (places / "stopped").string();
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (std::chrono::steady_clock::now() < deadline) {
      const int fd = open(pipe.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
      if (fd >= 0) {
        close(fd);
        return;
      }
      if (text(http.get("/api/v3/runs/" + id).json().at("status")) == "COMPLETED") return;
      std::this_thread::yield();
    }
  }

  Victim victim_;
  HostProcess host_;
};

class FaultWalk : public testing::TestWithParam<Victim> {};

TEST_P(FaultWalk, EndsTheSameWhereverItIs) {
  std::optional<Walk> walk;
  int places = 0;
  for (const int first : {1, 101}) {  // the run's own places, and its child's
    bool there = true;
    for (int place = first; there; ++place) {
      // A host whose zygotes die one after the other lets ever more time pass before it starts the next.
      if (!walk || GetParam() == Victim::kZygote) {
        walk.emplace(GetParam());
        ASSERT_TRUE(walk->start()) << walk->log();
      }
      there = walk->visit(place);
      places += there ? 1 : 0;
      ASSERT_FALSE(HasFailure()) << walk->log();
    }
  }
  EXPECT_EQ(places, 15);
}

std::string victim_name(const testing::TestParamInfo<Victim>& victim) {
  switch (victim.param) {
    case Victim::kAttempt:
      return "TheAttempt";
    case Victim::kZygote:
      return "TheZygote";
    case Victim::kHost:
      break;
  }
  return "TheHost";
}

INSTANTIATE_TEST_SUITE_P(Killing, FaultWalk, testing::Values(Victim::kAttempt, Victim::kZygote, Victim::kHost),
                         victim_name);

}  // namespace
}  // namespace perdure::e2e
