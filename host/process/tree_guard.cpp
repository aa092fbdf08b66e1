#include "host/process/tree_guard.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <system_error>
#include <utility>

#include "host/os/process.h"
#include "host/os/process_memory.h"

namespace perdure::process {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kCleanAgain{100};   // what a host before left and could not be removed yet
constexpr milliseconds kLongestRound{10};  // of looking, before what else there is to do, and a rest as long

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
  events_ = os::UniqueFd(epoll_create1(EPOLL_CLOEXEC));
  epoll_event woken{.events = EPOLLIN, .data = {.ptr = nullptr}};
  (void)epoll_ctl(events_.get(), EPOLL_CTL_ADD, wake_.get(), &woken);
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

// One that goes on is looked at at once, as the plan made meanwhile may be for seconds later.
void TreeGuard::wait(const std::shared_ptr<GuardedTree>& tree, bool waits) {
  tree->wait(waits);
  if (waits || tree->mechanism() != MemoryMechanism::kWatchdog) return;
  {
    const std::lock_guard lock(mutex_);
    resuming_.push_back(tree);
  }
  wake();
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
    look_at_due();
    if (!clean_ && !expecting) clean_ = pool_->clean_up();
    wait_for_events(expecting);
  }
  for (const auto& [tree, plan] : trees_) {
    if (auto group = tree->leave_group(); group && pool_) pool_->give_back(*std::move(group));
  }
  pool_.reset();
}

// Whoever has been due longest comes first.
void TreeGuard::look_at_due() {
  const Instant begin = std::chrono::steady_clock::now();
  if (begin < rested_) return;
  Instant now = begin;
  while (!looks_.empty() && looks_.begin()->first <= now && now - begin < kLongestRound) {
    GuardedTree& tree = *looks_.begin()->second;
    if (tree.look(now)) end(tree);
    plan(tree);
    now = std::chrono::steady_clock::now();
  }
  rested_ = now + (now - begin);
}

// What a tree says of its next look, or that it is gone.
void TreeGuard::plan(GuardedTree& tree) {
  const auto found = trees_.find(&tree);
  if (found == trees_.end()) return;
  std::optional<Instant>& look = found->second.look;
  if (look) looks_.erase({*look, &tree});
  look = tree.next_look();
  if (look) looks_.emplace(*look, &tree);
}

void TreeGuard::take_jobs() {
  std::vector<std::shared_ptr<GuardedTree>> coming, resuming, going;
  {
    const std::lock_guard lock(mutex_);
    coming.swap(coming_);
    resuming.swap(resuming_);
    going.swap(going_);
  }
  for (const auto& tree : going) {
    if (std::erase(coming, tree) == 0) part(tree);
  }
  for (const auto& tree : coming) enter(tree);
  for (const auto& tree : resuming) {
    tree->look_sooner(std::chrono::steady_clock::now());
    plan(*tree);
  }
}

void TreeGuard::enter(const std::shared_ptr<GuardedTree>& tree) {
  trees_.emplace(tree.get(), Plan{tree, std::nullopt});
  std::optional<os::Cgroup> group = pool_ ? pool_->take() : std::nullopt;
  if (!group) {
    tree->settle_watched();
  } else if (tree->contain(*group)) {
    tree->settle_in(*std::move(group), in_force_.mechanism);
    epoll_event killing{.events = EPOLLIN, .data = {.ptr = tree.get()}};
    if (tree->events() >= 0) (void)epoll_ctl(events_.get(), EPOLL_CTL_ADD, tree->events(), &killing);
  } else {
    pool_->expel(*group);  // its number may have become another process's
    pool_->give_back(*std::move(group));
  }
  plan(*tree);
}

void TreeGuard::part(const std::shared_ptr<GuardedTree>& tree) {
  if (const auto found = trees_.find(tree.get()); found != trees_.end()) {
    if (found->second.look) looks_.erase({*found->second.look, tree.get()});
    trees_.erase(found);
  }
  if (tree->events() >= 0) (void)epoll_ctl(events_.get(), EPOLL_CTL_DEL, tree->events(), nullptr);
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
  Instant due = clean_ || expecting ? Instant::max() : std::chrono::steady_clock::now() + kCleanAgain;
  if (!looks_.empty()) due = std::min(due, looks_.begin()->first);
  int patience = -1;
  if (due != Instant::max()) {
    const auto left =
        std::chrono::ceil<milliseconds>(std::max(due, rested_) - std::chrono::steady_clock::now()).count();
    patience = static_cast<int>(std::max<std::int64_t>(0, left));
  }
  std::array<epoll_event, 64> ready{};
  const int count = epoll_wait(events_.get(), ready.data(), static_cast<int>(ready.size()), patience);
  for (int i = 0; i < count; i++) {
    auto* const tree = static_cast<GuardedTree*>(ready[static_cast<std::size_t>(i)].data.ptr);
    if (tree == nullptr) {
      (void)read_event(wake_.get());
    } else if (read_event(tree->events())) {
      end(*tree);
      plan(*tree);
    }
  }
}

}  // namespace perdure::process
