// What reading stacks by libdwfl has in common, whatever the process waits in: walking a thread's frames, and naming
// them. Naming needs the process no more. One thread for each Dwfl.
#pragma once

#include <elfutils/libdwfl.h>
#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "host/process/backtrace.h"

namespace perdure::process {

struct EndDwfl {
  void operator()(Dwfl* dwfl) const { dwfl_end(dwfl); }
};
using DwflPtr = std::unique_ptr<Dwfl, EndDwfl>;

/// What is known of the modules of process `pid`; null with `why`.
DwflPtr open_modules(pid_t pid, std::string& why);

struct FrameAddress {
  Dwarf_Addr pc;
  bool activation;  // pc is an instruction, not the one after a call
};
struct FrameWalk {
  std::vector<FrameAddress> addresses;  // the innermost and, of a deep stack, only those
  std::size_t depth = 0;
  std::size_t limit = 64;  // addresses
};
/// Walks the frames of a thread of the process that `dwfl` is attached to. An error in the middle of a stack, as of a
/// smashed one, leaves what was found until there. False: nothing was found.
bool walk_frames(Dwfl* dwfl, pid_t tid, FrameWalk& walk);

/// Names the addresses from `from` on, at most `limit` of them.
std::vector<Frame> name_frames(Dwfl* dwfl, const std::vector<FrameAddress>& addresses, std::size_t from,
                               std::size_t limit);

/// A line for each frame: "#0 crash_task(int) at playground.cpp:42".
void append_frames(std::string& text, const std::vector<Frame>& frames);

/// What libdwfl says went wrong last, after `what`.
std::string dwfl_trouble(const char* what);

}  // namespace perdure::process
