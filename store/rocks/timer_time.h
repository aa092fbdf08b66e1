// Timer time: the wall clock as it would be had nobody set it. The ends of durations are stored in it, so that setting
// the clock changes one number, however many runs wait; in memory a run has them by the wall clock as it goes now.
// Values; TimerOffset is for any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

#include "store/model/run.h"
#include "store/rocks/keys.h"
#include "store/rocks/records.h"

namespace perdure::store::rocks {

/// How far timer time is ahead of the wall clock.
class TimerOffset {
 public:
  [[nodiscard]] Duration get() const { return Duration{ahead_.load(std::memory_order_relaxed)}; }
  void set(Duration ahead) { ahead_.store(ahead.count(), std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> ahead_{0};
};

/// The run's ends of durations, from timer time to the wall clock.
void to_wall(Run& run, Duration ahead);
void to_wall(Waiting& waiting, RunStatus status, Duration ahead);

/// The value of a run, or of its entry in the status index, as it is stored.
std::string encode_timed(const RunRecord& record, Duration ahead);
std::string encode_timed(const Waiting& waiting, RunStatus status, Duration ahead);

/// Which runs are due when: calendar times by the wall clock, ends of durations in timer time. Not thread-safe.
class DueTimes {
 public:
  /// `at` by the wall clock as it goes now.
  void add(Time at, bool calendar, PackedId run) { times(calendar).emplace(calendar ? at : at + ahead, run); }
  void erase(Time at, bool calendar, PackedId run) { times(calendar).erase({calendar ? at : at + ahead, run}); }
  /// All times of the run; looks at every one.
  void erase(PackedId run);
  /// Takes out the entries that are due at `now` of runs for which `wanted` says so; these runs.
  template <class Wanted>
  std::vector<PackedId> take_due(Time now, Wanted wanted) {
    std::vector<PackedId> taken;
    for (Times* each : {&calendar_, &durations_}) {
      const Time end = each == &calendar_ ? now : now + ahead;
      for (auto at = each->begin(); at != each->end() && at->first <= end;) {
        const bool take = wanted(at->second);
        if (take) taken.push_back(at->second);
        at = take ? each->erase(at) : std::next(at);
      }
    }
    return taken;
  }
  /// The first time, by the wall clock as it goes now.
  [[nodiscard]] std::optional<Time> next() const;
  /// The runs that are due at `now`, by id, each once.
  [[nodiscard]] std::vector<PackedId> until(Time now) const;

  Duration ahead{};  // of timer time

 private:
  using Times = std::set<std::pair<Time, PackedId>>;
  Times& times(bool calendar) { return calendar ? calendar_ : durations_; }

  Times calendar_, durations_;
};

}  // namespace perdure::store::rocks
