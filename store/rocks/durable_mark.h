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

 private:
  void put(std::uint64_t value);

  int descriptor_ = -1;
  std::optional<std::uint64_t> value_;
  std::chrono::steady_clock::time_point synced_{};
};

}  // namespace perdure::store::rocks
