#include "host/process/tree_guard.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <system_error>
#include <utility>

#include "host/os/process.h"
#include "host/os/process_memory.h"

namespace perdure::process {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kCleanAgain{100};  // what a host before left and could not be removed yet

bool read_event(int fd) {
  std::uint64_t count = 0;
  return read(fd, &count, sizeof count) == sizeof count;
}

}  // namespace

TreeGuard::TreeGuard(boost::asio::io_context& io, MemoryControl control, std::function<void(AttemptHandle)> exceeded,
                     bool survivors, std::uint64_t owner)
    : io_(io), exceeded_(std::move(exceeded)), survivors_(survivors) {
  if (control == MemoryControl::kOff) return;
  wake_ = os::UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (control != MemoryControl::kWatchdog) {
    if (auto pool = CgroupPool::open(in_force_.why_not_better, owner)) {
      clean_ = !survivors && pool->clean_up();
      in_force_.place = pool->directory();
      in_force_.mechanism =
          pool->version() == os::CgroupVersion::kOne ? MemoryMechanism::kCgroupV1 : MemoryMechanism::kCgroupV2;
      pool_.emplace(*std::move(pool));
    }
  }
  if (!pool_) {
    clean_ = true;
    if (control != MemoryControl::kCgroup) in_force_.mechanism = MemoryMechanism::kWatchdog;
  }
  if (!clean_ && !survivors) wake();
}

TreeGuard::~TreeGuard() {
  *alive_ = false;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) {
    wake();
    thread_.join();
  }
}

// The thread starts when there is something for it to do.
void TreeGuard::wake() {
  if (!thread_.joinable()) {
    try {
      thread_ = std::thread([this] { run(); });
    } catch (const std::system_error&) {
      return;  // the next one tries again
    }
  }
  const std::uint64_t one = 1;
  (void)!write(wake_.get(), &one, sizeof one);
}

std::shared_ptr<GuardedTree> TreeGuard::guard(pid_t pid, const store::Machine& machine, AttemptHandle attempt) {
  if (in_force_.mechanism == MemoryMechanism::kNone || machine.memory == 0) return nullptr;
  os::UniqueFd process = os::open_pidfd(pid);
  if (!process) return nullptr;
  auto tree = std::make_shared<GuardedTree>(pid, std::move(process), machine);
  tree->begin(attempt);
  {
    const std::lock_guard lock(mutex_);
    coming_.push_back(tree);
  }
  wake();
  return tree;
}

void TreeGuard::expect_no_more() {
  {
    const std::lock_guard lock(mutex_);
    survivors_ = false;
  }
  if (wake_) wake();
}

void TreeGuard::leave(std::shared_ptr<GuardedTree> tree) {
  {
    const std::lock_guard lock(mutex_);
    going_.push_back(std::move(tree));
  }
  wake();
}

void TreeGuard::run() {
  (void)os::hurry_this_thread();  // who watches must not be late
  for (;;) {
    bool expecting = false;
    {
      const std::lock_guard lock(mutex_);
      expecting = survivors_;  // asked before what came is taken, so that no survivor is missed
    }
    take_jobs();
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) break;
    }
    const Instant now = std::chrono::steady_clock::now();
    for (const auto& tree : trees_) {
      if (tree->next_look && *tree->next_look <= now && tree->look(now)) end(*tree);
    }
    const Instant after = std::chrono::steady_clock::now();
    rested_ = after + (after - now);
    if (!clean_ && !expecting) clean_ = pool_->clean_up();
    wait_for_events(expecting);
  }
  for (const auto& tree : trees_) {
    if (auto group = tree->leave_group(); group && pool_) pool_->give_back(*std::move(group));
  }
  pool_.reset();
}

void TreeGuard::take_jobs() {
  std::vector<std::shared_ptr<GuardedTree>> coming, going;
  {
    const std::lock_guard lock(mutex_);
    coming.swap(coming_);
    going.swap(going_);
  }
  for (const auto& tree : going) {
    if (std::erase(coming, tree) == 0) part(tree);
  }
  for (const auto& tree : coming) enter(tree);
}

void TreeGuard::enter(const std::shared_ptr<GuardedTree>& tree) {
  trees_.push_back(tree);
  std::optional<os::Cgroup> group = pool_ ? pool_->take() : std::nullopt;
  if (!group) return tree->settle_watched();
  if (tree->contain(*group)) return tree->settle_in(*std::move(group), in_force_.mechanism);
  pool_->expel(*group);  // its number may have become another process's
  pool_->give_back(*std::move(group));
}

void TreeGuard::part(const std::shared_ptr<GuardedTree>& tree) {
  std::erase(trees_, tree);
  if (auto group = tree->leave_group(); group && pool_) pool_->give_back(*std::move(group));
}

// Killed by us at once rather than by the core thread, which may be busy; that one sees to the whole tree.
void TreeGuard::end(GuardedTree& tree) {
  tree.stop();
  boost::asio::post(io_, [this, alive = std::weak_ptr<bool>(alive_), attempt = tree.attempt()] {
    if (const auto still = alive.lock(); still && *still) exceeded_(attempt);
  });
}

void TreeGuard::wait_for_events(bool expecting) {
  std::vector<pollfd> events{{wake_.get(), POLLIN, 0}};
  std::vector<GuardedTree*> of;
  Instant due = clean_ || expecting ? Instant::max() : std::chrono::steady_clock::now() + kCleanAgain;
  for (const auto& tree : trees_) {
    if (tree->next_look) due = std::min(due, *tree->next_look);
    if (tree->events() < 0) continue;
    events.push_back({tree->events(), POLLIN, 0});
    of.push_back(tree.get());
  }
  int patience = -1;
  if (due != Instant::max()) {
    const auto left =
        std::chrono::ceil<milliseconds>(std::max(due, rested_) - std::chrono::steady_clock::now()).count();
    patience = static_cast<int>(std::max<std::int64_t>(0, left));
  }
  if (poll(events.data(), events.size(), patience) <= 0) return;
  if (events[0].revents != 0) (void)read_event(wake_.get());
  for (std::size_t i = 0; i < of.size(); i++) {
    if (events[i + 1].revents != 0 && read_event(events[i + 1].fd)) end(*of[i]);
  }
}

}  // namespace perdure::process
