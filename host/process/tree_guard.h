// Keeps the process trees of attempts within the memory of their machines, and lets those of larger machines have more
// of the processors. Attempts that have lived for a moment are given to it; shorter ones never cost anything here.
//
// It has a thread of its own, because moving a process into a cgroup waits for the kernel for 10 ms and more when none
// was moved just before, and because looking at a tree takes a millisecond. Functions: core thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "host/os/unique_fd.h"
#include "host/process/cgroup_pool.h"
#include "host/process/guarded_tree.h"
#include "host/process/memory_control.h"

namespace perdure::process {

class TreeGuard {
 public:
  /// `exceeded` is called on the core thread: an attempt's processes used more memory than they may, and are killed.
  /// `survivors`: among what a host before this one left are attempts that go on, until expect_no_more(). `owner`: see
  /// CgroupPool::open().
  TreeGuard(boost::asio::io_context& io, MemoryControl control, std::function<void(AttemptHandle)> exceeded,
            bool survivors = false, std::uint64_t owner = 0);
  /// Leaves nothing behind of what it made for trees that have ended.
  ~TreeGuard();
  TreeGuard(const TreeGuard&) = delete;
  TreeGuard& operator=(const TreeGuard&) = delete;

  [[nodiscard]] const MemoryInForce& in_force() const { return in_force_; }

  /// Keeps the tree below child `pid`, which lives, within `machine` from now on. Null where nothing does that.
  std::shared_ptr<GuardedTree> guard(pid_t pid, const store::Machine& machine, AttemptHandle attempt);
  /// Every survivor that goes on has been given to guard(): what else that host left is ended.
  void expect_no_more();
  /// The attempt of a guarded tree waits from now on, or goes on.
  void wait(const std::shared_ptr<GuardedTree>& tree, bool waits);
  /// The tree has ended.
  void leave(std::shared_ptr<GuardedTree> tree);

 private:
  void run();
  void take_jobs();
  void look_at_due();
  void wait_for_events(bool expecting);
  void plan(GuardedTree& tree);
  void enter(const std::shared_ptr<GuardedTree>& tree);
  void part(const std::shared_ptr<GuardedTree>& tree);
  void end(GuardedTree& tree);
  void wake();

  boost::asio::io_context& io_;
  const std::function<void(AttemptHandle)> exceeded_;
  MemoryInForce in_force_;
  std::optional<CgroupPool> pool_;  // the thread's, once it runs
  os::UniqueFd wake_;
  os::UniqueFd events_;  // an epoll of wake_, which has no data, and of trees' events, with their tree
  std::thread thread_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

  std::mutex mutex_;  // of what follows
  std::vector<std::shared_ptr<GuardedTree>> coming_, resuming_, going_;
  bool stopping_ = false;
  bool survivors_;

  // The thread's alone.
  struct Plan {
    std::shared_ptr<GuardedTree> tree;
    std::optional<Instant> look;  // as it is in looks_
  };
  std::unordered_map<GuardedTree*, Plan> trees_;
  std::set<std::pair<Instant, GuardedTree*>> looks_;
  bool clean_ = false;
  Instant rested_{};  // looking takes half a processor at most
};

}  // namespace perdure::process
