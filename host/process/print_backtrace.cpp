// `perdure backtrace`: the process of its own in which a backtrace, or the stacks of a running process, are taken, and
// the JSON in which they are told.
#include <sys/resource.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdio>
#include <string>

#include "host/process/backtrace.h"
#include "host/process/dwfl_frames.h"
#include "host/process/thread_stacks.h"

namespace perdure::process {
namespace {

// What hostile debug information may cost. The host kills a slow one anyway.
void limit_self() {
#if !defined(PERDURE_SANITIZE_ADDRESS_UNDEFINED) && !defined(PERDURE_SANITIZE_THREAD)  // they reserve terabytes
  const rlimit memory{rlim_t{2} << 30, rlim_t{2} << 30};
  setrlimit(RLIMIT_AS, &memory);
#endif
  const rlimit time{10, 10};
  setrlimit(RLIMIT_CPU, &time);
  const rlimit core{0, 0};
  setrlimit(RLIMIT_CORE, &core);
}

boost::json::object to_json(const Frame& frame) {
  boost::json::object json;
  if (!frame.function.empty()) json["function"] = frame.function;
  if (!frame.file.empty()) {
    json["file"] = frame.file;
    json["line"] = frame.line;
  }
  json["module"] = frame.module;
  json["offset"] = frame.offset;
  return json;
}

}  // namespace

int print_backtrace(pid_t pid, pid_t tid, const std::optional<CoreWanted>& core) {
  limit_self();
  std::string why;
  const std::optional<Backtrace> backtrace = take_backtrace(pid, tid, why);
  boost::json::object document;
  if (core) document["core"] = boost::json::parse(keep_core(pid, tid, *core));
  if (!backtrace && !core) {
    std::fprintf(stderr, "perdure backtrace: process %d: %s\n", pid, why.c_str());
    return 1;
  }
  boost::json::array frames;
  if (backtrace) {
    for (const Frame& frame : backtrace->frames) frames.push_back(to_json(frame));
    document["text"] = to_text(*backtrace, tid);
  }
  document["frames"] = std::move(frames);
  std::puts(boost::json::serialize(document).c_str());
  return std::fflush(stdout) == 0 ? 0 : 1;
}

int print_stacks(pid_t pid, pid_t parent) {
  limit_self();
  std::string why;
  const std::optional<std::vector<ThreadStack>> stacks = take_stacks(pid, parent, why);
  boost::json::object document;
  if (stacks) {
    boost::json::array threads;
    std::string text;
    for (const ThreadStack& thread : *stacks) {
      boost::json::array frames;
      for (const Frame& frame : thread.frames) frames.push_back(to_json(frame));
      threads.push_back({{"tid", thread.tid}, {"name", thread.name}, {"depth", thread.depth}, {"frames", frames}});
      text += "thread " + std::to_string(thread.tid) + " (" + thread.name + "):\n";
      append_frames(text, thread.frames);
      if (thread.depth == 0) text += "waits in the kernel and could not be interrupted\n";
      if (thread.depth > thread.frames.size()) {
        text += "... and " + std::to_string(thread.depth - thread.frames.size()) + " more frames\n";
      }
    }
    document["threads"] = std::move(threads);
    document["text"] = std::move(text);
  } else {
    document["error"] = why;
  }
  std::puts(boost::json::serialize(document).c_str());
  return std::fflush(stdout) == 0 && stacks ? 0 : 1;
}

}  // namespace perdure::process
