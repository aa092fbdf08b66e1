// Asks for the backtraces of children that wait in their crash handlers, and for the stacks of those that run. The
// debug information of a plugin is hostile input, so a process of its own reads it: `perdure backtrace`, with a time
// limit. Core thread only.
#pragma once

#include <sys/types.h>

#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "host/process/deadlines.h"
#include "host/process/descriptor_events.h"
#include "host/process/supervisor_options.h"

namespace perdure::process {

class BacktraceRequests {
 public:
  /// Called once with the text of the backtrace, empty when there is none. May be called before request() returns.
  using Done = std::function<void(std::string text)>;

  BacktraceRequests(const SupervisorOptions& options, DescriptorEvents& events, Deadlines& deadlines);
  /// Kills and reaps what still runs.
  ~BacktraceRequests();
  BacktraceRequests(const BacktraceRequests&) = delete;
  BacktraceRequests& operator=(const BacktraceRequests&) = delete;

  void request(pid_t pid, pid_t tid, Done done);

  /// What `perdure backtrace --parent` printed about a running child of `parent`, checked to be JSON; empty when that
  /// took too long or could not be had.
  void request_stacks(pid_t pid, pid_t parent, Done done);

 private:
  class Reader;
  struct Waiting {
    std::vector<std::string> arguments;  // of `perdure backtrace`
    Instant asked_at;
    Done done;  // with what it printed
  };

  void ask(std::vector<std::string> arguments, Done done);
  void next();
  bool begin(Waiting& waiting);
  void finished(Reader& reader);

  const SupervisorOptions& options_;
  DescriptorEvents& events_;
  Deadlines& deadlines_;
  std::deque<Waiting> waiting_;
  std::unordered_map<Reader*, std::unique_ptr<Reader>> readers_;
};

}  // namespace perdure::process
