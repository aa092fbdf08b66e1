#include "tests/bench/filled_store.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <semaphore>
#include <thread>
#include <utility>
#include <vector>

#include "store/rocks/rocks.h"
#include "tests/bench/clock.h"
#include "tests/bench/limits/exchange.h"

namespace perdure::bench {
namespace {

constexpr std::ptrdiff_t kUnderWay = 4096;  // mutations that wait for the same syncs
constexpr std::size_t kClaimed = 8;         // by one call: the slots of a small host

store::Time now() { return std::chrono::time_point_cast<store::Duration>(std::chrono::system_clock::now()); }

void expect(const store::Status& status) {
  if (status) return;
  std::fprintf(stderr, "perdure-bench: the store refused: %s\n", status.message().c_str());
  std::exit(1);
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Lets so many mutations be under way, and waits for the last.
class Window {
 public:
  ~Window() {
    for (std::ptrdiff_t i = 0; i < kUnderWay; ++i) free_.acquire();
  }
  template <class T>
  store::Done<T> next() {
    free_.acquire();
    return [this](const store::Result<T>& result) {
      expect(result.status());
      free_.release();
    };
  }

 private:
  std::counting_semaphore<kUnderWay> free_{kUnderWay};
};

std::vector<store::Claim> claim_from(store::Store& store, std::size_t most) {
  std::promise<std::vector<store::Claim>> claimed;
  store.claim(
      most, now(), [](const store::Run&) -> store::ClaimDecision { return store::StartOn{store::VersionId("v1")}; },
      [&](store::Result<std::vector<store::Claim>> claims) {
        expect(claims.status());
        claimed.set_value(std::move(*claims));
      });
  return claimed.get_future().get();
}

}  // namespace

FilledStore::FilledStore(std::string dir) {
  store::Result<std::unique_ptr<store::Store>> opened =
      store::open_rocks({.directory = std::move(dir), .log = {}, .space = {}, .file_system = {}});
  expect(opened.status());
  store_ = std::move(*opened);
}

store::NewRun FilledStore::next_run() {
  store::NewRun run;
  run.now = now();
  run.id = store::new_run_id(run.now);
  run.task = store::TaskId(kTask);
  run.queue = store::QueueName("task/" + run.task.text());
  run.payload = payload_200();
  return run;
}

void FilledStore::enqueue_all(long runs, const std::function<void(long, store::NewRun&)>& shape) {
  Window window;
  for (long i = 0; i < runs; ++i) {
    store::NewRun run = next_run();
    shape(i, run);
    store_->enqueue(std::move(run), window.next<store::Enqueued>());
  }
}

void FilledStore::add_queued(const std::string& task, const std::string& payload, long runs, long keys) {
  enqueue_all(runs, [&](long i, store::NewRun& run) {
    run.task = store::TaskId(task);
    run.queue = store::QueueName("task/" + task);
    run.payload = payload;
    if (keys > 1) run.concurrency_key = "tenant-" + std::to_string(i % keys);
  });
}

void FilledStore::add_delayed(long runs, store::Time due) {
  enqueue_all(runs, [due](long, store::NewRun& run) { run.delayed_until = due; });
}

void FilledStore::add_finished(long runs) {
  constexpr long kBatch = 10'000;
  for (long done = 0; done < runs; done += kBatch) {
    const long batch = std::min(kBatch, runs - done);
    enqueue_all(batch, [](long i, store::NewRun& run) {
      if (i % 1000 != 0) return;
      run.task = store::TaskId(kRareTask);
      run.options.tags = {kRareTag};
    });
    Window window;
    for (long ended = 0; ended < batch;) {
      for (store::Claim& claim : claim_from(*store_, 256)) {
        store::AttemptEnd end;
        end.run = claim.run.id;
        end.number = claim.attempt.number;
        end.token = claim.attempt.token;
        end.now = now();
        if (claim.run.task.text() == kRareTask) {
          end.failure = store::Failure{.kind = store::FailureKind::kTaskError,
                                       .name = "Error",
                                       .message = "as wanted",
                                       .stack = {},
                                       .details = {}};
        } else {
          end.output = std::move(claim.payload);
        }
        store_->finish_attempt(std::move(end), window.next<store::Run>());
        ++ended;
      }
    }
  }
}

double FilledStore::claim(long runs) {
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t left = static_cast<std::size_t>(runs); left > 0;) {
    const std::size_t claimed = claim_from(*store_, std::min(kClaimed, left)).size();
    if (claimed == 0) expect(store::Status::unavailable("a claim answered no run though some are ready"));
    left -= claimed;
  }
  return static_cast<double>(runs) / seconds_since(start);
}

double FilledStore::wake(store::Time due) {
  const auto start = std::chrono::steady_clock::now();
  std::size_t woken = 0;
  while (store_->next_due() && *store_->next_due() <= due) {
    std::promise<std::size_t> changed;
    store_->wake_due(due, [&](const store::Result<std::size_t>& count) {
      expect(count.status());
      changed.set_value(*count);
    });
    woken += changed.get_future().get();
  }
  return static_cast<double>(woken) / seconds_since(start);
}

void FilledStore::settle() {
  // Quiet: a tenth of a second in which hardly any processor time was used.
  double before = 0;
  do {
    before = cpu_seconds();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  } while (cpu_seconds() - before > 0.005);
}

}  // namespace perdure::bench
