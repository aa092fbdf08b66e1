// The mark of what was synced: a small file beside the store with the number of the last write that is known to be
// durable, by which opening tells a torn end from lost data (see recovery.h). It may lag behind, never run ahead: it is
// set after each sync and itself synced now and then.
// One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace perdure::store::rocks {

class DurableMark {
 public:
  /// Opens or creates the file. Failing to is not an error: recovery then judges more strictly.
  explicit DurableMark(const std::string& path);
  ~DurableMark();
  DurableMark(const DurableMark&) = delete;
  DurableMark& operator=(const DurableMark&) = delete;

  /// The number in the file; nothing when there is none that can be read.
  [[nodiscard]] std::optional<std::uint64_t> value() const { return value_; }
  /// Notes that every write up to `sequence` is durable.
  void advance(std::uint64_t sequence);
  /// Says that nothing is durable yet, for a new store.
  void reset();

  /// Whether a write or a sync failed and what the logs hold has not been written anew since: then the page cache may
  /// show bytes that the disk does not have, and a further sync of the same file would say ok. Kept in the file, for
  /// the next process.
  [[nodiscard]] bool doubtful() const { return doubtful_; }
  void set_doubtful(bool doubtful);

 private:
  void put();

  int descriptor_ = -1;
  std::optional<std::uint64_t> value_;
  bool doubtful_ = false;
  std::chrono::steady_clock::time_point synced_{};
};

}  // namespace perdure::store::rocks
