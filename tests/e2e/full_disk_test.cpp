// A disk that fills up while the host works: a small tmpfs in a mount namespace of the host's own, which needs no
// rights.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/host_process.h"

namespace perdure::e2e {
namespace {

constexpr const char* kMount = "mount -t tmpfs -o size=192m perdure-test \"$0\" && exec \"$@\"";

// Whether this machine lets us make a small disk.
bool can_mount(const std::string& directory) {
  return run_program({"unshare", "--user", "--map-root-user", "--mount", "sh", "-c", kMount, directory, "true"})
             .exit_status == 0;
}

// Takes all the room there is, and what others let go of as well, until it gives it back.
class Filler {
 public:
  explicit Filler(std::string file) : file_(std::move(file)), fd_(::open(file_.c_str(), kFlags, 0600)) {
    take();
    thread_ = std::thread([this] {
      while (!done_) take();
    });
  }
  ~Filler() {
    give_back();
    ::close(fd_);
  }
  Filler(const Filler&) = delete;
  Filler& operator=(const Filler&) = delete;

  /// Takes no more.
  void be_content() {
    done_ = true;
    if (thread_.joinable()) thread_.join();
  }
  void give_back() {
    be_content();
    std::error_code ignored;
    std::filesystem::remove(file_, ignored);
    (void)!::ftruncate(fd_, 0);
  }

 private:
  static constexpr int kFlags = O_WRONLY | O_CREAT | O_CLOEXEC;

  void take() const {
    const std::string piece(64u << 10, 'x');
    for (std::size_t size = piece.size(); size > 0; size /= 2) {
      while (::write(fd_, piece.data(), size) > 0) {
      }
    }
  }

  std::string file_;
  int fd_;
  std::atomic<bool> done_{false};
  std::thread thread_;
};

class FullDisk : public testing::Test {
 protected:
  void SetUp() override {
    if (!can_mount(disk.path())) GTEST_SKIP() << "this machine lets nobody mount a small disk";
    ASSERT_TRUE(host.start()) << host.log();
    http.emplace(host.url(), host.key());
    note(trigger(*http, "sleep", R"({"ms":1000})"));
    for (int i = 0; i < 200; ++i) note(trigger(*http, "flaky", R"({"failures":1})"));
  }

  void note(const std::string& id) { acknowledged.push_back(id); }
  Answer trigger_echo() {
    Answer answer = http->post("/api/v1/tasks/echo/trigger", R"({"payload":"1"})");
    if (answer.status == 200) note(std::string(answer.json().at("id").as_string()));
    return answer;
  }
  /// What is accepted until the host has noticed that the disk is full counts like everything else.
  Answer first_refusal() {
    for (;;) {
      Answer answer = trigger_echo();
      if (answer.status != 200) return answer;
    }
  }
  void expect_service_by_itself() {
    int status = 0;
    while ((status = trigger_echo().status) == 507 || status == 503) {
    }
    EXPECT_EQ(status, 200);
  }
  void expect_all_completed() {
    for (const std::string& id : acknowledged) {
      ASSERT_EQ(std::string(await_run(*http, id).at("status").as_string()), "COMPLETED") << id;
    }
  }

  const TemporaryDirectory disk;
  HostProcess host{{.data = disk.path() / "data",
                    .environment = {{"PERDURE_STORE_RESERVE", "8MiB"}, {"PERDURE_STORE_BALLAST", "8MiB"}},
                    .within = {"unshare", "--user", "--map-root-user", "--mount", "sh", "-c", kMount, disk.path()}}};
  std::optional<Http> http;
  std::vector<std::string> acknowledged;
};

TEST_F(FullDisk, RefusesTriggersByNameEndsWhatWasAcceptedAndServesAgainWhenThereIsRoom) {
  Filler filler(host.seen(disk.path() / "filler"));
  filler.be_content();
  const Answer refused = first_refusal();
  EXPECT_EQ(refused.status, 507) << refused.body;
  EXPECT_NE(refused.body.find("disk"), std::string::npos) << refused.body;
  EXPECT_EQ(http->get("/healthz").status, 200);
  expect_all_completed();
  filler.give_back();
  expect_service_by_itself();
  expect_all_completed();
  EXPECT_EQ(host.stop(), 0);
}

TEST_F(FullDisk, OnWhichNothingCanBeWrittenAnyMoreHoldsRunsBackAndLosesNone) {
  // More output to come than there is room in what the store has taken ahead.
  const std::string large =
      R"({"payload":")" + std::string(1u << 20, 'x') + R"(","options":{"delay":"3s","payloadType":"text/plain"}})";
  for (int i = 0; i < 48; ++i) {
    const Answer answer = http->post("/api/v1/tasks/echo/trigger", large);
    ASSERT_EQ(answer.status, 200) << answer.body;
    note(std::string(answer.json().at("id").as_string()));
  }
  Filler filler(host.seen(disk.path() / "filler"));
  const Answer refused = first_refusal();
  EXPECT_TRUE(refused.status == 507 || refused.status == 503) << refused.status << refused.body;
  while (http->get("/readyz").status == 200) {  // until an attempt's end could not be written
  }
  filler.give_back();
  expect_service_by_itself();
  expect_all_completed();
  EXPECT_EQ(host.stop(), 0);
}

}  // namespace
}  // namespace perdure::e2e
