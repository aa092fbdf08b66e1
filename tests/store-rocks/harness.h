// What the engine's tests share: a directory of their own, the store's calls made to wait for their answer, and a
// listener whose events can be waited for. One thread each, except EventListener.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "store/rocks/rocks.h"
#include "store/store.h"

namespace perdure::store::rocks {

/// A fresh directory, removed with everything in it.
class TempDirectory {
 public:
  TempDirectory();
  ~TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Options without a reserve, for `directory`.
RocksOptions options_for(const std::string& directory);
/// Opens the store; a failure ends the test program, since nothing can be tested without it.
std::unique_ptr<Store> open_or_die(const RocksOptions& options);

inline constexpr Time kStart{std::chrono::milliseconds(1'700'000'000'000)};

NewRun new_run(Time now, const std::string& task = "echo");
/// The end of a claimed attempt, by success.
AttemptEnd success_of(const Claim& claim, Time now);
/// … by a failure after which the run goes on as `after` says.
AttemptEnd failure_of(const Claim& claim, Time now, AfterFailure after);

/// Waits for what `call` gives to its Done.
template <class T>
Result<T> await(const std::function<void(Done<T>)>& call) {
  std::promise<Result<T>> promise;
  call([&promise](Result<T> result) { promise.set_value(std::move(result)); });
  return promise.get_future().get();
}

Result<Enqueued> enqueue(Store& store, NewRun run);
std::vector<Claim> claim(Store& store, std::size_t max, Time now);
Result<Run> finish(Store& store, AttemptEnd end);
Result<Run> cancel(Store& store, const RunId& run, Time now);
Result<std::size_t> wake_due(Store& store, Time now);
Result<std::size_t> recover(Store& store, Time now);
Status synced(Store& store);

class EventListener final : public Listener {
 public:
  void on_ready() override {
    note([this] { ++ready_; });
  }
  void on_due_changed() override {
    note([this] { ++due_changed_; });
  }
  void on_run_changed(const RunId& run, RunStatus status) override {
    note([&] { changed_.emplace_back(run, status); });
  }
  void on_version_free(const VersionId& version) override {
    note([&] { free_.push_back(version); });
  }
  void on_health(const Status& health) override {
    note([&] { health_.push_back(health); });
  }

  /// Waits until the last health told is ok (or not ok); false after 20 s.
  bool wait_for_health(bool ok);
  /// Waits until so many versions were told to be free; false after 20 s.
  bool wait_for_free(std::size_t count);
  [[nodiscard]] std::vector<VersionId> free() const;
  [[nodiscard]] std::size_t ready() const;
  [[nodiscard]] std::vector<Status> health() const;
  [[nodiscard]] std::vector<std::pair<RunId, RunStatus>> changed() const;

 private:
  template <class F>
  void note(F change) {
    {
      std::lock_guard lock(mutex_);
      change();
    }
    happened_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable happened_;
  std::size_t ready_ = 0, due_changed_ = 0;
  std::vector<std::pair<RunId, RunStatus>> changed_;
  std::vector<Status> health_;
  std::vector<VersionId> free_;
};

}  // namespace perdure::store::rocks
