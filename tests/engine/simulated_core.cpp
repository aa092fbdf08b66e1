#include "tests/engine/simulated_core.h"

#include <algorithm>

namespace perdure::engine::testing {

namespace {

class SimulatedTimer final : public Timer {
 public:
  SimulatedTimer(SimulatedCore& core, std::function<void()> fire)
      : core_(core), fire_(std::make_shared<std::function<void()>>(std::move(fire))) {}

  void set(std::optional<store::Time> when) override {
    const std::uint64_t setting = ++*setting_;
    if (!when) return;
    core_.at(std::max(*when, core_.now()), [fire = std::weak_ptr(fire_), current = setting_, setting] {
      const auto alive = fire.lock();
      if (alive && *current == setting) (*alive)();
    });
  }

 private:
  SimulatedCore& core_;
  std::shared_ptr<std::function<void()>> fire_;
  std::shared_ptr<std::uint64_t> setting_ = std::make_shared<std::uint64_t>(0);
};

}  // namespace

std::unique_ptr<Timer> SimulatedCore::timer(std::function<void()> fire) {
  return std::make_unique<SimulatedTimer>(*this, std::move(fire));
}

bool SimulatedCore::step() {
  if (queue_.empty()) return false;
  auto next = queue_.extract(queue_.begin());
  now_ = std::max(now_, next.key().first);
  next.mapped()();
  return true;
}

void SimulatedCore::run_until(store::Time when) {
  while (!queue_.empty() && queue_.begin()->first.first <= when) step();
  now_ = std::max(now_, when);
}

bool SimulatedCore::run_out(std::size_t most) {
  while (most-- > 0) {
    if (!step()) return true;
  }
  return queue_.empty();
}

}  // namespace perdure::engine::testing
