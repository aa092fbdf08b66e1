#include "host/zygote/borrow_descriptor.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace perdure::zygote {

int borrow_descriptor(pid_t process, int fd) {
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, process, 0));
  if (pidfd < 0) return -1;
  const int borrowed = static_cast<int>(syscall(SYS_pidfd_getfd, pidfd, fd, 0));
  const int error = errno;
  close(pidfd);
  errno = error;
  return borrowed;
}

}  // namespace perdure::zygote
