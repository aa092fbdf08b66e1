#include "child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

namespace exec {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kGrace{5};  // between SIGTERM and SIGKILL

[[noreturn]] void fail(const std::string& what, int error) {
  const std::string message = what + ": " + std::strerror(error);
  if (error == ENOENT || error == EACCES || error == ENOEXEC || error == ENOTDIR || error == E2BIG) {
    throw perdure::Abort(message);
  }
  throw perdure::Error("ProgramNotStarted", message);
}

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { close(); }
  int get() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

struct Pipe {
  Descriptor ours, theirs;
  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) fail("no pipe for the program's output", errno);
    ours = Descriptor(ends[0]);
    theirs = Descriptor(ends[1]);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
  }
};

// The program's standard input: a file in memory, so that nobody must feed it.
Descriptor input_of(const std::string& text) {
  Descriptor file(text.empty() ? open("/dev/null", O_RDONLY | O_CLOEXEC) : memfd_create("stdin", MFD_CLOEXEC));
  if (file.get() < 0) fail("no standard input for the program", errno);
  for (std::size_t written = 0; written < text.size();) {
    const ssize_t n = write(file.get(), text.data() + written, text.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("the program's standard input cannot be kept in memory", errno);
    written += static_cast<std::size_t>(n);
  }
  lseek(file.get(), 0, SEEK_SET);
  return file;
}

// What of the host's environment every program sees. The rest may be nobody's business.
bool passes(std::string_view name) {
  for (const std::string_view known :
       {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR"}) {
    if (name == known) return true;
  }
  return name.substr(0, 3) == "LC_";
}

std::vector<std::string> environment_of(const Start& start) {
  std::vector<std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view variable(*entry);
    const std::string_view name = variable.substr(0, variable.find('='));
    if (passes(name) && !start.env.contains(std::string(name))) variables.emplace_back(variable);
  }
  for (const auto& [name, value] : start.env) variables.push_back(name + "=" + value);
  return variables;
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// posix_spawn: in the program's process group of its own, with default signals and only three descriptors.
pid_t spawn(const Start& start, int in, int out, int err) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, 0);
  posix_spawn_file_actions_adddup2(&actions, out, 1);
  posix_spawn_file_actions_adddup2(&actions, err, 2);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  if (!start.cwd.empty()) posix_spawn_file_actions_addchdir_np(&actions, start.cwd.c_str());

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t every, none;
  sigfillset(&every);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &every);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);

  const std::vector<std::string> variables = environment_of(start);
  pid_t pid = -1;
  // posix_spawnp looks in this process's PATH, not in the one the caller gave.
  const int error = posix_spawnp(&pid, start.argv[0].c_str(), &actions, &attributes, pointers_to(start.argv).data(),
                                 pointers_to(variables).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) fail("exec cannot start \"" + start.argv[0] + "\"", error);
  return pid;
}

// A running program; ended and waited for, whatever happens.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid), exited_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) {
      kill(-pid_, SIGKILL);
      (void)wait();
    }
  }
  int descriptor() const { return exited_.get(); }
  void signal(int number) const { kill(-pid_, number); }
  int wait() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return status;
  }

 private:
  pid_t pid_;
  Descriptor exited_;
};

// Takes what is there. False at the end of the stream.
bool drain(int fd, Captured& captured) {
  char buffer[16384];
  for (;;) {
    const ssize_t n = read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    if (n == 0) return false;
    const auto size = static_cast<std::size_t>(n);
    const std::size_t kept = std::min(size, kMostOutput - captured.text.size());
    captured.text.append(buffer, kept);
    captured.cut = captured.cut || kept < size;
  }
}

}  // namespace

End run_child(const Start& start, perdure::Attempt& run) {
  if (!start.cwd.empty() && access(start.cwd.c_str(), X_OK) != 0) {
    fail("exec cannot enter the directory \"" + start.cwd + "\" (cwd)", errno);
  }
  End end;
  Pipe out, err;
  Descriptor in = input_of(start.input);
  Child child(spawn(start, in.get(), out.theirs.get(), err.theirs.get()));
  if (child.descriptor() < 0) fail("the program cannot be watched", errno);
  in.close();
  out.theirs.close();
  err.theirs.close();

  const perdure::StopToken stop = run.stop_token();
  Clock::time_point kill_at = Clock::time_point::max();
  enum { kOut, kErr, kExited, kStop, kCount };
  pollfd polled[kCount] = {{out.ours.get(), POLLIN, 0},
                           {err.ours.get(), POLLIN, 0},
                           {child.descriptor(), POLLIN, 0},
                           {stop.descriptor(), POLLIN, 0}};
  while ((polled[kExited].revents & POLLIN) == 0) {
    const bool stopping = kill_at != Clock::time_point::max();
    (void)poll(polled, kCount, stopping || polled[kStop].fd < 0 ? 50 : -1);
    if (polled[kOut].revents != 0 && !drain(polled[kOut].fd, end.out)) polled[kOut].fd = -1;
    if (polled[kErr].revents != 0 && !drain(polled[kErr].fd, end.err)) polled[kErr].fd = -1;
    if (!stopping && stop.stop_requested()) {
      run.log.info("stopping the program");
      child.signal(SIGTERM);
      kill_at = Clock::now() + kGrace;
      polled[kStop].fd = -1;
    } else if (stopping && Clock::now() >= kill_at) {
      child.signal(SIGKILL);
    }
  }
  // What it wrote last is still in the pipes; what others who hold them write later is not waited for.
  (void)drain(out.ours.get(), end.out);
  (void)drain(err.ours.get(), end.err);
  child.signal(SIGKILL);  // whatever the program left in its process group
  const int status = child.wait();
  run.stop_if_requested();
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  end.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  return end;
}

}  // namespace exec
