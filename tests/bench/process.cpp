#include "tests/bench/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

extern char** environ;  // NOLINT: POSIX declares it nowhere

namespace perdure::bench {

void die(const std::string& what) {
  std::fprintf(stderr, "perdure-bench: %s failed: %s\n", what.c_str(), std::strerror(errno));
  std::exit(1);
}

pid_t spawn(const std::vector<std::string>& arguments, const SpawnOptions& options) {
  std::vector<char*> raw;
  raw.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) raw.push_back(const_cast<char*>(argument.c_str()));
  raw.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (options.inherited >= 0) posix_spawn_file_actions_adddup2(&actions, options.inherited, 3);
  if (options.standard_output >= 0) posix_spawn_file_actions_adddup2(&actions, options.standard_output, 1);
  if (!options.output.empty()) {
    posix_spawn_file_actions_addopen(&actions, 1, options.output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
  }
  pid_t pid = -1;
  errno = posix_spawn(&pid, raw[0], &actions, nullptr, raw.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (errno != 0) die("starting " + arguments[0]);
  return pid;
}

std::string output_of(const std::vector<std::string>& arguments) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) die("pipe");
  const pid_t pid = spawn(arguments, {.standard_output = ends[1]});
  close(ends[1]);
  std::string text;
  std::array<char, 512> buffer{};
  ssize_t got = 0;
  while ((got = read(ends[0], buffer.data(), buffer.size())) > 0)
    text.append(buffer.data(), static_cast<std::size_t>(got));
  close(ends[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  if (status != 0) die("running " + arguments[0]);
  return text.substr(0, text.find('\n'));
}

void stop(pid_t pid) {
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  kill(pid, SIGTERM);
  pollfd wait{handle, POLLIN, 0};
  if (poll(&wait, 1, 20000) == 0) {
    std::fprintf(stderr, "perdure-bench: process %d did not end within 20 s of SIGTERM; killing it\n", pid);
    kill(pid, SIGKILL);
  }
  waitpid(pid, nullptr, 0);
  close(handle);
}

unsigned short free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    die("finding a free port");
  }
  close(fd);
  return ntohs(address.sin_port);
}

std::string own_directory() { return std::filesystem::read_symlink("/proc/self/exe").parent_path().string(); }

}  // namespace perdure::bench
