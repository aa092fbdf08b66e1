// Who wants to hear of which run: the live side of the API. Any thread.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "host/engine/engine.h"

namespace perdure::engine {

class WatchHub : public std::enable_shared_from_this<WatchHub> {
 public:
  /// See Engine::watch.
  std::unique_ptr<Subscription> watch(const store::RunId& run, std::function<void()> changed);
  /// See Engine::watch_all.
  std::unique_ptr<Subscription> watch_all(std::function<void(const store::RunId& run)> changed);
  /// Calls everyone who watches `run`, on this thread.
  void tell(const store::RunId& run);

 private:
  class Entry;
  class EntryOfAll;
  using OfAll = std::shared_ptr<std::function<void(const store::RunId& run)>>;
  struct Watcher {
    const Entry* entry;
    std::shared_ptr<std::function<void()>> changed;
  };
  void forget_of_all(const OfAll& changed);
  void forget(const store::RunId& run, const Entry* entry);

  std::mutex mutex_;
  std::unordered_map<store::RunId, std::vector<Watcher>> watchers_;
  std::vector<OfAll> of_all_;
};

}  // namespace perdure::engine
