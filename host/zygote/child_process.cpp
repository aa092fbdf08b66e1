#include "host/zygote/child_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "host/zygote/attempt.h"

namespace perdure::zygote {
namespace {

void unblock_signals() {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace

void become_attempt(const ChildEnds& ends) {
  setsid();
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  dup2(ends.out, STDOUT_FILENO);
  dup2(ends.err, STDERR_FILENO);
  dup3(ends.link, kLinkDescriptor, O_CLOEXEC);
  close_range(kLinkDescriptor + 1, ~0U, 0);
  unblock_signals();
}

void become_executed_attempt() {
  setsid();
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  fcntl(kLinkDescriptor, F_SETFD, FD_CLOEXEC);
  close_range(kLinkDescriptor + 1, ~0U, 0);
  unblock_signals();
}

pid_t execute_attempt(const ChildEnds& ends, const std::string& plugin, bool beats) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends.out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends.err, STDERR_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends.link, kLinkDescriptor);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  sigset_t every, none;
  sigfillset(&every);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &every);
  posix_spawnattr_setsigmask(&attributes, &none);
  std::string name = "perdure-zygote", verb = beats ? "--beating-attempt" : "--attempt", file = plugin;
  char* arguments[] = {name.data(), verb.data(), file.data(), nullptr};
  pid_t pid = -1;
  const int error = posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  errno = error;
  return error == 0 ? pid : -1;
}

}  // namespace perdure::zygote
