// What is left of attempts whose zygote died: they have become children of the host, which kills them with everything
// below them and reaps them. Core thread only.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "host/process/deadlines.h"

namespace perdure::process {

class OrphanReaper final : public Timed {
 public:
  explicit OrphanReaper(Deadlines& deadlines) : deadlines_(deadlines) {}

  /// Makes orphans of this process's zygotes its own children, from now on.
  static void adopt_orphans();
  /// Kills every child of this process that executes `executable` and for which `is_known` is false, with its
  /// descendants, and calls `gone` when the last of them has been reaped: at once when there is none.
  void kill_orphans(const std::string& executable, const std::function<bool(pid_t)>& is_known,
                    std::function<void()> gone);

  /// Reaps what has died, telling nobody; true when nothing is left to wait for.
  bool reap(Instant now);

  void on_deadline(Instant now) override;

 private:
  Deadlines& deadlines_;
  struct Dying {
    pid_t pid;
    Instant give_up_at;
  };
  std::vector<Dying> dying_;
  std::vector<std::function<void()>> gone_;
};

}  // namespace perdure::process
