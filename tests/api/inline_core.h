// A core thread that is whoever calls: work is done at once, one after the other; timers never fire. Any thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "host/engine/core.h"

namespace perdure::api {

class InlineCore final : public engine::Core {
 public:
  [[nodiscard]] store::Time now() const override {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }
  [[nodiscard]] store::ClockStand clock() const override { return {}; }
  void on_clock_set(std::function<void()>) override {}
  void adopt_clock() override {}
  void run(std::function<void()> work) override {
    const std::lock_guard lock(mutex_);
    work();
  }
  void post(std::function<void()> work) override { run(std::move(work)); }
  std::unique_ptr<engine::Timer> timer(std::function<void()>) override { return std::make_unique<Silent>(); }

 private:
  struct Silent final : engine::Timer {
    void set(std::optional<store::Time>) override {}
    void after(store::Duration) override {}
  };
  std::recursive_mutex mutex_;
};

}  // namespace perdure::api
