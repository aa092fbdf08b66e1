#include "host/engine/watch_hub.h"

#include <algorithm>
#include <utility>

namespace perdure::engine {

class WatchHub::Entry final : public Subscription {
 public:
  Entry(std::shared_ptr<WatchHub> hub, store::RunId run) : hub_(std::move(hub)), run_(std::move(run)) {}
  ~Entry() override { hub_->forget(run_, this); }

 private:
  std::shared_ptr<WatchHub> hub_;
  store::RunId run_;
};

std::unique_ptr<Subscription> WatchHub::watch(const store::RunId& run, std::function<void()> changed) {
  auto entry = std::make_unique<Entry>(shared_from_this(), run);
  const std::lock_guard lock(mutex_);
  watchers_[run].push_back({entry.get(), std::make_shared<std::function<void()>>(std::move(changed))});
  return entry;
}

class WatchHub::EntryOfAll final : public Subscription {
 public:
  EntryOfAll(std::shared_ptr<WatchHub> hub, OfAll changed) : hub_(std::move(hub)), changed_(std::move(changed)) {}
  ~EntryOfAll() override { hub_->forget_of_all(changed_); }

 private:
  std::shared_ptr<WatchHub> hub_;
  OfAll changed_;
};

std::unique_ptr<Subscription> WatchHub::watch_all(std::function<void(const store::RunId&)> changed) {
  auto shared = std::make_shared<std::function<void(const store::RunId&)>>(std::move(changed));
  auto entry = std::make_unique<EntryOfAll>(shared_from_this(), shared);
  const std::lock_guard lock(mutex_);
  of_all_.push_back(std::move(shared));
  return entry;
}

void WatchHub::tell(const store::RunId& run) {
  std::vector<std::shared_ptr<std::function<void()>>> called;
  std::vector<OfAll> of_all;
  {
    const std::lock_guard lock(mutex_);
    of_all = of_all_;
    if (const auto it = watchers_.find(run); it != watchers_.end()) {
      for (const Watcher& watcher : it->second) called.push_back(watcher.changed);
    }
  }
  for (const auto& changed : called) (*changed)();
  for (const OfAll& changed : of_all) (*changed)(run);
}

void WatchHub::forget_of_all(const OfAll& changed) {
  const std::lock_guard lock(mutex_);
  std::erase(of_all_, changed);
}

void WatchHub::forget(const store::RunId& run, const Entry* entry) {
  const std::lock_guard lock(mutex_);
  const auto it = watchers_.find(run);
  if (it == watchers_.end()) return;
  std::erase_if(it->second, [&](const Watcher& watcher) { return watcher.entry == entry; });
  if (it->second.empty()) watchers_.erase(it);
}

}  // namespace perdure::engine
