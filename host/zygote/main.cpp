// perdure-zygote: loads one plugin and forks the attempts of its tasks. The last word of its command line is the
// plugin:
//   perdure-zygote --control FD …   started by the host; FD is its end of a SOCK_SEQPACKET pair. --self-test MS: the
//   plugin's self test, if it has one, must pass within that time
//   perdure-zygote --spawn …        what the first becomes when its plugin cannot be forked; the control link is 3
//   perdure-zygote --attempt …      started by the second for each attempt; the attempt link is descriptor 3. --beats:
//   where the zygote may not look into its children (vouch.h); --outlives: the host's ends are 4 to 6
//   perdure-zygote --alone …        started by `perdure debug`, or by a debugger for it: an attempt without a zygote.
//   Its link is descriptor 3, where it says kLoaded or kRefused before it serves
//   --with OTHER, any of these: further plugins, whose global hooks stand around the tasks
// and all of them hand on how attempts are confined (arguments.h): --user, --temporary, --core-dumps.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <vector>

#include "host/protocol/frame.h"
#include "host/zygote/arguments.h"
#include "host/zygote/attempt.h"
#include "host/zygote/child_process.h"
#include "host/zygote/crash.h"
#include "host/zygote/fork_server.h"
#include "host/zygote/load_watch.h"
#include "host/zygote/loader.h"
#include "host/zygote/self_test.h"
#include "host/zygote/temporary_directories.h"

namespace perdure::zygote {
namespace {

constexpr int kControl = 3;  // the same number as a child's link, which replaces it

// Descriptors, limits and streams that every child inherits as they are.
void prepare_process(const Arguments& how) {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null >= 0) {
    dup2(null, STDIN_FILENO);
    for (const int stream : {STDOUT_FILENO, STDERR_FILENO}) {
      if (fcntl(stream, F_GETFD) < 0) dup2(null, stream);
    }
    if (null > STDERR_FILENO) close(null);
  }
  const rlimit no_core{0, 0};
  if (!how.core_dumps) setrlimit(RLIMIT_CORE, &no_core);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);  // no set-user-id program helps a task to become more than it is
  setvbuf(stdout, nullptr, _IOLBF, 0);     // a crash loses at most the line it cut
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
[[noreturn]] void become_spawner(Arguments how) {
  fcntl(kControl, F_SETFD, 0);
  how.role = Arguments::Role::kSpawner;
  how.self_test = {};
  std::vector<std::string> words = how.words();
  std::string name = "perdure-zygote";
  std::vector<char*> arguments{name.data()};
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execv("/proc/self/exe", arguments.data());
  _exit(2);
}

[[noreturn]] void run_spawner(const Arguments& how) {
  prctl(PR_SET_NAME, "perdure-zygote");
  fcntl(kControl, F_SETFD, FD_CLOEXEC);
  close_range(kControl + 1, ~0U, 0);
  TemporaryDirectories temporary(how.temporary, how.user);
  ForkServer(kControl, nullptr, how, temporary).run();
}

// The plugin's self test, which must pass before the host hears of the plugin.
void rehearse(Registration& registration, bool forks, const Arguments& how, TemporaryDirectories& temporary) {
  protocol::Outgoing begins;
  begins.kind = protocol::Kind::kTesting;
  (void)protocol::send(kControl, begins, true);
  const SelfTest test = run_self_test(kControl, registration, forks, how, temporary);
  if (test.told) _exit(1);
  if (!test.refusal.empty()) refuse({test.refusal, {}});
  for (const std::string& warning : test.warnings) registration.warn(warning);
}

void tell_beside(std::uint32_t number) {
  protocol::Outgoing frame;
  frame.kind = protocol::Kind::kBeside;
  frame.arg = number;
  (void)protocol::send(kControl, frame, true);
}

[[noreturn]] void run_zygote(const Arguments& how) {
  if (dup3(how.control, kControl, O_CLOEXEC) < 0 && how.control != kControl) _exit(2);
  fcntl(kControl, F_SETFD, FD_CLOEXEC);
  prepare_process(how);
  close_range(kControl + 1, ~0U, 0);
  setsid();
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  install_crash_handlers();
  if (const auto refusal = inspect(how.plugin)) refuse(*refusal);
  begin_load_watch(kControl, "while loading");
  report_crashes_to(kControl);
  const Loaded loaded = load(how.plugin, how.beside, tell_beside);
  if (!loaded.registration) refuse(loaded.refusal);
  end_load_watch();
  report_crashes_to(-1);
  fflush(nullptr);
  block_signals();  // before the host hears of us, so that no signal that comes with its first word can end us
  const bool forks = loaded.isolation_reason.empty();
  if (forks) forget_library_path();  // others load the plugin again
  TemporaryDirectories temporary(how.temporary, how.user);
  if (how.self_test.count() > 0 && loaded.registration->self_test().run != nullptr) {
    rehearse(*loaded.registration, forks, how, temporary);
  }
  const std::string manifest = manifest_json(*loaded.registration, loaded.isolation_reason);
  protocol::Outgoing frame;
  frame.kind = protocol::Kind::kLoaded;
  frame.json = manifest;
  if (protocol::send(kControl, frame, true) != protocol::SendResult::kSent) _exit(2);
  if (!forks) become_spawner(how);
  ForkServer(kControl, loaded.registration.get(), how, temporary).run();
}

[[noreturn]] void run_attempt(const Arguments& how) {
  if (how.beats) beat_in_every_attempt();
  prepare_process(how);
  become_executed_attempt(how.temporary, how.user, how.outlives);
  install_crash_handlers();
  report_crashes_to(kLinkDescriptor);
  const Loaded loaded = load(how.plugin, how.beside, [](std::uint32_t) {});
  forget_library_path();
  if (!loaded.registration) serve_refusal(loaded.refusal.reason);
  serve_attempts(*loaded.registration);
}

[[noreturn]] void run_alone(const Arguments& how) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // nobody else would miss it
  prepare_process(how);
  become_executed_attempt(how.temporary, how.user, false);
  install_crash_handlers();
  if (const auto refusal = inspect(how.plugin)) refuse(*refusal);
  begin_load_watch(kLinkDescriptor, "while loading");
  report_crashes_to(kLinkDescriptor);
  const Loaded loaded = load(how.plugin, how.beside, [](std::uint32_t) {});
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

int main(int count, char** words) {
  using perdure::zygote::Arguments;
  if (const std::optional<Arguments> how = Arguments::read(count, words)) {
    switch (how->role) {
      case Arguments::Role::kZygote:
        perdure::zygote::run_zygote(*how);
      case Arguments::Role::kSpawner:
        perdure::zygote::run_spawner(*how);
      case Arguments::Role::kAttempt:
        perdure::zygote::run_attempt(*how);
      case Arguments::Role::kAlone:
        perdure::zygote::run_alone(*how);
    }
  }
  fputs("perdure-zygote is started by perdure: perdure-zygote --control FD [OPTION…] PLUGIN\n", stderr);
  return 2;
}
