// perdure-zygote: loads one plugin and forks the attempts of its tasks.
//   perdure-zygote --control FD PLUGIN    started by the host; FD is its end of a SOCK_SEQPACKET pair
//   perdure-zygote --control FD --self-test MS PLUGIN   the same, and the plugin's self test, if it has one, must pass
//   within MS milliseconds
//   perdure-zygote --spawn PLUGIN         what the first becomes when its plugin cannot be forked; the control link is
//   3 perdure-zygote --attempt PLUGIN       started by the second for each attempt; the attempt link is descriptor 3
//   perdure-zygote --beating-attempt PLUGIN   the same where the zygote may not look into its children (vouch.h)
//   perdure-zygote --alone PLUGIN         started by `perdure debug`, or by a debugger for it: an attempt without a
//   zygote. Its link is descriptor 3, where it says kLoaded or kRefused before it serves
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <string_view>

#include "host/protocol/frame.h"
#include "host/zygote/attempt.h"
#include "host/zygote/child_process.h"
#include "host/zygote/crash.h"
#include "host/zygote/fork_server.h"
#include "host/zygote/load_watch.h"
#include "host/zygote/loader.h"
#include "host/zygote/self_test.h"

namespace perdure::zygote {
namespace {

constexpr int kControl = 3;  // the same number as a child's link, which replaces it

// Descriptors, limits and streams that every child inherits as they are.
void prepare_process() {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null >= 0) {
    dup2(null, STDIN_FILENO);
    for (const int stream : {STDOUT_FILENO, STDERR_FILENO}) {
      if (fcntl(stream, F_GETFD) < 0) dup2(null, stream);
    }
    if (null > STDERR_FILENO) close(null);
  }
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  setvbuf(stdout, nullptr, _IOLBF, 0);  // a crash loses at most the line it cut
}

// It was for the plugin's own libraries; programs that a task executes must not find those before their own.
void forget_library_path() { unsetenv("LD_LIBRARY_PATH"); }

[[noreturn]] void refuse(const Refusal& refusal) {
  end_load_watch();
  const std::string json = refusal_json(refusal);
  protocol::Outgoing frame;
  frame.kind = protocol::Kind::kRefused;
  frame.json = json;
  (void)protocol::send(kControl, frame, true);
  _exit(1);
}

// The plugin left something in this process that a fork would not copy, such as a thread. An executable anew, without
// the plugin, has none of it and starts the attempts.
[[noreturn]] void become_spawner(const std::string& plugin) {
  fcntl(kControl, F_SETFD, 0);
  std::string name = "perdure-zygote", verb = "--spawn", file = plugin;
  char* arguments[] = {name.data(), verb.data(), file.data(), nullptr};
  execv("/proc/self/exe", arguments);
  _exit(2);
}

[[noreturn]] void run_spawner(const std::string& plugin) {
  prctl(PR_SET_NAME, "perdure-zygote");
  fcntl(kControl, F_SETFD, FD_CLOEXEC);
  close_range(kControl + 1, ~0U, 0);
  ForkServer(kControl, nullptr, plugin).run();
}

// The plugin's self test, which must pass before the host hears of the plugin.
void rehearse(Registration& registration, bool forks, const std::string& plugin, std::chrono::milliseconds limit) {
  protocol::Outgoing begins;
  begins.kind = protocol::Kind::kTesting;
  (void)protocol::send(kControl, begins, true);
  const SelfTest test = run_self_test(kControl, registration, forks, plugin, limit);
  if (test.told) _exit(1);
  if (!test.refusal.empty()) refuse({test.refusal, {}});
  for (const std::string& warning : test.warnings) registration.warn(warning);
}

// `self_test`: how long the plugin's may take; zero: it is not asked for.
[[noreturn]] void run_zygote(int control, const std::string& plugin, std::chrono::milliseconds self_test) {
  if (dup3(control, kControl, O_CLOEXEC) < 0 && control != kControl) _exit(2);
  fcntl(kControl, F_SETFD, FD_CLOEXEC);
  prepare_process();
  close_range(kControl + 1, ~0U, 0);
  setsid();
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  install_crash_handlers();
  if (const auto refusal = inspect(plugin)) refuse(*refusal);
  begin_load_watch(kControl, "while loading");
  report_crashes_to(kControl);
  const Loaded loaded = load(plugin);
  if (!loaded.registration) refuse(loaded.refusal);
  end_load_watch();
  report_crashes_to(-1);
  fflush(nullptr);
  block_signals();  // before the host hears of us, so that no signal that comes with its first word can end us
  const bool forks = loaded.isolation_reason.empty();
  if (forks) forget_library_path();  // others load the plugin again
  if (self_test.count() > 0 && loaded.registration->self_test().run != nullptr) {
    rehearse(*loaded.registration, forks, plugin, self_test);
  }
  const std::string manifest = manifest_json(*loaded.registration, loaded.isolation_reason);
  protocol::Outgoing frame;
  frame.kind = protocol::Kind::kLoaded;
  frame.json = manifest;
  if (protocol::send(kControl, frame, true) != protocol::SendResult::kSent) _exit(2);
  if (!forks) become_spawner(plugin);
  ForkServer(kControl, loaded.registration.get(), plugin).run();
}

[[noreturn]] void run_attempt(const std::string& plugin) {
  prepare_process();
  become_executed_attempt();
  install_crash_handlers();
  report_crashes_to(kLinkDescriptor);
  const Loaded loaded = load(plugin);
  forget_library_path();
  if (!loaded.registration) serve_refusal(loaded.refusal.reason);
  serve_attempts(*loaded.registration);
}

[[noreturn]] void run_alone(const std::string& plugin) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // nobody else would miss it
  prepare_process();
  become_executed_attempt();
  install_crash_handlers();
  if (const auto refusal = inspect(plugin)) refuse(*refusal);
  begin_load_watch(kLinkDescriptor, "while loading");
  report_crashes_to(kLinkDescriptor);
  const Loaded loaded = load(plugin);
  if (!loaded.registration) refuse(loaded.refusal);
  end_load_watch();
  forget_library_path();
  const std::string manifest = manifest_json(*loaded.registration, loaded.isolation_reason);
  protocol::Outgoing frame;
  frame.kind = protocol::Kind::kLoaded;
  frame.json = manifest;
  if (protocol::send(kLinkDescriptor, frame, true) != protocol::SendResult::kSent) _exit(2);
  serve_attempts(*loaded.registration);
}

}  // namespace
}  // namespace perdure::zygote

int main(int count, char** arguments) {
  using std::string_view;
  if (count == 4 && string_view(arguments[1]) == "--control") {
    perdure::zygote::run_zygote(atoi(arguments[2]), arguments[3], {});
  }
  if (count == 6 && string_view(arguments[1]) == "--control" && string_view(arguments[3]) == "--self-test") {
    perdure::zygote::run_zygote(atoi(arguments[2]), arguments[5], std::chrono::milliseconds(atol(arguments[4])));
  }
  if (count == 3 && string_view(arguments[1]) == "--spawn") perdure::zygote::run_spawner(arguments[2]);
  if (count == 3 && string_view(arguments[1]) == "--attempt") perdure::zygote::run_attempt(arguments[2]);
  if (count == 3 && string_view(arguments[1]) == "--beating-attempt") {
    perdure::zygote::beat_in_every_attempt();
    perdure::zygote::run_attempt(arguments[2]);
  }
  if (count == 3 && string_view(arguments[1]) == "--alone") perdure::zygote::run_alone(arguments[2]);
  fputs("perdure-zygote is started by perdure: perdure-zygote --control FD [--self-test MS] PLUGIN\n", stderr);
  return 2;
}
