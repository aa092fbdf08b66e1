// What the engine costs beside RocksDB alone, in one run on one disk: runs enqueued durably per second by 1, 8 and 32
// threads that each wait for their answer, the processor time of enqueue, claim and finish, and opening and turning
// away with many runs. Usage: perdure_bench_store_rocks DIRECTORY [SECONDS]   (DIRECTORY is made and removed; SECONDS:
// about that long a figure)
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/store-rocks/harness.h"

namespace perdure::store::rocks {
namespace {

double seconds_of(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// How often `once` is done per second by so many threads.
double per_second(int threads, double seconds, const std::function<void(int thread)>& once) {
  std::atomic<long> done{0};
  std::atomic<bool> stop{false};
  std::vector<std::thread> workers;
  const double begin = seconds_of(CLOCK_MONOTONIC);
  for (int i = 0; i < threads; ++i) {
    workers.emplace_back([&, i] {
      for (; !stop; ++done) once(i);
    });
  }
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  stop = true;
  for (std::thread& worker : workers) worker.join();
  return static_cast<double>(done) / (seconds_of(CLOCK_MONOTONIC) - begin);
}

// Five keys of 300 bytes a run, synced, RocksDB's own group commit: what limits/rocks measures.
void bare(const std::string& directory, int threads, double seconds) {
  std::filesystem::remove_all(directory);
  rocksdb::Options options;
  options.create_if_missing = true;
  options.info_log_level = rocksdb::ERROR_LEVEL;
  rocksdb::DB* opened = nullptr;
  if (!rocksdb::DB::Open(options, directory, &opened).ok()) std::abort();
  const std::unique_ptr<rocksdb::DB> db(opened);
  const std::string value(300, 'v');
  std::atomic<unsigned long> next{0};
  const double rate = per_second(threads, seconds, [&](int) {
    rocksdb::WriteOptions write;
    write.sync = true;
    rocksdb::WriteBatch batch;
    const unsigned long n = next++;
    for (const char part : {'r', 'q', 'a', 'p', 'i'}) {
      char key[40];
      const int size = std::snprintf(key, sizeof key, "%c/%016lx", part, n);
      if (!batch.Put({key, static_cast<std::size_t>(size)}, value).ok()) std::abort();
    }
    if (!db->Write(write, &batch).ok()) std::abort();
  });
  std::printf("rocksdb, synced writes, %2d threads   %8.0f /s\n", threads, rate);
}

Time now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

NewRun run_of_200_bytes() {
  NewRun run = new_run(now());
  run.payload = "\"" + std::string(198, 'p') + "\"";
  return run;
}

void enqueue_rate(const std::string& directory, int threads, double seconds) {
  std::filesystem::remove_all(directory);
  const std::unique_ptr<Store> store = open_or_die(options_for(directory));
  const double rate = per_second(threads, seconds, [&](int) {
    if (!enqueue(*store, run_of_200_bytes())) std::abort();
  });
  std::printf("store, enqueue,        %2d threads   %8.0f /s\n", threads, rate);
}

// Processor time of this thread for each of `n` calls.
double cost(int n, const std::function<void()>& calls) {
  const double begin = seconds_of(CLOCK_THREAD_CPUTIME_ID);
  calls();
  return (seconds_of(CLOCK_THREAD_CPUTIME_ID) - begin) / n * 1e6;
}

void costs(const std::string& directory) {
  std::filesystem::remove_all(directory);
  const std::unique_ptr<Store> store = open_or_die(options_for(directory));
  constexpr int kRuns = 2'000, kRounds = 20;
  double enqueuing = 0, claiming = 0, finishing = 0;
  const double process_begin = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  for (int round = 0; round < kRounds; ++round) {
    enqueuing += cost(kRuns, [&] {
      for (int i = 0; i < kRuns; ++i) store->enqueue(run_of_200_bytes(), [](Result<Enqueued>) {});
    });
    (void)synced(*store);
    std::vector<Claim> claims;
    claiming += cost(kRuns, [&] {
      for (int i = 0; i < kRuns; ++i) {
        for (Claim& each : claim(*store, 1, now())) claims.push_back(std::move(each));
      }
    });
    finishing += cost(kRuns, [&] {
      for (const Claim& each : claims) store->finish_attempt(success_of(each, now()), [](Result<Run>) {});
    });
    (void)synced(*store);
  }
  const double process = (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - process_begin) / (kRuns * kRounds) * 1e6;
  std::printf("store, caller's processor time: enqueue %.1f, claim %.1f, finish %.1f us; whole process %.1f us a run\n",
              enqueuing / kRounds, claiming / kRounds, finishing / kRounds, process);
}

// Opening with many finished runs, and with many queued ones.
void opening(const std::string& directory, int finished, int queued) {
  std::filesystem::remove_all(directory);
  {
    const std::unique_ptr<Store> store = open_or_die(options_for(directory));
    for (int i = 0; i < finished; ++i) store->enqueue(run_of_200_bytes(), [](Result<Enqueued>) {});
    (void)synced(*store);
    for (int i = 0; i < finished; i += 100) {
      for (const Claim& each : claim(*store, 100, now())) {
        store->finish_attempt(success_of(each, now()), [](Result<Run>) {});
      }
    }
    for (int i = 0; i < queued; ++i) store->enqueue(run_of_200_bytes(), [](Result<Enqueued>) {});
    (void)synced(*store);
  }
  const double begin = seconds_of(CLOCK_MONOTONIC);
  const std::unique_ptr<Store> store = open_or_die(options_for(directory));
  const double took = seconds_of(CLOCK_MONOTONIC) - begin;
  const double claim_cost = cost(1000, [&] {
    for (int i = 0; i < 1000; ++i) (void)claim(*store, 1, now());
  });
  std::printf("store, opening with %7d finished and %7d queued: %.3f s; a claim then: %.1f us\n", finished, queued,
              took, claim_cost);
}

// How long the claims that turn every one of many queued runs away keep the store to themselves, and putting them back.
void turning_away(const std::string& directory, int queued, const ClaimDecision& decision, const char* what) {
  std::filesystem::remove_all(directory);
  const std::unique_ptr<Store> store = open_or_die(options_for(directory));
  for (int i = 0; i < queued; ++i) store->enqueue(run_of_200_bytes(), [](Result<Enqueued>) {});
  (void)synced(*store);
  double all = 0, longest = 0;
  const std::size_t rounds = static_cast<std::size_t>(queued) / kMostTurnedAway + 1;
  for (std::size_t i = 0; i < rounds; ++i) {
    const double begin = seconds_of(CLOCK_MONOTONIC);
    store->claim(
        1, now(), [&](const Run&) { return decision; }, [](Result<std::vector<Claim>>) {});
    const double took = seconds_of(CLOCK_MONOTONIC) - begin;
    all += took;
    longest = std::max(longest, took);
  }
  const double begin = seconds_of(CLOCK_MONOTONIC);
  const std::size_t back = store->put_back(TaskId("echo"), std::nullopt, SIZE_MAX);
  const double took = seconds_of(CLOCK_MONOTONIC) - begin;
  std::printf("store, %7d runs %-9s: %.3f s, the longest claim %.1f ms; putting %zu back: %.3f s\n", queued, what, all,
              longest * 1e3, back, took);
}

}  // namespace
}  // namespace perdure::store::rocks

int main(int count, char** arguments) {
  using namespace perdure::store::rocks;
  if (count < 2) {
    std::fprintf(stderr, "usage: %s DIRECTORY [SECONDS]\n", arguments[0]);
    return 2;
  }
  const std::string directory = std::string(arguments[1]) + "/perdure-bench";
  const double seconds = count > 2 ? std::atof(arguments[2]) : 2;
  for (const int threads : {1, 8, 32}) {
    bare(directory, threads, seconds);
    enqueue_rate(directory, threads, seconds);
  }
  costs(directory);
  opening(directory, 0, 1000);
  opening(directory, 100'000, 1000);
  opening(directory, 0, 100'000);
  turning_away(directory, 100'000, perdure::store::SetAside{}, "set aside");
  turning_away(directory, 100'000, perdure::store::Hold{}, "held");
  std::filesystem::remove_all(directory);
}
