#include "host/process/thread_stacks.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include "host/process/dwfl_frames.h"
#include "host/process/stopped_process.h"

namespace perdure::process {
namespace {

constexpr std::chrono::milliseconds kPatience{2000};  // for all threads to stop
constexpr std::size_t kMaxThreads = 64;               // told
constexpr std::size_t kMaxFrames = 48;                // told of each

std::string name_of(pid_t pid, pid_t tid) {
  std::string name;
  std::ifstream comm("/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/comm");
  std::getline(comm, name);
  return name;
}

struct Walked {
  ThreadStack thread;
  FrameWalk walk;
};

}  // namespace

std::optional<std::vector<ThreadStack>> take_stacks(pid_t pid, pid_t parent, std::string& why) {
  std::vector<Walked> walked;
  const DwflPtr dwfl = open_modules(pid, why);  // before it is stopped; what is loaded meanwhile has no name then
  {
    StoppedProcess stopped;
    if (!stopped.stop(pid, parent, kPatience, why)) return std::nullopt;
    if (!dwfl) return std::nullopt;
    if (dwfl_linux_proc_attach(dwfl.get(), pid, true) != 0) {
      why = dwfl_trouble("The attempt's process cannot be read");
      return std::nullopt;
    }
    const std::size_t count = std::min(stopped.threads().size(), kMaxThreads);
    for (std::size_t i = 0; i < count; ++i) {
      Walked& each = walked.emplace_back();
      each.thread.tid = stopped.threads()[i];
      each.thread.name = name_of(pid, each.thread.tid);
      each.walk.limit = kMaxFrames;
      (void)walk_frames(dwfl.get(), each.thread.tid, each.walk);
    }
    for (const pid_t tid : stopped.unstoppable()) {
      ThreadStack& thread = walked.emplace_back().thread;
      thread.tid = tid;
      thread.name = name_of(pid, tid);
    }
  }
  std::vector<ThreadStack> stacks;
  for (Walked& each : walked) {
    each.thread.frames = name_frames(dwfl.get(), each.walk.addresses, 0, kMaxFrames);
    each.thread.depth = each.walk.depth;
    stacks.push_back(std::move(each.thread));
  }
  return stacks;
}

}  // namespace perdure::process
