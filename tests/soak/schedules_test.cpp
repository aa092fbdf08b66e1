// A host that is killed a hundred times while its schedules fire: each due time has one run in the end.
#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <iostream>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "store/model/timestamp.h"
#include "store/rocks/rocks.h"
#include "tests/e2e/host_process.h"

namespace perdure::e2e {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using store::Schedule;
using store::Time;

constexpr int kKills = 100;
constexpr int kSchedules = 200;
constexpr auto kMissed = 4h;  // of minutes that each schedule has missed when the first host starts
// The host is killed when it has written so much since it started, at most: some hundreds of firings.
constexpr std::uintmax_t kMostWritten = 200 << 10;

Time wall_clock() { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }

std::unique_ptr<store::Store> open_store(const fs::path& data) {
  store::RocksOptions options;
  options.directory = data;
  auto opened = store::open_rocks(std::move(options));
  EXPECT_TRUE(opened) << opened.status().message();
  return opened ? std::move(*opened) : nullptr;
}

// Schedules of every minute that have missed some hours of them.
std::vector<Schedule> put_schedules(store::Store& store, Time first) {
  std::vector<Schedule> made;
  for (int i = 0; i < kSchedules; ++i) {
    Schedule schedule;
    schedule.id = store::new_schedule_id(first);
    schedule.task = store::TaskId("echo");
    schedule.rule.pattern = "* * * * *";
    schedule.rule.catch_up = store::CatchUp::kAll;
    schedule.next_due = schedule.next_at = first;
    store.put_schedule(schedule,
                       [](const store::Result<Schedule>& put) { EXPECT_TRUE(put) << put.status().message(); });
    made.push_back(std::move(schedule));
  }
  std::promise<void> durable;
  store.synced([&](const store::Status&) { durable.set_value(); });
  durable.get_future().wait();
  return made;
}

// How much is in the store's newest log, and which that is.
std::pair<std::string, std::uintmax_t> newest_log(const fs::path& data) {
  std::pair<std::string, std::uintmax_t> newest;
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator(data / "store", gone)) {
    if (entry.path().extension() != ".log" || entry.path().filename().string() < newest.first) continue;
    const std::uintmax_t size = entry.file_size(gone);
    newest = {entry.path().filename().string(), gone ? 0 : size};
  }
  return newest;
}

// Waits until the host that was just launched has written `bytes` to a log of its own; false: not within a minute.
bool await_written(const fs::path& data, const std::string& older, std::uintmax_t bytes) {
  const auto deadline = std::chrono::steady_clock::now() + 1min;
  for (;;) {
    const auto [log, size] = newest_log(data);
    if (log != older && size >= bytes) return true;
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
}

std::size_t runs_in(const store::Store& store) {
  std::size_t runs = 0;
  for (const auto& [status, count] : store.counts()) runs += count;
  return runs;
}

TEST(Schedules, EachDueTimeHasOneRunThoughTheHostIsKilledAHundredTimesWhileTheyFire) {
  const std::uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << std::endl;
  std::mt19937_64 random(seed);
  HostProcess host({.arguments = {"--concurrency", "1"}});
  fs::create_directories(host.data());
  const Time first = std::chrono::floor<std::chrono::minutes>(wall_clock()) - kMissed;
  std::vector<Schedule> schedules;
  if (auto store = open_store(host.data())) schedules = put_schedules(*store, first);
  ASSERT_EQ(schedules.size(), kSchedules);

  // Each host is killed in the middle of it: it had begun, and had not come to an end.
  int in_the_middle = 0;
  std::size_t runs_before = 0;
  for (int kill = 0; kill < kKills; ++kill) {
    const std::string older = newest_log(host.data()).first;
    ASSERT_TRUE(host.launch());
    ASSERT_TRUE(await_written(host.data(), older, 1 + random() % kMostWritten)) << host.log();
    host.kill();
    if (kill % 10 != 9) continue;
    auto store = open_store(host.data());
    ASSERT_NE(store, nullptr);
    const std::size_t runs = runs_in(*store);
    EXPECT_GT(runs, runs_before) << "nothing fired in ten hosts";
    runs_before = runs;
    if (!store->due_schedules(Time::min(), wall_clock() - 1min).empty()) ++in_the_middle;
  }
  EXPECT_EQ(in_the_middle, kKills / 10) << "the schedules had caught up before all kills were done";

  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const std::size_t expected = kSchedules * static_cast<std::size_t>(kMissed / 1min);
  for (std::size_t all = 0; all < expected;) {  // until it has caught up; each question takes its time
    all = 0;
    const auto status = http.get("/perdure/v1/status").json();
    for (const auto& each : status.at("runs").as_object()) all += each.value().to_number<std::size_t>();
  }
  EXPECT_EQ(host.stop(), 0);

  const auto store = open_store(host.data());
  ASSERT_NE(store, nullptr);
  std::size_t due_times = 0, runs = 0;
  for (const Schedule& each : schedules) {
    const Schedule schedule = store->schedule(each.id).value();
    ASSERT_TRUE(schedule.last_due);
    EXPECT_GE(*schedule.last_due, first + kMissed - 1min);
    for (Time due = first; due <= *schedule.last_due; due += 1min, ++due_times) {
      ASSERT_TRUE(store->fired(schedule.id, due)) << store::format_time(due) << " was lost";
    }
    std::set<Time> seen;
    store::RunFilter filter;
    filter.schedules = {schedule.id};
    filter.limit = 100;
    for (bool more = true; more;) {
      const store::RunPage page = store->list(filter).value();
      for (const store::Run& run : page.runs) {
        ASSERT_TRUE(seen.insert(*run.scheduled_for).second) << store::format_time(*run.scheduled_for) << " fired twice";
      }
      runs += page.runs.size();
      more = page.more_after;
      if (more) filter.after = page.runs.back().id;
    }
  }
  EXPECT_EQ(runs, due_times);
  EXPECT_EQ(runs_in(*store), due_times) << "there are runs of no schedule";
  std::cout << due_times << " due times, each with one run" << std::endl;
}

}  // namespace
}  // namespace perdure::e2e
