// What joins two processes: socket pairs for frames and pipes for output. Everything is made close-on-exec, so that no
// child inherits what was not meant for it. Functions without state; any thread.
#pragma once

#include "host/os/unique_fd.h"

namespace perdure::os {

/// Two ends of a SOCK_SEQPACKET pair, equal in rights.
struct SocketPair {
  UniqueFd ours, theirs;
};
/// False with errno set when there is none to be had.
[[nodiscard]] bool open_socket_pair(SocketPair& pair);

struct Pipe {
  UniqueFd read, write;
};
[[nodiscard]] bool open_pipe(Pipe& pipe);

/// Makes reads and writes on `fd` return instead of waiting.
[[nodiscard]] bool set_nonblocking(int fd);

/// Bytes that can be read from a pipe now; 0 also when that cannot be told.
[[nodiscard]] int readable_bytes(int fd);

}  // namespace perdure::os
