#include "host/process/shared.h"

#include <sys/stat.h>

#include <boost/asio/post.hpp>
#include <utility>

#include "host/process/child.h"

namespace perdure::process {

namespace {

// `tell`, to be called on any thread.
std::function<void(const std::string&)> on_core(boost::asio::io_context& io,
                                                std::function<void(const std::string&)> tell) {
  return [&io, tell = std::move(tell)](const std::string& message) {
    if (tell) boost::asio::post(io, [tell, message] { tell(message); });
  };
}

// What hosts of one data directory share, and those of others do not; 0 where attempts do not outlive their host.
std::uint64_t owner_of(const std::string& handover) {
  struct stat directory {};
  return !handover.empty() && stat(handover.c_str(), &directory) == 0
             ? static_cast<std::uint64_t>(directory.st_dev) << 32 ^ directory.st_ino
             : 0;
}

}  // namespace

Shared::Shared(boost::asio::io_context& io_context, SupervisorOptions given, const std::vector<std::string>& in_use)
    : io(io_context),
      options(std::move(given)),
      events(io_context, [this] { announce(); }),
      deadlines(io_context),
      backtraces(options, events, deadlines),
      temporary(options.temporary, options.user.has_value(), on_core(io, options.warn), in_use),
      guard(
          io_context, options.memory_control, [this](AttemptHandle attempt) { exceeded(attempt); }, !in_use.empty(),
          owner_of(options.handover)) {}

void Shared::exceeded(AttemptHandle handle) {
  const Attempt* attempt = find(handle);
  if (attempt != nullptr && attempt->child != nullptr) attempt->child->out_of_memory();
}

void Shared::announce_started(AttemptObserver& observer, AttemptHandle attempt, std::int32_t pid) {
  announcements_.push_back({&observer, attempt, pid, {}});
  schedule();
}

void Shared::announce_failure(AttemptHandle attempt, store::Failure failure) {
  announcements_.push_back({nullptr, attempt, 0, std::move(failure)});
  schedule();
}

void Shared::schedule() {
  if (std::exchange(scheduled_, true)) return;
  boost::asio::post(io, [this, alive = std::weak_ptr<bool>(alive_)] {
    if (alive.expired()) return;
    scheduled_ = false;
    announce();
  });
}

void Shared::announce() {
  while (!announcements_.empty() && spoken_.empty()) {
    spoken_.swap(announcements_);
    for (Announcement& each : spoken_) {
      if (each.observer != nullptr) {
        each.observer->on_started(each.attempt, each.pid);
        continue;
      }
      Attempt* attempt = find(each.attempt);
      if (attempt == nullptr) continue;
      AttemptResult result;
      result.failure = std::move(each.failure);
      attempt->observer->on_result(each.attempt, std::move(result));
      release(*attempt);
    }
    spoken_.clear();
  }
}

void Shared::release(Attempt& attempt) {
  const auto found = attempts.find(attempt.spec.handle);
  const std::unique_ptr<Attempt> owned = std::move(found->second);
  attempts.erase(found);
  owned->observer->on_released(owned->spec.handle);
}

Attempt* Shared::find(AttemptHandle attempt) {
  const auto found = attempts.find(attempt);
  return found == attempts.end() ? nullptr : found->second.get();
}

}  // namespace perdure::process
