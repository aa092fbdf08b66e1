// Room on the store's disk. New runs are refused while less than the reserve is free, so that what was accepted can be
// brought to its end. A ballast file holds a part of the reserve that nobody else can take; it is let go when even the
// attempts' ends find no room, and set up again later.
// Any thread.
#pragma once

#include <rocksdb/file_system.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

namespace perdure::store::rocks {

struct SpaceOptions {
  std::uint64_t reserve_bytes = std::uint64_t{256} << 20;  // refuse new runs below the larger of this …
  double reserve_fraction = 0.05;                          // … and this part of the disk
  std::uint64_t ballast_bytes = std::uint64_t{128} << 20;  // 0: none
  std::chrono::milliseconds check_every{100};
};

class Space {
 public:
  /// Measures the disk that `directory` is on, through `files`; the ballast is a file in it.
  Space(SpaceOptions options, std::string directory, std::shared_ptr<rocksdb::FileSystem> files);

  /// Whether new runs may be accepted. Looks at the disk at most every `check_every`.
  bool may_grow();
  /// Whether `bytes` and a little more are free, as opening the store after it failed takes; lets the ballast go when
  /// that is what it takes.
  bool may_reopen(std::uint64_t bytes);
  /// Sets the ballast up again when there is ample room.
  void restore_ballast();

  /// Bytes free for us now; the largest number when that cannot be found out.
  [[nodiscard]] std::uint64_t free_bytes() const;
  [[nodiscard]] std::uint64_t reserve_bytes() const { return reserve_; }

 private:
  [[nodiscard]] std::string ballast_path() const { return directory_ + "/ballast"; }

  SpaceOptions options_;
  std::string directory_;
  std::shared_ptr<rocksdb::FileSystem> files_;
  std::uint64_t reserve_;
  std::atomic<bool> may_grow_{true};
  std::atomic<std::chrono::steady_clock::rep> checked_{0};
  std::mutex ballast_;
};

}  // namespace perdure::store::rocks
