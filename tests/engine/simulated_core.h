// A core thread of simulated time: work and timers run in order of their time, and nothing waits. Single-threaded.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "host/engine/core.h"

namespace perdure::engine::testing {

class SimulatedTimer;

class SimulatedCore final : public Core {
 public:
  [[nodiscard]] store::Time now() const override { return store::Time(elapsed_ + known_); }
  [[nodiscard]] store::ClockStand clock() const override { return {"simulated", known_}; }
  void on_clock_set(std::function<void()> was_set) override { was_set_ = std::move(was_set); }
  void adopt_clock() override;
  void run(std::function<void()> work) override { work(); }
  void post(std::function<void()> work) override { after({}, std::move(work)); }
  std::unique_ptr<Timer> timer(std::function<void()> fire) override;

  /// The time since the boot, which nobody sets.
  [[nodiscard]] store::Duration elapsed() const { return elapsed_; }
  /// Runs `work` once the simulated clock is at `when`.
  void at(store::Time when, std::function<void()> work) {
    after(std::max(when - now(), store::Duration{}), std::move(work));
  }
  void after(store::Duration delay, std::function<void()> work) {
    queue_.emplace(std::pair(elapsed_ + delay, next_++), std::move(work));
  }

  /// The wall clock is set by this much; the core hears of it after `late`.
  void set_clock(store::Duration by, store::Duration late = {});
  /// It is set to that time, and the core hears of it at once.
  void set_clock(store::Time to);

  /// Runs the next thing. false: there is none.
  bool step();
  /// Runs until nothing is left, or `most` steps were taken. false: something was left.
  bool run_out(std::size_t most);
  /// Runs what is to run until `when`, and lets it be that time.
  void run_until(store::Time when);

 private:
  friend class SimulatedTimer;

  store::Duration elapsed_{1'000'000};
  store::Duration wall_ = store::Duration(1'800'000'000'000) - elapsed_, known_ = wall_;  // less the time elapsed: as it is, and as adopted
  std::function<void()> was_set_;
  std::set<SimulatedTimer*> timers_;
  std::uint64_t next_ = 0;
  std::map<std::pair<store::Duration, std::uint64_t>, std::function<void()>> queue_;
};

}  // namespace perdure::engine::testing
