// A bare zygote, as small as it can be made: the ceiling for a host that forks each attempt from one.
//   perdure-bench-zygote serve PLUGIN SPARES RUNS_PER_CHILD   the fork server; its host is descriptor 3
//   perdure-bench-zygote fork SECONDS                         prints how many fork+exit+wait a second there are
// A program of its own, as the product's zygote is: what it forks is 5 MB, whatever the benchmark links.
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unordered_map>

#include "tests/bench/clock.h"
#include "tests/bench/limits/wire.h"

namespace {

using namespace perdure::bench;
using Run = long (*)(const char*, unsigned long, char*, unsigned long);

constexpr int kControl = 3;
constexpr char kWarm[] = R"({"text":"warm"})";

double resident_megabytes() {
  long pages = 0;
  if (FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  return static_cast<double>(pages * sysconf(_SC_PAGESIZE)) / (1 << 20);
}

// Touches heap until `megabytes` are resident, in small pieces, as a program's own objects would. Never freed.
void grow_to(double megabytes) {
  while (resident_megabytes() < megabytes) {
    for (int i = 0; i < 64; ++i) std::memset(std::malloc(4000), 1, 4000);
  }
}

void warm(Run run) {
  char out[512];
  if (run(kWarm, sizeof kWarm - 1, out, sizeof out) <= 0) _exit(1);
}

// One child's life: payload in, result out, `runs` times.
[[noreturn]] void attempt(int fd, Run run, long runs) {
  char in[kMessageSize];
  char out[kMessageSize];
  for (long i = 0; i < runs; ++i) {
    const ssize_t size = recv(fd, in, sizeof in, 0);
    if (size <= 0) break;
    const long written = run(in, static_cast<unsigned long>(size), out, sizeof out);
    send(fd, out, written > 0 ? static_cast<std::size_t>(written) : 1, MSG_NOSIGNAL);
  }
  _exit(0);
}

class Zygote {
 public:
  Zygote(Run run, long runs) : run_(run), runs_(runs) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    signals_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  }

  void fork_spare() {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) _exit(3);
    const pid_t pid = fork();
    if (pid == 0) {
      close(kControl);
      close(signals_);
      close(pair[0]);
      warm(run_);  // takes its copy-on-write faults before a run waits for it
      attempt(pair[1], run_, runs_);
    }
    close(pair[1]);
    const Event ready{next_spare_++, pid, 0, EventKind::kSpareReady};
    alive_[pid] = ready.id;
    if (!send_with(kControl, &ready, sizeof ready, pair[0])) _exit(3);
    close(pair[0]);
  }

  // Until the host's end closes.
  void serve() {
    pollfd waits[2] = {{kControl, POLLIN, 0}, {signals_, POLLIN, 0}};
    for (;;) {
      if (poll(waits, 2, -1) < 0) continue;
      if (waits[0].revents != 0 && !take_orders()) return;
      if (waits[1].revents != 0) reap();
    }
  }

 private:
  bool take_orders() {
    std::uint32_t id = 0;
    int fd = -1;
    ssize_t got = 0;
    while ((got = receive_with(kControl, &id, sizeof id, &fd)) > 0) {
      if (fd < 0) {
        fork_spare();
        continue;
      }
      const pid_t pid = fork();
      if (pid == 0) {
        close(kControl);
        close(signals_);
        attempt(fd, run_, runs_);
      }
      close(fd);
      alive_[pid] = id;
    }
    return got != 0;
  }

  void reap() {
    signalfd_siginfo info[16];
    while (read(signals_, info, sizeof info) > 0) {
    }
    int status = 0;
    pid_t pid = 0;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
      const Event exited{alive_[pid], pid, status, EventKind::kExited};
      alive_.erase(pid);
      send_with(kControl, &exited, sizeof exited, -1);
    }
  }

  Run run_;
  long runs_;
  int signals_ = -1;
  std::uint32_t next_spare_ = 0;
  std::unordered_map<pid_t, std::uint32_t> alive_;
};

int serve(const char* plugin, int spares, long runs) {
  void* library = dlopen(plugin, RTLD_NOW | RTLD_LOCAL);
  auto run = library == nullptr ? nullptr : reinterpret_cast<Run>(dlsym(library, "bench_run"));
  if (run == nullptr) {
    std::fprintf(stderr, "perdure-bench-zygote: %s\n", dlerror());
    return 1;
  }
  warm(run);
  grow_to(5);
  Zygote zygote(run, runs);
  for (int i = 0; i < spares; ++i) zygote.fork_spare();
  zygote.serve();
  return 0;
}

int count_forks(double seconds) {
  grow_to(5);
  long count = 0;
  const auto start = std::chrono::steady_clock::now();
  while (seconds_since(start) < seconds) {
    const pid_t pid = fork();
    if (pid == 0) _exit(0);
    waitpid(pid, nullptr, 0);
    ++count;
  }
  std::printf("%.1f\n", static_cast<double>(count) / seconds_since(start));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string verb = argc > 1 ? argv[1] : "";
  if (verb == "fork" && argc == 3) return count_forks(std::atof(argv[2]));
  if (verb == "serve" && argc == 5) return serve(argv[2], std::atoi(argv[3]), std::atol(argv[4]));
  std::fprintf(stderr, "usage: perdure-bench-zygote serve PLUGIN SPARES RUNS_PER_CHILD | fork SECONDS\n");
  return 2;
}
