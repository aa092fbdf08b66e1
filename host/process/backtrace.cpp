#include "host/process/backtrace.h"

#include "host/process/dwfl_frames.h"

namespace perdure::process {
namespace {

constexpr std::size_t kMaxFrames = 64;  // told; a recursion repeats itself
constexpr std::size_t kMaxThreads = 16;
constexpr std::size_t kOtherFrames = 8;

// How many of the innermost frames are the signal handler's. libdwfl marks as activations the innermost frame, the
// trampoline through which the kernel entered the handler, and the frame that the signal interrupted.
std::size_t handler_frames(const std::vector<FrameAddress>& addresses) {
  for (std::size_t i = 1; i + 1 < addresses.size(); i++) {
    if (addresses[i].activation && addresses[i + 1].activation) return i + 1;
  }
  return 0;
}

int on_thread(Dwfl_Thread* thread, void* raw) {
  auto& tids = *static_cast<std::vector<pid_t>*>(raw);
  tids.push_back(dwfl_thread_tid(thread));
  return tids.size() < kMaxThreads ? DWARF_CB_OK : DWARF_CB_ABORT;
}

}  // namespace

std::optional<Backtrace> take_backtrace(pid_t pid, pid_t tid, std::string& why) {
  const DwflPtr dwfl = open_modules(pid, why);
  if (!dwfl) return std::nullopt;
  if (dwfl_linux_proc_attach(dwfl.get(), pid, false) != 0) {
    why = dwfl_trouble("the process cannot be attached to");
    return std::nullopt;
  }
  FrameWalk walk;
  walk.limit = kMaxFrames * 2;  // the handler's own are among them
  if (!walk_frames(dwfl.get(), tid, walk)) {
    why = dwfl_trouble("the thread's stack cannot be read");
    return std::nullopt;
  }
  Backtrace backtrace;
  const std::size_t skip = handler_frames(walk.addresses);
  backtrace.frames = name_frames(dwfl.get(), walk.addresses, skip, kMaxFrames);
  backtrace.depth = walk.depth - skip;

  std::vector<pid_t> tids;
  (void)dwfl_getthreads(dwfl.get(), on_thread, &tids);
  for (const pid_t other : tids) {
    if (other == tid) continue;
    FrameWalk brief;
    brief.limit = kOtherFrames;
    (void)walk_frames(dwfl.get(), other, brief);
    backtrace.others.push_back({other, name_frames(dwfl.get(), brief.addresses, 0, kOtherFrames)});
  }
  return backtrace;
}

std::string to_text(const Backtrace& backtrace, pid_t tid) {
  std::string text;
  append_frames(text, backtrace.frames);
  if (backtrace.depth > backtrace.frames.size()) {
    text += "... and " + std::to_string(backtrace.depth - backtrace.frames.size()) +
            " more frames, so this may be an endless recursion\n";
  }
  for (const auto& other : backtrace.others) {
    text += "thread " + std::to_string(other.tid) + " (beside the crashed " + std::to_string(tid) + "):\n";
    append_frames(text, other.frames);
  }
  return text;
}

}  // namespace perdure::process
