#include "host/zygote/descendants.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace perdure::zygote {
namespace {

constexpr std::size_t kPage = 4096;  // what the kernel gives at once

// Adds the numbers of one `children` file, which ends in a blank, by way of `chunk`.
template <typename Pids>
void read_children(int fd, char* chunk, std::size_t size, Pids& pids) {
  off_t at = 0;
  std::size_t kept = 0;  // bytes of a number cut at the end of the last chunk
  for (;;) {
    const ssize_t n = pread(fd, chunk + kept, size - kept, at);
    if (n <= 0) return;
    at += n;
    const char* next = chunk;
    const char* const end = chunk + kept + static_cast<std::size_t>(n);
    for (;;) {
      pid_t pid = 0;
      const auto [stop, error] = std::from_chars(next, end, pid);
      if (error != std::errc{} || stop == end) break;
      pids.push_back(pid);
      next = stop + 1;  // the blank
    }
    kept = static_cast<std::size_t>(end - next);
    std::copy(next, end, chunk);
    if (kept == size) return;
  }
}

void add_children(pid_t pid, std::vector<pid_t>& pids) {
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  DIR* directory = opendir(tasks.c_str());
  if (directory == nullptr) return;
  while (const dirent* entry = readdir(directory)) {
    if (entry->d_name[0] == '.') continue;
    const std::string file = tasks + "/" + entry->d_name + "/children";
    const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    char chunk[1024];
    read_children(fd, chunk, sizeof chunk, pids);
    close(fd);
  }
  closedir(directory);
}

}  // namespace

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> pids;
  add_children(pid, pids);
  return pids;
}

std::vector<pid_t> tree_of(pid_t pid) {
  std::vector<pid_t> pids{pid};
  for (std::size_t i = 0; i < pids.size(); i++) add_children(pids[i], pids);
  return pids;
}

void signal_tree(pid_t pid, int signal) {
  const std::vector<pid_t> pids = tree_of(pid);
  const bool wake = signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT;
  for (const int each : {signal, wake ? SIGCONT : 0}) {
    if (each == 0) continue;
    (void)kill(-pid, each);
    for (const pid_t one : pids) (void)kill(one, each);
  }
}

void end_descendants() {
  siginfo_t any{};
  while (waitid(P_ALL, 0, &any, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0) {
    for (const pid_t child : children_of(getpid())) signal_tree(child, SIGKILL);
    (void)waitpid(-1, nullptr, __WALL);
  }
}

OwnChildren::OwnChildren()
    : fd_(open(("/proc/self/task/" + std::to_string(getpid()) + "/children").c_str(), O_RDONLY | O_CLOEXEC)),
      page_(kPage) {}

OwnChildren::~OwnChildren() {
  if (fd_ >= 0) close(fd_);
}

void OwnChildren::read(PrivatePids& pids) {
  pids.clear();
  if (fd_ >= 0) read_children(fd_, page_.data(), page_.size(), pids);
}

}  // namespace perdure::zygote
