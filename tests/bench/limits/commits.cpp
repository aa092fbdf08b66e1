#include "tests/bench/limits/commits.h"

#include <fcntl.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <thread>

#include "tests/bench/clock.h"
#include "tests/bench/limits/database.h"
#include "tests/bench/process.h"

namespace perdure::bench {

std::vector<double> disk_syncs(const std::string& dir, double seconds) {
  const std::string path = dir + "/sync-limit";
  const int fd = open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) die("creating " + path);
  const std::string block(2048, 'x');
  std::vector<double> each;
  const auto start = std::chrono::steady_clock::now();
  while (seconds_since(start) < seconds) {
    const auto before = std::chrono::steady_clock::now();
    if (write(fd, block.data(), block.size()) < 0 || fdatasync(fd) != 0) die("writing " + path);
    each.push_back(seconds_since(before));
  }
  close(fd);
  unlink(path.c_str());
  return each;
}

double synced_commits(const std::string& dir, double seconds, int threads, int runs) {
  const std::string path = dir + "/commit-limit";
  auto db = open_database(path);
  std::atomic<long> next{0};
  std::atomic<long> written{0};
  std::atomic<bool> stop{false};
  const auto work = [&] {
    const std::string value(300, 'v');
    rocksdb::WriteOptions options;
    options.sync = true;
    while (!stop) {
      rocksdb::WriteBatch batch;
      for (int i = 0; i < runs; ++i) {
        const long run = next++;
        for (const char part : {'r', 'q', 'a', 'p', 'i'}) {
          char key[40];
          const int size = std::snprintf(key, sizeof key, "%c/%016lx", part, run);
          batch.Put({key, static_cast<std::size_t>(size)}, value);
        }
      }
      if (!db->Write(options, &batch).ok()) die("writing " + path);
      written += runs;
    }
  };
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> writers;
  writers.reserve(static_cast<std::size_t>(threads));
  for (int i = 0; i < threads; ++i) writers.emplace_back(work);
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));  // the length of the measurement
  stop = true;
  for (std::thread& writer : writers) writer.join();
  const double rate = static_cast<double>(written) / seconds_since(start);
  db.reset();
  std::filesystem::remove_all(path);
  return rate;
}

}  // namespace perdure::bench
