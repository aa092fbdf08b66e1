// The global hooks of other plugins around a version's tasks: its zygotes load those plugins beside it. A change is a
// new zygote with the new set; the old ones serve until that one has loaded, and leave once they are idle. See
// plugin_loader.h for what is promised.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <filesystem>
#include <utility>

#include "host/process/version.h"

namespace perdure::process {
namespace {

constexpr std::chrono::milliseconds kFormAgain{10'000};  // after the version itself could not be loaded anew

}  // namespace

void Version::surround(std::vector<Beside> plugins, std::function<void(Surroundings)> changed) {
  surroundings_changed_ = std::move(changed);
  asked_ = std::move(plugins);
  left_out_.clear();
  if (Zygote* superseded = std::exchange(forming_, nullptr)) superseded->leave();
  form();
}

void Version::form() {
  form_at_.reset();
  if (unloading_) return;
  if (asked_ == in_force_) return tell_surroundings();
  auto zygote = std::make_unique<Zygote>(shared_, *this);
  if (store::Status status = zygote->start(plugin_, library_path_, asked_, false); !status) {
    last_trouble_ = status.message();
    shared_.events.retire(std::move(zygote));
    return not_formed(false);
  }
  forming_ = zygote.get();
  zygotes_.push_back(std::move(zygote));
}

void Version::formed(Zygote& zygote, const Manifest& manifest) {
  forming_ = nullptr;
  in_force_ = asked_;
  isolation_ = manifest.isolation;
  isolation_reason_ = manifest.isolation_reason;
  for (const auto& each : zygotes_) {
    if (each.get() != &zygote) each->leave();
  }
  restart_at_.reset();
  tell_surroundings();
}

// `blamed_another`: it goes on without that one. Else the version itself, which has loaded before, has not this time.
void Version::not_formed(bool blamed_another) {
  if (blamed_another) return form();
  const Instant now = std::chrono::steady_clock::now();
  form_at_ = now + kFormAgain;
  schedule(now);
  tell_surroundings();
}

void Version::leave_out(const Beside& other, const std::string& why) {
  std::erase(asked_, other);
  std::erase(in_force_, other);
  left_out_.push_back({other.version, why});
  if (shared_.options.warn) {
    const auto name = [](const std::string& path) { return std::filesystem::path(path).filename().string(); };
    shared_.options.warn("the global hooks of " + name(other.path) + " do not stand around the tasks of " +
                         name(plugin_) + ": it could not be loaded beside it: " + why);
  }
  if (forming_ == nullptr) tell_surroundings();
}

void Version::tell_surroundings() {
  if (!surroundings_changed_) return;
  boost::asio::post(shared_.io, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired() || !surroundings_changed_) return;
    Surroundings now;
    for (const Beside& each : in_force_) now.in_force.push_back(each.version);
    now.left_out = left_out_;
    now.isolation = isolation_;
    now.isolation_reason = isolation_reason_;
    const auto changed = surroundings_changed_;
    changed(std::move(now));
  });
}

}  // namespace perdure::process
