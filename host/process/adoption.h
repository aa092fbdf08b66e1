// The zygotes that outlived the host before this one, as the supervisor has them: their attempts are adopted one by one
// or ended, and each zygote leaves with its last one. Core thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/process/orphan_reaper.h"
#include "host/process/shared.h"
#include "host/process/zygote.h"

namespace perdure::process {

class Adoption final : public ZygoteOwner, public Timed {
 public:
  Adoption(Shared& shared, OrphanReaper& orphans, std::vector<SurvivingZygote> zygotes);

  /// As in Launcher.
  [[nodiscard]] std::vector<Survivor> survivors() const;
  /// Gives `attempt` the process of a survivor.
  void adopt(std::uint64_t survivor, Attempt& attempt);
  /// As in Launcher; from then on the zygotes are heard.
  void end_survivors(std::function<void()> gone);

  /// Whether that was called: before, nobody has decided about them.
  [[nodiscard]] bool decided() const { return decided_; }

  [[nodiscard]] const std::vector<std::unique_ptr<Zygote>>& zygotes() const { return zygotes_; }

  void loaded(Zygote&, Manifest) override {}
  void died(Zygote& zygote, bool was_loading, const std::string& why) override;
  void serve() override;
  void not_started(Attempt&, const std::string&) override {}
  void kill_orphans(const std::vector<pid_t>& children, std::function<void()> gone) override;
  void on_deadline(Instant now) override;

 private:
  struct Known {
    Zygote* zygote;
    std::uint64_t child;
    protocol::RosterEntry attempt;
    std::uint32_t place;
    bool adopted = false;
  };

  Shared& shared_;
  OrphanReaper& orphans_;
  std::vector<std::unique_ptr<Zygote>> zygotes_;
  std::vector<Known> known_;  // a survivor's id is its place here
  std::function<void()> gone_;
  bool decided_ = false;
};

}  // namespace perdure::process
