// A listener that remembers what it was told, and lets a test wait for it. Any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

#include "store/store.h"

namespace perdure::store::conformance {

class RecordingListener final : public Listener {
 public:
  void on_ready() override {
    note([this] { ++told_.ready; });
  }
  void on_due_changed() override {
    note([this] { ++told_.due_changed; });
  }
  void on_run_changed(const RunId& run, RunStatus status) override {
    note([&] { told_.changed.emplace_back(run, status); });
  }
  void on_version_free(const VersionId& version) override {
    note([&] { told_.free.push_back(version); });
  }
  void on_health(const Status& health) override {
    note([&] { told_.health.push_back(health); });
  }

  struct Told {
    std::size_t ready = 0, due_changed = 0;
    std::vector<std::pair<RunId, RunStatus>> changed;
    std::vector<VersionId> free;
    std::vector<Status> health;

    [[nodiscard]] std::vector<RunStatus> statuses_of(const RunId& run) const {
      std::vector<RunStatus> statuses;
      for (const auto& [id, status] : changed) {
        if (id == run) statuses.push_back(status);
      }
      return statuses;
    }
  };
  [[nodiscard]] Told told() const {
    std::lock_guard lock(mutex_);
    return told_;
  }
  /// Waits until what was told satisfies `enough`; false when it does not for half a minute.
  template <class Enough>
  bool wait_until(Enough enough) {
    std::unique_lock lock(mutex_);
    return happened_.wait_for(lock, std::chrono::seconds(30), [&] { return enough(std::as_const(told_)); });
  }

 private:
  template <class Change>
  void note(Change change) {
    {
      std::lock_guard lock(mutex_);
      change();
    }
    happened_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable happened_;
  Told told_;
};

}  // namespace perdure::store::conformance
