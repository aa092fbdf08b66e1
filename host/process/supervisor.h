// The host's side of zygotes and attempts: starts them, gives attempts their processes, hears how they end, and leaves
// nothing of them behind. The launcher of the engine and the plugin loader of the catalog.
//
// Everything runs on the one thread that runs the io_context (the core thread); nothing blocks. Observers and callbacks
// are called on that thread, never from within start(), stop() or load(). Make one supervisor for a process: it adopts
// the orphans of its zygotes, and raises the limit of open descriptors.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>

#include "host/process/launcher.h"
#include "host/process/plugin_loader.h"
#include "host/process/stack_source.h"
#include "host/process/supervisor_options.h"
#include "host/process/surviving_zygotes.h"

namespace perdure::process {

class Supervisor final : public Launcher, public PluginLoader, public StackSource {
 public:
  /// `zygotes` outlived the host before this one; end_survivors() must be called when there are any.
  Supervisor(boost::asio::io_context& io, SupervisorOptions options, std::vector<SurvivingZygote> zygotes = {});
  /// Ends every zygote with all its attempts, and waits for that, a few seconds at most. No observer is called any
  /// more. Survivors about which end_survivors() has not decided stay for the next host.
  ~Supervisor() override;
  /// From now on nothing is heard of attempts, and those that execute when the supervisor goes stay for the next host,
  /// where SupervisorOptions::handover names a place for that.
  void leave_attempts();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  void start(AttemptSpec spec, AttemptObserver& observer) override;
  void confirm(AttemptHandle attempt) override;
  void wait(AttemptHandle attempt, bool waits) override;
  void reply(AttemptHandle attempt, std::uint64_t request, AttemptReply reply) override;
  void stop(AttemptHandle attempt, StopReason reason, const std::string& words = {}) override;
  std::vector<Survivor> survivors() override;
  void adopt(std::uint64_t survivor, AttemptSpec spec, store::Duration executed, AttemptObserver& observer) override;
  void end_survivors(std::function<void()> gone) override;

  void stacks(AttemptHandle attempt, std::function<void(store::Result<AttemptStacks>)> done) override;

  void load(const store::VersionId& version, const std::string& path, const std::string& library_path,
            std::function<void(store::Result<Manifest>)> done) override;
  void surround(const store::VersionId& version, std::vector<Beside> plugins,
                std::function<void(Surroundings)> changed) override;
  void unload(const store::VersionId& version) override;

  /// How the memory of attempts is limited here.
  [[nodiscard]] const MemoryInForce& memory_in_force() const;

  /// The process ids of a version's zygotes, for status pages and tests.
  [[nodiscard]] std::vector<std::int32_t> zygote_pids(const store::VersionId& version) const;

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace perdure::process
