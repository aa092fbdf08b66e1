// The engine and the plugins: tasks that are held in quarantine, and what clients ask of the catalog.
#include <algorithm>
#include <utility>

#include "host/engine/core_engine.h"

namespace perdure::engine {

namespace {

// Runs that are put back in one go, so that nothing else waits long for the store or the core.
constexpr std::size_t kPutBackAtOnce = 5000;

}  // namespace

void CoreEngine::put_back(const store::TaskId& task, const std::optional<store::VersionId>& version) {
  if (store_.put_back(task, version, kPutBackAtOnce) < kPutBackAtOnce) return;
  core_.post([this, alive = std::weak_ptr(alive_), task, version] {
    if (!alive.expired()) put_back(task, version);
  });
}

void CoreEngine::quarantine(const store::VersionId& version, const store::TaskId& task,
                            catalog::Quarantine::Change change) {
  switch (change) {
    case catalog::Quarantine::Change::kNone:
      return;
    case catalog::Quarantine::Change::kProbe:
      store_.put_back(task, version, 1);
      return;
    case catalog::Quarantine::Change::kOpened:
      break;
    case catalog::Quarantine::Change::kClosed:
      put_back(task, version);
      break;
  }
  probe_timer_->set(quarantine_.next_probe());
  show_held();
}

void CoreEngine::probe() {
  for (const auto& [version, task] : quarantine_.probe_due(core_.now())) store_.put_back(task, version, 1);
  probe_timer_->set(quarantine_.next_probe());
  show_held();
}

// Lets every thread see what is held now, and tells what changed.
void CoreEngine::show_held() {
  std::vector<catalog::Held> now = quarantine_.held();
  std::vector<catalog::Held> before;
  {
    const std::lock_guard lock(catalog_mutex_);
    before = std::exchange(held_, now);
  }
  if (!options_.quarantined) return;
  const auto in = [](const std::vector<catalog::Held>& all, const catalog::Held& one) {
    return std::ranges::any_of(
        all, [&](const catalog::Held& each) { return each.version == one.version && each.task == one.task; });
  };
  for (const catalog::Held& each : now) {
    if (!in(before, each)) options_.quarantined(each, true);
  }
  for (const catalog::Held& each : before) {
    if (!in(now, each)) options_.quarantined(each, false);
  }
}

std::vector<catalog::Held> CoreEngine::held() const {
  const std::lock_guard lock(catalog_mutex_);
  return held_;
}

void CoreEngine::roll_back(const std::string& plugin, const std::string& to, store::Done<catalog::PluginVersion> done) {
  core_.run([this, alive = std::weak_ptr(alive_), plugin, to, done = std::move(done)] {
    if (alive.expired() || control_ == nullptr) return done(store::Status::unavailable("The host is stopping."));
    done(control_->roll_back(plugin, to));
  });
}

void CoreEngine::release(const std::string& plugin, store::Done<std::vector<store::TaskId>> done) {
  core_.run([this, alive = std::weak_ptr(alive_), plugin, done = std::move(done)] {
    if (alive.expired() || control_ == nullptr) return done(store::Status::unavailable("The host is stopping."));
    if (const store::Status status = control_->retry(plugin); !status) return done(status);
    std::vector<store::TaskId> released;
    for (const catalog::PluginVersion& version : catalog()->plugins) {
      if (!version.called(plugin)) continue;
      for (const store::TaskId& task : quarantine_.release(version.id)) {
        released.push_back(task);
        put_back(task, version.id);
      }
    }
    probe_timer_->set(quarantine_.next_probe());
    show_held();
    done(std::move(released));
  });
}

}  // namespace perdure::engine
