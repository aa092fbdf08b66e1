// The machine's clocks: the wall clock, which may be set at any moment, the one that counts from the boot on, also
// while the machine sleeps, and word of the first being set. Functions without state, any thread; a ClockWatch is one
// thread's.
#pragma once

#include <chrono>
#include <string>

#include "host/os/unique_fd.h"

namespace perdure::os {

std::chrono::milliseconds since_boot();
/// The wall clock less since_boot(), read as if both were read at one moment. It changes only when the wall clock is
/// set: what slows or speeds one of the two does so to the other.
std::chrono::milliseconds wall_less_boot();
/// Which boot this is; empty when the kernel does not say.
std::string boot_id();

class ClockWatch {
 public:
  /// fd() is -1, with errno set, when there can be none.
  ClockWatch();
  /// Readable once the wall clock was set, or the machine has slept, since arm().
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Waits for the next time; false, with errno set, when it cannot. What happens after this call is not missed.
  bool arm();

 private:
  UniqueFd fd_;
};

}  // namespace perdure::os
