// A store of the product with as many runs in it as wanted, made through its own interface. Single-threaded; dies when
// the store refuses something.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "store/store.h"

namespace perdure::bench {

class FilledStore {
 public:
  /// Opens the store of the data directory `dir`, made when there is none.
  explicit FilledStore(std::string dir);

  /// Adds runs of `task` that are ready, in its queue; each of `keys` concurrency keys gets its turn.
  void add_queued(const std::string& task, const std::string& payload, long runs, long keys);
  /// Adds runs that have completed, but for one in a thousand: that failed, is of another task (kRareTask) and has a
  /// tag (kRareTag).
  void add_finished(long runs);
  /// Adds runs that are all due at `due`.
  void add_delayed(long runs, store::Time due);
  static constexpr auto kTask = "echo", kRareTask = "echo-recycled", kRareTag = "rare";

  /// Runs claimed per second, a few at a time, as a host with free slots does. They execute from then on.
  double claim(long runs);
  /// Runs made ready per second, all of those that are due at `due`.
  double wake(store::Time due);

  /// Waits until RocksDB's background work is done, so that it disturbs no measurement.
  void settle();

 private:
  store::NewRun next_run();
  void enqueue_all(long runs, const std::function<void(long, store::NewRun&)>& shape);

  std::unique_ptr<store::Store> store_;
};

}  // namespace perdure::bench
