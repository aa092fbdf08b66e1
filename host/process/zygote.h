// One perdure-zygote process: started by posix_spawn, or by a host before this one; joined by its control link, with
// the children it forked. Core thread only.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "host/os/unique_fd.h"
#include "host/process/child.h"
#include "host/process/deadlines.h"
#include "host/process/descriptor_events.h"
#include "host/process/plugin_loader.h"
#include "host/process/shared.h"
#include "host/process/surviving_zygotes.h"
#include "host/protocol/roster.h"
#include "store/model/status.h"

namespace perdure::process {

class Zygote;

/// Who has a zygote, and is told of it.
class ZygoteOwner {
 public:
  virtual void loaded(Zygote& zygote, Manifest manifest) = 0;
  virtual void died(Zygote& zygote, bool was_loading, const std::string& why) = 0;
  /// There may be a child for a waiting attempt now, or one less that ends.
  virtual void serve() = 0;
  /// No process could be had for `attempt`; it waits on.
  virtual void not_started(Attempt& attempt, const std::string& why) = 0;
  /// Kills what a dead zygote left behind; `children`: those of its children that are none of ours.
  virtual void kill_orphans(const std::vector<pid_t>& children, std::function<void()> gone) = 0;

 protected:
  ~ZygoteOwner() = default;
};

class Zygote final : public Watcher, public Timed {
 public:
  enum class State : std::uint8_t { kLoading, kServing, kDead };

  Zygote(Shared& shared, ZygoteOwner& owner) : shared_(shared), owner_(owner) {}
  ~Zygote() override;

  /// Starts the process; the version is told of the rest. `beside`: further plugins that are loaded after it.
  /// `rehearse`: the plugin's self test must pass. Once.
  store::Status start(const std::string& plugin, const std::string& library_path, const std::vector<Beside>& beside,
                      bool rehearse);

  /// Goes on with one that outlived its host, instead of start(). It starts nothing any more and leaves with its last
  /// child. Nothing of it is heard before listen().
  void take_over(SurvivingZygote zygote);
  void listen();
  /// Its child of that link id, or null.
  Child* child(std::uint64_t id);
  [[nodiscard]] const std::unordered_map<std::uint64_t, std::unique_ptr<Child>>& children() const { return children_; }
  /// Where the attempts of its children are noted for a next host; null where none is expected.
  [[nodiscard]] protocol::Roster* roster() { return roster_ ? &*roster_ : nullptr; }

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool accepts() const { return state_ == State::kServing && !leaving_; }
  /// What was loaded beside the plugin, or is.
  [[nodiscard]] const std::vector<Beside>& beside() const { return beside_; }
  /// Which of these was being loaded last, from 1; 0: none yet.
  [[nodiscard]] std::uint32_t loading_beside() const { return loading_beside_; }
  /// It ends because it was asked to.
  [[nodiscard]] bool leaving() const { return leaving_; }
  /// When it last said anything.
  [[nodiscard]] Instant heard_at() const { return heard_at_; }
  [[nodiscard]] bool told_to_quit() const { return quit_sent_; }
  /// Children that execute or finish an attempt, the unborn included.
  [[nodiscard]] std::size_t busy() const { return children_.size() - spares_.size() - recycled_.size(); }
  [[nodiscard]] std::size_t forking() const { return forking_; }
  /// Spares there are, and those that the zygote will fork without being asked again.
  [[nodiscard]] std::size_t spares() const { return spares_.size(); }
  [[nodiscard]] std::size_t spares_expected() const;
  /// Children that count as spares with the zygote and are in use.
  [[nodiscard]] std::size_t spares_in_use() const { return spare_children_ - spares_.size(); }

  Child* take_spare();
  /// A recycled child that may serve one more attempt like this, or null.
  Child* take_recycled(const AttemptSpec& spec);
  /// Asks for a new child for `attempt`. kGone: not this zygote.
  Child::Given fork_for(Attempt& attempt);
  /// Keeps `count` spares from now on.
  void want_spares(std::uint32_t count);
  /// Ends it once it is no longer busy.
  void leave();

  /// Lets go of it and of its children that execute attempts; it is as dead here. False when it has none.
  bool leave_to_the_next_host();
  [[nodiscard]] const std::string& temporary() const { return temporary_; }

  /// Ends it now with all its children; whoever calls waits with reap() until it has ended.
  void quit();
  /// Whether its process has ended.
  bool reap();

  // Called by its children.
  void signal(const Child& child, int signal);
  void taken(Child& child);
  void recycled(Child& child);
  void no_longer_idle(Child& child);
  /// It does not do its work: it is killed.
  void unresponsive(const std::string& why);

  void on_event(std::uint32_t which, std::uint32_t events) override;
  void on_deadline(Instant now) override;

 private:
  enum : std::uint32_t { kControl, kProcess, kOutput };
  struct Queued {
    protocol::Kind kind;
    std::uint32_t arg;
    std::uint64_t id;
    std::vector<os::UniqueFd> fds;
  };

  /// `lent` are the caller's, and follow `fds`.
  bool send(protocol::Kind kind, std::uint32_t arg, std::uint64_t id, std::vector<os::UniqueFd> fds = {},
            const std::vector<int>& lent = {});
  void keep_for_the_next_host();
  void kill_process();
  void send_queued();
  void read_control(int frames);
  void on_frame(protocol::Incoming& frame);
  void on_spare(protocol::Incoming& frame);
  void on_exited(const protocol::Incoming& frame);
  void on_fork_failed(const protocol::Incoming& frame);
  void on_beside(std::uint32_t number);
  void on_testing();
  void on_crash(const protocol::Incoming& frame);
  void read_output();
  void close(os::UniqueFd& fd);
  void distrust(const std::string& why);
  void on_death();
  void bury(bool was_loading, const std::string& why);
  [[nodiscard]] std::string death_in_words(int status) const;
  void forget(Child& child);
  void leave_if_idle();

  Shared& shared_;
  ZygoteOwner& owner_;
  State state_ = State::kLoading;
  pid_t pid_ = 0;
  bool adopted_ = false;  // it is no child of this process
  os::UniqueFd control_, pidfd_, output_;
  std::optional<protocol::Roster> roster_;
  std::deque<Queued> queued_;
  std::vector<Beside> beside_;
  std::uint32_t loading_beside_ = 0;
  std::string refusal_;      // why the plugin is not loaded, once known; after a crash with the backtrace below it
  std::string last_output_;  // the tail of what the plugin printed while loading
  bool testing_ = false;     // its self test executes
  std::string temporary_;    // its directories for attempts
  bool crashed_ = false;     // while loading; it waits until its backtrace has been taken
  bool leaving_ = false;
  bool quit_sent_ = false;
  std::uint64_t next_id_ = 1;
  std::unordered_map<std::uint64_t, std::unique_ptr<Child>> children_;
  std::vector<Child*> spares_;
  std::vector<Child*> recycled_;
  std::size_t forking_ = 0;
  Instant heard_at_{};
  std::size_t spare_children_ = 0;
  std::uint32_t spares_wanted_ = 0;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace perdure::process
