#include "tests/engine/simulated_core.h"

#include <algorithm>

namespace perdure::engine::testing {

class SimulatedTimer final : public Timer {
 public:
  SimulatedTimer(SimulatedCore& core, std::function<void()> fire)
      : core_(core), fire_(std::make_shared<std::function<void()>>(std::move(fire))) {
    core_.timers_.insert(this);
  }
  ~SimulatedTimer() override { core_.timers_.erase(this); }
  SimulatedTimer(const SimulatedTimer&) = delete;
  SimulatedTimer& operator=(const SimulatedTimer&) = delete;

  void set(std::optional<store::Time> when) override {
    when_ = when;
    ++*setting_;
    if (when) sleep(std::max(*when - core_.now(), store::Duration{}));
  }

  void after(store::Duration duration) override {
    when_.reset();
    ++*setting_;
    sleep(duration);
  }

  /// The wall clock stands differently.
  void look_again() {
    if (when_) set(when_);
  }

 private:
  void sleep(store::Duration duration) {
    core_.after(duration, [this, fire = std::weak_ptr(fire_), current = *setting_, setting = setting_] {
      const auto alive = fire.lock();
      if (!alive || *setting != current) return;
      when_.reset();
      (*alive)();
    });
  }

  SimulatedCore& core_;
  std::optional<store::Time> when_;
  std::shared_ptr<std::function<void()>> fire_;
  std::shared_ptr<std::uint64_t> setting_ = std::make_shared<std::uint64_t>(0);
};

std::unique_ptr<Timer> SimulatedCore::timer(std::function<void()> fire) {
  return std::make_unique<SimulatedTimer>(*this, std::move(fire));
}

void SimulatedCore::adopt_clock() {
  known_ = wall_;
  for (SimulatedTimer* const timer : timers_) timer->look_again();
}

void SimulatedCore::set_clock(store::Duration by, store::Duration late) {
  wall_ += by;
  after(late, [this] { was_set_ ? was_set_() : adopt_clock(); });
}

void SimulatedCore::set_clock(store::Time to) {
  wall_ += to - now();
  was_set_ ? was_set_() : adopt_clock();
}

bool SimulatedCore::step() {
  if (queue_.empty()) return false;
  auto next = queue_.extract(queue_.begin());
  elapsed_ = std::max(elapsed_, next.key().first);
  next.mapped()();
  return true;
}

void SimulatedCore::run_until(store::Time when) {
  const auto until = [&] { return when - store::Time(known_); };  // the clock may be set meanwhile
  while (!queue_.empty() && queue_.begin()->first.first <= until()) step();
  elapsed_ = std::max(elapsed_, until());
}

bool SimulatedCore::run_out(std::size_t most) {
  while (most-- > 0) {
    if (!step()) return true;
  }
  return queue_.empty();
}

}  // namespace perdure::engine::testing
