// A core thread of simulated time: work and timers run in order of their time, and nothing waits. Single-threaded.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "host/engine/core.h"

namespace perdure::engine::testing {

class SimulatedCore final : public Core {
 public:
  [[nodiscard]] store::Time now() const override { return now_; }
  void run(std::function<void()> work) override { work(); }
  void post(std::function<void()> work) override { at(now_, std::move(work)); }
  std::unique_ptr<Timer> timer(std::function<void()> fire) override;

  /// Runs `work` once the simulated clock is at `when`.
  void at(store::Time when, std::function<void()> work) { queue_.emplace(std::pair(when, next_++), std::move(work)); }
  void after(store::Duration delay, std::function<void()> work) { at(now_ + delay, std::move(work)); }

  /// Runs the next thing. false: there is none.
  bool step();
  /// Runs until nothing is left, or `most` steps were taken. false: something was left.
  bool run_out(std::size_t most);
  /// Runs what is to run until `when`, and lets it be that time.
  void run_until(store::Time when);
  /// Somebody sets the clock: all that waits does so by it.
  void set_clock(store::Time now) { now_ = now; }

 private:
  store::Time now_{std::chrono::milliseconds(1'800'000'000'000)};
  std::uint64_t next_ = 0;
  std::map<std::pair<store::Time, std::uint64_t>, std::function<void()>> queue_;
};

}  // namespace perdure::engine::testing
