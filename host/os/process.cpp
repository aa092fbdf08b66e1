#include "host/os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <unordered_set>

#include "host/os/small_file.h"

namespace perdure::os {
namespace {

class SpawnActions {
 public:
  SpawnActions() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    sigset_t every, none;
    sigfillset(&every);
    sigemptyset(&none);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigdefault(&attributes_, &every);
    posix_spawnattr_setsigmask(&attributes_, &none);
  }
  ~SpawnActions() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;

  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  list.reserve(texts.size() + 1);
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

// A pid means the same child until it is reaped, so reaping and forgetting are one step under the lock.
std::mutex spawned_mutex;
std::unordered_set<pid_t> spawned;  // guarded by spawned_mutex

Ended ended(int status, const rusage& usage) {
  const auto microseconds = [](const timeval& t) {
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(t.tv_usec);
  };
  return {status, microseconds(usage.ru_utime) + microseconds(usage.ru_stime),
          static_cast<std::uint64_t>(usage.ru_maxrss) * 1024, static_cast<std::uint64_t>(usage.ru_nvcsw),
          static_cast<std::uint64_t>(usage.ru_nivcsw)};
}

}  // namespace

pid_t spawn(const Command& command) {
  SpawnActions spawn;
  std::vector<Command::Mapping> mappings = command.descriptors;
  // Low targets first: no source is below 3, so none is overwritten before it has been used.
  std::ranges::sort(mappings, {}, &Command::Mapping::target);
  for (int target = 0; target < 3; target++) {
    if (std::ranges::find(mappings, target, &Command::Mapping::target) == mappings.end()) {
      posix_spawn_file_actions_addopen(&spawn.actions_, target, "/dev/null", target == 0 ? O_RDONLY : O_WRONLY, 0);
    }
  }
  for (const auto& [source, target] : mappings) posix_spawn_file_actions_adddup2(&spawn.actions_, source, target);

  if (command.own_group) {
    posix_spawnattr_setflags(&spawn.attributes_,
                             POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  }

  std::vector<std::string> arguments{command.path.substr(command.path.rfind('/') + 1)};
  arguments.insert(arguments.end(), command.arguments.begin(), command.arguments.end());
  std::vector<std::string> environment = command.environment;
  pid_t pid = -1;
  const std::lock_guard lock(spawned_mutex);
  const int error = posix_spawn(&pid, command.path.c_str(), &spawn.actions_, &spawn.attributes_,
                                pointers(arguments).data(), pointers(environment).data());
  if (error == 0) spawned.insert(pid);
  errno = error;
  return error == 0 ? pid : -1;
}

bool is_spawned(pid_t pid) {
  const std::lock_guard lock(spawned_mutex);
  return spawned.contains(pid);
}

void count_as_spawned(pid_t pid) {
  const std::lock_guard lock(spawned_mutex);
  spawned.insert(pid);
}

UniqueFd open_pidfd(pid_t pid) { return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))); }

void send_signal(const UniqueFd& pidfd, int signal) {
  (void)syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0);
}

bool has_died(const UniqueFd& pidfd) {
  pollfd end{pidfd.get(), POLLIN, 0};
  return poll(&end, 1, 0) > 0;
}

std::uint64_t start_of(pid_t pid) {
  const std::string stat = read_small_file("/proc/" + std::to_string(pid) + "/stat");
  std::size_t at = stat.rfind(')');  // behind it: state, parent, ... the twentieth is the start
  for (int field = 0; field < 20 && at != std::string::npos; field++) at = stat.find(' ', at + 1);
  return at == std::string::npos ? 0 : std::strtoull(stat.c_str() + at, nullptr, 10);
}

std::optional<Ended> try_reap(pid_t pid) {
  int status = 0;
  rusage usage{};
  const std::lock_guard lock(spawned_mutex);
  const pid_t reaped = wait4(pid, &status, WNOHANG, &usage);
  if (reaped == pid || (reaped < 0 && errno == ECHILD)) spawned.erase(pid);
  if (reaped != pid) return std::nullopt;
  return ended(status, usage);
}

void reap(pid_t pid) {
  siginfo_t info{};
  while (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
  }
  (void)try_reap(pid);
}

void become_subreaper() { prctl(PR_SET_CHILD_SUBREAPER, 1); }

namespace {
// What Linux allows unless fs.nr_open was changed; only a privileged process gets more than its hard limit.
constexpr rlim_t kMostDescriptors = 1024 * 1024;
}  // namespace

rlimit raise_descriptor_limit() {
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit raised{kMostDescriptors, kMostDescriptors};
  if (before.rlim_max < kMostDescriptors && setrlimit(RLIMIT_NOFILE, &raised) == 0) return before;
  raised = {before.rlim_max, before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &raised);
  return before;
}

void set_descriptor_limit(pid_t pid, const rlimit& limit) { prlimit(pid, RLIMIT_NOFILE, &limit, nullptr); }

}  // namespace perdure::os
