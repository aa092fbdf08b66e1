// What is acknowledged survives the host: killed while it works, started again, and asked about every run.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "store/rocks/rocks.h"
#include "tests/e2e/host_process.h"
#include "tests/store-rocks/history_checker.h"

namespace perdure::e2e {
namespace {

constexpr std::size_t kRuns = 2000;
constexpr std::size_t kKills = 5;

// What clients share: who the host is just now, and what was acknowledged.
class Ledger {
 public:
  void host_is(const std::string& url) {
    const std::lock_guard lock(mutex_);
    url_ = url;
    changed_.notify_all();
  }
  std::string url() {
    const std::lock_guard lock(mutex_);
    return url_;
  }
  /// Blocks until the host is another than `old`.
  void await_other(const std::string& old) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return url_ != old; });
  }
  void acknowledged(const std::string& id) {
    const std::lock_guard lock(mutex_);
    ids_.push_back(id);
    changed_.notify_all();
  }
  void await_acknowledged(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ids_.size() >= count; });
  }
  std::vector<std::string> ids() {
    const std::lock_guard lock(mutex_);
    return ids_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string url_;
  std::vector<std::string> ids_;
};

TEST(Durability, EveryAcknowledgedRunReachesAFinalStatusThoughTheHostIsKilledFiveTimes) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Ledger ledger;
  ledger.host_is(host.url());
  const std::string key = host.key();
  std::atomic<std::size_t> given{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      while (given.fetch_add(1) < kRuns) {
        for (;;) {  // until this one is acknowledged; an answer that never came may have made a run, too
          const std::string url = ledger.url();
          Http http(url, key);
          const Answer answer = http.post("/api/v1/tasks/flaky/trigger", R"({"payload":"{\"failures\":1}"})");
          if (answer.status == 200) {
            ledger.acknowledged(std::string(answer.json().at("id").as_string()));
            break;
          }
          if (answer.status == 0) ledger.await_other(url);
        }
      }
    });
  }
  for (std::size_t kill = 1; kill <= kKills; ++kill) {
    ledger.await_acknowledged(kill * kRuns / (kKills + 1));
    host.kill();
    ASSERT_TRUE(host.start()) << host.log();
    ledger.host_is(host.url());
  }
  for (std::thread& client : clients) client.join();
  const std::vector<std::string> ids = ledger.ids();
  ASSERT_EQ(ids.size(), kRuns);
  store::HistoryChecker checker;
  Http http = host.client();
  for (const std::string& id : ids) {
    const auto run = await_run(http, id);
    ASSERT_EQ(std::string(run.at("status").as_string()), "COMPLETED") << id;
    checker.note_created(store::RunId(id));
    checker.note_status(store::RunId(id), store::RunStatus::kCompleted);
  }
  EXPECT_EQ(host.stop(), 0);

  store::RocksOptions options;
  options.directory = host.data();
  auto opened = store::open_rocks(std::move(options));
  ASSERT_TRUE(opened) << opened.status().message();
  EXPECT_EQ(checker.check(**opened), std::vector<std::string>{});
}

TEST(Durability, AnAttemptCutOffWithTheMachineIsRepeatedAtOnceAndNotCounted) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const std::string id = trigger(http, "sleep", R"({"ms":2000})");
  while (http.get("/perdure/v1/status").json().at("engine").at("executing").to_number<int>() == 0) {
  }
  host.kill_with_attempts();
  ASSERT_TRUE(host.start()) << host.log();
  Http again = host.client();
  const auto run = await_run(again, id);
  EXPECT_EQ(std::string(run.at("status").as_string()), "COMPLETED");
  const auto& attempts = run.at("attempts").as_array();
  ASSERT_EQ(attempts.size(), 2u);
  EXPECT_EQ(std::string(attempts[0].at("error").at("code").as_string()), "HOST_LOST");
  EXPECT_EQ(run.at("hostLosses").to_number<int>(), 1);
}

}  // namespace
}  // namespace perdure::e2e
