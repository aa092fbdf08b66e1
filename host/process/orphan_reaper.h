// What is left of attempts whose zygote died: they have become children of the host, which kills them with everything
// below them and reaps them. Core thread only.
#pragma once

#include <sys/types.h>

#include <functional>
#include <set>
#include <vector>

#include "host/process/deadlines.h"

namespace perdure::process {

class OrphanReaper final : public Timed {
 public:
  explicit OrphanReaper(Deadlines& deadlines) : deadlines_(deadlines) {}

  /// Makes orphans of this process's zygotes its own children, from now on.
  static void adopt_orphans();
  /// Kills every child that this process did not start itself, whatever it executes and dead ones too, with its
  /// descendants, and those that they start meanwhile. Calls `gone` when the last of them has been reaped, at once when
  /// there is none, or after ten seconds: one that cannot die holds nobody up for longer.
  /// `others` are no children of this process and are killed likewise: whoever they are left to reaps them.
  void kill_orphans(const std::vector<pid_t>& others, std::function<void()> gone);

  /// Kills and reaps what there is, telling nobody; true when nothing is left to wait for.
  bool reap();

  void on_deadline(Instant now) override;

 private:
  struct Waiting {
    Instant until;
    std::function<void()> gone;
  };

  void kill_new();

  Deadlines& deadlines_;
  std::set<pid_t> dying_;
  std::vector<Waiting> waiting_;
};

}  // namespace perdure::process
