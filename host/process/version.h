// One plugin version as the supervisor runs it: its zygotes, and the attempts that wait for a process. Decides which
// child serves an attempt, how many children are forked ahead, and when a second zygote is worth its memory.
// Core thread only.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "host/process/orphan_reaper.h"
#include "host/process/plugin_loader.h"
#include "host/process/shared.h"
#include "host/process/zygote.h"

namespace perdure::process {

class Version final : public ZygoteOwner, public Watcher, public Timed {
 public:
  using Loaded = std::function<void(store::Result<Manifest>)>;
  /// Told that the version has no zygote and will have none: it was refused, or unloaded.
  using Gone = std::function<void(Version&)>;

  Version(Shared& shared, OrphanReaper& orphans, std::string plugin, std::string library_path, Gone gone);
  ~Version() override;

  /// Starts the first zygote. `done` is called once.
  void load(Loaded done);
  /// The place of `task` in the manifest.
  [[nodiscard]] std::optional<std::uint32_t> index_of(const store::TaskId& task) const;
  /// Gives `attempt` a process as soon as one can be had.
  void start(Attempt& attempt);
  /// Takes back an attempt that has no process. False when it is not waiting.
  bool withdraw(Attempt& attempt);
  /// PluginLoader::surround(), once loaded.
  void surround(std::vector<Beside> plugins, std::function<void(Surroundings)> changed);
  /// Ends the zygotes when their attempts have ended.
  void unload();
  [[nodiscard]] bool unloading() const { return unloading_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Zygote>>& zygotes() const { return zygotes_; }

  void loaded(Zygote& zygote, Manifest manifest) override;
  void died(Zygote& zygote, bool was_loading, const std::string& why) override;
  void serve() override;
  void not_started(Attempt& attempt, const std::string& why) override;
  void kill_orphans(const std::vector<pid_t>& children, std::function<void()> gone) override;

  void on_event(std::uint32_t, std::uint32_t) override {}
  void on_deadline(Instant now) override;

 private:
  enum class Placed : std::uint8_t { kYes, kNotYet, kNoRoom };
  Placed place(Attempt& attempt, bool may_wait);
  bool place_with(Attempt& attempt, Child* child);
  void give_up_on_late(Instant now);
  void grow_spares();
  void close_window(Instant now);
  void schedule(Instant now);
  store::Status add_zygote();
  void leave_if_idle();

  // surroundings.cpp
  void form();
  void formed(Zygote& zygote, const Manifest& manifest);
  void not_formed(bool blamed_another);
  void leave_out(const Beside& other, const std::string& why);
  void tell_surroundings();

  Shared& shared_;
  OrphanReaper& orphans_;
  const std::string plugin_, library_path_;
  Gone gone_;
  Loaded done_;  // until the first load has ended
  bool unloading_ = false;
  std::unordered_map<std::string, std::uint32_t> tasks_;
  std::vector<std::unique_ptr<Zygote>> zygotes_;
  std::list<Attempt*> waiting_;
  bool serving_ = false;

  // Since when the last zygote is gone, and what is done about it.
  std::optional<Instant> restart_at_;
  std::uint32_t restarts_ = 0;
  Instant serving_since_{};
  std::optional<Instant> pause_until_;  // a process could not be had
  std::string last_trouble_;

  // What stands around the tasks. New zygotes have `in_force_`; `forming_` is to bring `asked_` into force.
  std::vector<Beside> asked_, in_force_;
  std::vector<Surroundings::LeftOut> left_out_;
  std::function<void(Surroundings)> surroundings_changed_;
  Zygote* forming_ = nullptr;
  std::optional<Instant> form_at_;  // again
  std::string isolation_, isolation_reason_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);

  // The present window of observation.
  Instant window_began_{};
  std::uint32_t starts_ = 0;
  std::uint32_t unready_ = 0;  // of these, found no child ready
  std::uint32_t peak_ = 0;     // attempts at once that were not long
  std::uint32_t quiet_windows_ = 0;
  std::uint32_t spares_ = 0;  // wanted, all zygotes together
};

}  // namespace perdure::process
