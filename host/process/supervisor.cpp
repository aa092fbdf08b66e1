#include "host/process/supervisor.h"

#include <poll.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <unordered_map>
#include <utility>

#include "host/os/process.h"
#include "host/process/adoption.h"
#include "host/process/exit_classifier.h"
#include "host/process/json_slices.h"
#include "host/process/orphan_reaper.h"
#include "host/process/shared.h"
#include "host/process/stopped_process.h"
#include "host/process/version.h"

namespace perdure::process {

namespace {

store::Result<AttemptStacks> read_stacks(pid_t pid, const std::string& answer) {
  AttemptStacks stacks{.pid = pid, .threads = {}, .text = {}};
  std::string error = "The stacks could not be read in time; ask again.";
  for_each_member(answer, [&](std::string_view key, std::string_view value) {
    if (key == "threads") stacks.threads = value;
    if (key == "text") stacks.text = string_of(value).value_or("");
    if (key == "error") error = string_of(value).value_or(error);
  });
  if (!stacks.threads.empty()) return stacks;
  return error == kEndedMeanwhile ? store::Status::conflict(error) : store::Status::unavailable(error);
}

std::vector<std::string> directories_of(const std::vector<SurvivingZygote>& zygotes) {
  std::vector<std::string> directories;
  for (const SurvivingZygote& each : zygotes) directories.push_back(each.temporary);
  return directories;
}

}  // namespace

class Supervisor::Parts {
 public:
  Parts(boost::asio::io_context& io, SupervisorOptions options, std::vector<SurvivingZygote> zygotes)
      : shared_(io, std::move(options), directories_of(zygotes)),
        orphans_(shared_.deadlines),
        adoption_(shared_, orphans_, std::move(zygotes)) {
    shared_.descriptor_limit = os::raise_descriptor_limit();
    OrphanReaper::adopt_orphans();
  }

  void start(AttemptSpec spec, AttemptObserver& observer) {
    const AttemptHandle handle = spec.handle;
    auto owned = std::make_unique<Attempt>();
    Attempt& attempt = *owned;
    attempt.spec = std::move(spec);
    attempt.observer = &observer;
    shared_.attempts.insert_or_assign(handle, std::move(owned));
    Version* version = find(attempt.spec.version);
    if (version == nullptr || version->unloading()) {
      return shared_.announce_failure(handle, host_lost("The plugin version of the attempt is not loaded"));
    }
    const auto index = version->index_of(attempt.spec.task);
    if (!index) {
      return shared_.announce_failure(
          handle, host_lost("The plugin version of the attempt has no task \"" + attempt.spec.task.text() + '"'));
    }
    attempt.task_index = *index;
    attempt.version = version;
    version->start(attempt);
  }

  std::vector<Survivor> survivors() const { return adoption_.survivors(); }

  void adopt(std::uint64_t survivor, AttemptSpec spec, store::Duration executed, AttemptObserver& observer) {
    const AttemptHandle handle = spec.handle;
    auto owned = std::make_unique<Attempt>();
    Attempt& attempt = *owned;
    attempt.spec = std::move(spec);
    attempt.observer = &observer;
    attempt.asked_at = attempt.started_at = std::chrono::steady_clock::now() - executed;
    shared_.attempts.insert_or_assign(handle, std::move(owned));
    adoption_.adopt(survivor, attempt);
  }

  void end_survivors(std::function<void()> gone) {
    adoption_.end_survivors(
        [this, gone = std::move(gone)]() mutable { boost::asio::post(shared_.io, std::move(gone)); });
  }

  void confirm(AttemptHandle handle) {
    Attempt* attempt = shared_.find(handle);
    if (attempt != nullptr && attempt->child != nullptr) attempt->child->confirm();
  }

  void reply(AttemptHandle handle, std::uint64_t request, const AttemptReply& reply) {
    Attempt* attempt = shared_.find(handle);
    if (attempt != nullptr && attempt->child != nullptr) attempt->child->reply(request, reply);
  }

  void wait(AttemptHandle handle, bool waits) {
    Attempt* attempt = shared_.find(handle);
    if (attempt != nullptr && attempt->child != nullptr) attempt->child->wait(waits);
  }

  void stop(AttemptHandle handle, StopReason reason, const std::string& words) {
    Attempt* attempt = shared_.find(handle);
    if (attempt == nullptr) return;
    if (attempt->child != nullptr) return attempt->child->stop(reason, words);
    if (attempt->version == nullptr || !attempt->version->withdraw(*attempt)) return;
    shared_.announce_failure(handle, reason == StopReason::kShutdown
                                         ? host_lost("The host was shut down before the attempt had begun")
                                         : canceled());
  }

  void stacks(AttemptHandle handle, std::function<void(store::Result<AttemptStacks>)> done) {
    const Attempt* attempt = shared_.find(handle);
    const Child* child = attempt == nullptr ? nullptr : attempt->child;
    if (child == nullptr || child->state() != ChildState::kExecuting) {
      return done(store::Status::conflict(child == nullptr ? "The attempt has no process yet; ask again in a moment."
                                                           : kEndedMeanwhile));
    }
    shared_.backtraces.request_stacks(
        child->pid(), child->parent(),
        [pid = child->pid(), done = std::move(done)](const std::string& answer) { done(read_stacks(pid, answer)); });
  }

  void load(const store::VersionId& id, const std::string& path, const std::string& library_path,
            std::function<void(store::Result<Manifest>)> done) {
    if (find(id) != nullptr) {
      return boost::asio::post(shared_.io, [done = std::move(done)] {
        done(store::Status::conflict("this version of the plugin is loaded already"));
      });
    }
    auto version = std::make_unique<Version>(shared_, orphans_, path, library_path,
                                             [this, id](Version& gone) { forget(id, gone); });
    Version& loading = *version;
    versions_.emplace(id, std::move(version));
    loading.load(std::move(done));
  }

  void surround(const store::VersionId& id, std::vector<Beside> plugins, std::function<void(Surroundings)> changed) {
    if (Version* version = find(id)) version->surround(std::move(plugins), std::move(changed));
  }

  // A version that is on its way out makes room for the same one loaded anew.
  void unload(const store::VersionId& id) {
    const auto found = versions_.find(id);
    if (found == versions_.end()) return;
    auto version = std::move(found->second);
    versions_.erase(found);
    Version& leaving = *version;
    leaving_.push_back(std::move(version));
    leaving.unload();
  }

  const MemoryInForce& memory_in_force() const { return shared_.guard.in_force(); }

  std::vector<std::int32_t> zygote_pids(const store::VersionId& id) const {
    std::vector<std::int32_t> pids;
    if (const Version* version = find(id)) {
      for (const auto& zygote : version->zygotes()) pids.push_back(zygote->pid());
    }
    return pids;
  }

  void leave_attempts() {
    for_each_zygote([this](Zygote& zygote) { leave(zygote); });
  }

  void end() {
    if (!adoption_.decided()) {  // a host that did not come so far leaves them to the next one
      for (const auto& zygote : adoption_.zygotes()) leave(*zygote);
    }
    std::vector<Zygote*> ending;
    for_each_zygote([&ending](Zygote& zygote) {
      if (zygote.state() == Zygote::State::kDead) return;
      zygote.quit();
      ending.push_back(&zygote);
    });
    const Instant deadline = std::chrono::steady_clock::now() + std::chrono::seconds(3);
    for (Instant now = std::chrono::steady_clock::now(); now < deadline; now = std::chrono::steady_clock::now()) {
      std::erase_if(ending, [](Zygote* zygote) { return zygote->reap(); });
      if (orphans_.reap() && ending.empty()) break;
      poll(nullptr, 0, 1);
    }
  }

 private:
  template <class Each>
  void for_each_zygote(Each each) const {
    for (const auto& [id, version] : versions_) {
      for (const auto& zygote : version->zygotes()) each(*zygote);
    }
    for (const auto& version : leaving_) {
      for (const auto& zygote : version->zygotes()) each(*zygote);
    }
    for (const auto& zygote : adoption_.zygotes()) each(*zygote);
  }

  void leave(Zygote& zygote) {
    if (zygote.leave_to_the_next_host()) shared_.temporary.keep(zygote.temporary());
  }

  Version* find(const store::VersionId& id) const {
    const auto found = versions_.find(id);
    return found == versions_.end() ? nullptr : found->second.get();
  }

  void forget(const store::VersionId& id, Version& gone) {
    shared_.deadlines.clear(gone);
    const auto found = versions_.find(id);
    if (found != versions_.end() && found->second.get() == &gone) {
      shared_.events.retire(std::move(found->second));
      versions_.erase(found);
      return;
    }
    const auto leaving = std::ranges::find(leaving_, &gone, &std::unique_ptr<Version>::get);
    if (leaving == leaving_.end()) return;
    shared_.events.retire(std::move(*leaving));
    leaving_.erase(leaving);
  }

  Shared shared_;
  OrphanReaper orphans_;
  Adoption adoption_;
  std::unordered_map<store::VersionId, std::unique_ptr<Version>> versions_;
  std::vector<std::unique_ptr<Version>> leaving_;
};

Supervisor::Supervisor(boost::asio::io_context& io, SupervisorOptions options, std::vector<SurvivingZygote> zygotes)
    : parts_(std::make_unique<Parts>(io, std::move(options), std::move(zygotes))) {}

Supervisor::~Supervisor() { parts_->end(); }

void Supervisor::leave_attempts() { parts_->leave_attempts(); }

void Supervisor::start(AttemptSpec spec, AttemptObserver& observer) { parts_->start(std::move(spec), observer); }
void Supervisor::confirm(AttemptHandle attempt) { parts_->confirm(attempt); }
void Supervisor::reply(AttemptHandle attempt, std::uint64_t request, AttemptReply reply) {
  parts_->reply(attempt, request, reply);
}
void Supervisor::wait(AttemptHandle attempt, bool waits) { parts_->wait(attempt, waits); }
void Supervisor::stop(AttemptHandle attempt, StopReason reason, const std::string& words) {
  parts_->stop(attempt, reason, words);
}

std::vector<Survivor> Supervisor::survivors() { return parts_->survivors(); }
void Supervisor::adopt(std::uint64_t survivor, AttemptSpec spec, store::Duration executed, AttemptObserver& observer) {
  parts_->adopt(survivor, std::move(spec), executed, observer);
}
void Supervisor::end_survivors(std::function<void()> gone) { parts_->end_survivors(std::move(gone)); }

void Supervisor::load(const store::VersionId& version, const std::string& path, const std::string& library_path,
                      std::function<void(store::Result<Manifest>)> done) {
  parts_->load(version, path, library_path, std::move(done));
}

void Supervisor::surround(const store::VersionId& version, std::vector<Beside> plugins,
                          std::function<void(Surroundings)> changed) {
  parts_->surround(version, std::move(plugins), std::move(changed));
}

void Supervisor::unload(const store::VersionId& version) { parts_->unload(version); }

const MemoryInForce& Supervisor::memory_in_force() const { return parts_->memory_in_force(); }

void Supervisor::stacks(AttemptHandle attempt, std::function<void(store::Result<AttemptStacks>)> done) {
  parts_->stacks(attempt, std::move(done));
}

std::vector<std::int32_t> Supervisor::zygote_pids(const store::VersionId& version) const {
  return parts_->zygote_pids(version);
}

}  // namespace perdure::process
