// What a task gives up on purpose, as its options say: a value; any thread.
#pragma once

namespace perdure::store {

/// All true: the task may do what its user may.
struct Sandbox {
  bool network = true;  // sockets of other kinds than AF_UNIX
  bool exec = true;     // executing programs

  bool operator==(const Sandbox&) const = default;
};

}  // namespace perdure::store
