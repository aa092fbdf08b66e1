#include "host/zygote/child_process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <vector>

#include "host/zygote/attempt.h"

namespace perdure::zygote {
namespace {

constexpr int kCannotConfine = 78;  // EX_CONFIG

void unblock_signals() {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

void close_others(bool outlives) {
  constexpr int kMost = 1 << 16;
  const int first = outlives ? kHostDescriptors + 3 : kLinkDescriptor + 1;
  if (close_range(static_cast<unsigned>(first), ~0U, 0) == 0) return;
  for (int fd = first; fd < kMost; fd++) close(fd);  // an older kernel, or a filter that forbids it
}

// The zygote looks after it when the host is gone; without both nobody would.
void end_with_parent() { prctl(PR_SET_PDEATHSIG, SIGKILL); }

// An attempt that cannot give up root must not execute.
void become_user_or_leave(const User& user) {
  if (become_user(user)) return;
  dprintf(STDERR_FILENO, "perdure: cannot become user %u: %s\n", user.uid, strerror(errno));
  _exit(kCannotConfine);
}

}  // namespace

bool become_user(const User& user) {
  return setgroups(0, nullptr) == 0 && setresgid(user.gid, user.gid, user.gid) == 0 &&
         setresuid(user.uid, user.uid, user.uid) == 0;
}

void become_attempt(const ChildEnds& ends, const TemporaryDirectory& temporary, const std::optional<User>& user,
                    pid_t zygote) {
  setsid();
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  dup2(ends.out, STDOUT_FILENO);
  dup2(ends.err, STDERR_FILENO);
  dup3(ends.link, kLinkDescriptor, O_CLOEXEC);
  // Each is a higher descriptor than the one before, as it was made, so that none is overwritten before it was used.
  for (int i = 0; i < 3 && ends.outlives(); i++) dup3(ends.host[i], kHostDescriptors + i, O_CLOEXEC);
  close_others(ends.outlives());
  enter_temporary_directory(temporary);
  if (user) become_user_or_leave(*user);
  end_with_parent();  // becoming another user would have undone it
  if (getppid() != zygote) _exit(0);
  unblock_signals();
}

void become_executed_attempt(const std::string& temporary, const std::optional<User>& user, bool outlives) {
  setsid();
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  fcntl(kLinkDescriptor, F_SETFD, FD_CLOEXEC);
  for (int i = 0; i < 3 && outlives; i++) fcntl(kHostDescriptors + i, F_SETFD, FD_CLOEXEC);
  close_others(outlives);
  enter_temporary_directory(temporary);
  if (user) become_user_or_leave(*user);
  end_with_parent();
  unblock_signals();
}

pid_t execute_attempt(const ChildEnds& ends, const Arguments& how, const std::string& temporary) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends.out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends.err, STDERR_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends.link, kLinkDescriptor);
  for (int i = 0; i < 3 && ends.outlives(); i++) {
    posix_spawn_file_actions_adddup2(&actions, ends.host[i], kHostDescriptors + i);
  }
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  sigset_t every, none;
  sigfillset(&every);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &every);
  posix_spawnattr_setsigmask(&attributes, &none);
  Arguments its = how;
  its.role = Arguments::Role::kAttempt;
  its.self_test = {};
  its.temporary = temporary;
  its.outlives = ends.outlives();
  std::vector<std::string> words = its.words();
  std::string name = "perdure-zygote";
  std::vector<char*> arguments{name.data()};
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t pid = -1;
  const int error = posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  errno = error;
  return error == 0 ? pid : -1;
}

}  // namespace perdure::zygote
