#include "tests/bench/limits/engine.h"

#include <poll.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "tests/bench/clock.h"
#include "tests/bench/limits/database.h"
#include "tests/bench/process.h"

namespace perdure::bench {
namespace {

std::string key(char kind, std::uint32_t run) {
  char text[24];
  const int size = std::snprintf(text, sizeof text, "%c/%010u", kind, run);
  return {text, static_cast<std::size_t>(size)};
}

// Joins every finish that came while the last sync ran into one synced batch; counts the runs that are on disk.
// finish() and committed() on the caller's thread; one thread of its own.
class Committer {
 public:
  explicit Committer(rocksdb::DB* db)
      : db_(db), wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), thread_([this] { loop(); }) {}
  ~Committer() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    arrived_.notify_one();
    thread_.join();
    close(wake_);
  }
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  void finish(std::uint32_t run, std::size_t bytes) {
    {
      const std::lock_guard lock(mutex_);
      finished_.emplace_back(run, bytes);
    }
    arrived_.notify_one();
  }

  // Runs committed since the last call; waits up to timeout_ms for one.
  long committed(int timeout_ms) {
    pollfd wait{wake_, POLLIN, 0};
    if (timeout_ms > 0) poll(&wait, 1, timeout_ms);
    std::uint64_t count = 0;
    return read(wake_, &count, sizeof count) > 0 ? static_cast<long>(count) : 0;
  }

 private:
  void loop() {
    const std::string record(300, 'r');
    for (;;) {
      std::vector<std::pair<std::uint32_t, std::size_t>> taken;
      {
        std::unique_lock lock(mutex_);
        arrived_.wait(lock, [this] { return stop_ || !finished_.empty(); });
        if (finished_.empty()) return;
        taken.swap(finished_);
      }
      rocksdb::WriteBatch batch;
      for (const auto& [run, bytes] : taken) {
        batch.Put(key('r', run), record);
        batch.Put(key('a', run), record);
        batch.Put(key('o', run), std::string(bytes, 'o'));
        batch.Put(key('i', run), record.substr(0, 40));
        batch.Delete(key('q', run));
      }
      rocksdb::WriteOptions options;
      options.sync = true;
      if (!db_->Write(options, &batch).ok()) die("committing in the bare engine");
      const std::uint64_t count = taken.size();
      if (write(wake_, &count, sizeof count) < 0) die("waking the bare engine");
    }
  }

  rocksdb::DB* db_;
  int wake_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<std::pair<std::uint32_t, std::size_t>> finished_;
  bool stop_ = false;
  std::thread thread_;
};

void enqueue(rocksdb::DB* db, long from, long to) {
  static const std::string record(300, 'r');
  static const std::string payload = payload_200();
  rocksdb::WriteBatch batch;
  for (long run = from; run < to; ++run) {
    const auto number = static_cast<std::uint32_t>(run);
    batch.Put(key('r', number), record);
    batch.Put(key('p', number), payload);
    batch.Put(key('q', number), "");
  }
  rocksdb::WriteOptions options;
  options.sync = true;
  if (!db->Write(options, &batch).ok()) die("enqueueing in the bare engine");
}

}  // namespace

double bare_engine(const ZygoteFiles& files, const Shape& shape, const std::string& dir, long runs) {
  Exchange exchange(files, shape);
  const std::string path = dir + "/engine-limit";
  auto db = open_database(path);
  const auto start = std::chrono::steady_clock::now();
  for (long run = 0; run < runs; run += 500) enqueue(db.get(), run, std::min(runs, run + 500));
  double took = 0;
  {
    Committer committer(db.get());
    const std::unique_ptr<rocksdb::Iterator> queue(db->NewIterator({}));
    queue->Seek("q/");
    const std::string record(300, 'a');
    long ended = 0;
    long durable = 0;
    int busy = 0;
    while (durable < runs) {
      while (busy < shape.in_flight && queue->Valid() && queue->key()[0] == 'q') {
        const auto run = static_cast<std::uint32_t>(std::atol(queue->key().ToString().c_str() + 2));
        std::string payload;
        if (!db->Get({}, key('p', run), &payload).ok()) die("reading a payload in the bare engine");
        if (!exchange.begin(run, payload)) break;
        if (!db->Put({}, key('a', run), record).ok()) die("claiming in the bare engine");  // written, not synced
        ++busy;
        queue->Next();
      }
      const bool draining = busy == 0 && ended == runs;
      if (!draining) {
        exchange.step(50, [&](std::uint32_t run, std::size_t bytes) {
          committer.finish(run, bytes);
          --busy;
          ++ended;
        });
      }
      durable += committer.committed(draining ? 100 : 0);
    }
    took = seconds_since(start);
  }
  db.reset();
  std::filesystem::remove_all(path);
  return static_cast<double>(runs) / took;
}

double bare_exchange(const ZygoteFiles& files, const Shape& shape, long runs) {
  Exchange exchange(files, shape);
  const std::string payload = payload_200();
  const auto start = std::chrono::steady_clock::now();
  long begun = 0;
  long ended = 0;
  while (ended < runs) {
    while (begun < runs && begun - ended < shape.in_flight &&
           exchange.begin(static_cast<std::uint32_t>(begun), payload)) {
      ++begun;
    }
    exchange.step(50, [&](std::uint32_t, std::size_t) { ++ended; });
  }
  return static_cast<double>(runs) / seconds_since(start);
}

std::vector<double> exchange_latencies(const ZygoteFiles& files, int samples) {
  Exchange exchange(files, {});
  const std::string payload = payload_200();
  std::vector<double> each;
  constexpr int kWarmUp = 20;
  for (int i = 0; i < samples + kWarmUp; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3));  // idle between two runs
    bool ended = false;
    const auto start = std::chrono::steady_clock::now();
    exchange.begin(static_cast<std::uint32_t>(i), payload);
    while (!ended) exchange.step(1000, [&](std::uint32_t, std::size_t) { ended = true; });
    if (i >= kWarmUp) each.push_back(seconds_since(start));
  }
  return each;
}

}  // namespace perdure::bench
