// Asks for the backtraces of children that wait in their crash handlers, and for the stacks of those that run. The
// debug information of a plugin is hostile input, so a process of its own reads it: `perdure backtrace`, with a time
// limit. Core thread only.
#pragma once

#include <sys/types.h>

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "host/process/core_file.h"
#include "host/process/deadlines.h"
#include "host/process/descriptor_events.h"
#include "host/process/supervisor_options.h"

namespace perdure::process {

class BacktraceRequests {
 public:
  /// What came of a request, empty where there is nothing: the text of the backtrace, and a JSON object about the core
  /// file that was wanted, as keep_core() tells it.
  struct Taken {
    std::string text, core;
  };
  /// Called once, perhaps before request() returns.
  using Done = std::function<void(Taken)>;

  BacktraceRequests(const SupervisorOptions& options, DescriptorEvents& events, Deadlines& deadlines);
  /// Kills and reaps what still runs.
  ~BacktraceRequests();
  BacktraceRequests(const BacktraceRequests&) = delete;
  BacktraceRequests& operator=(const BacktraceRequests&) = delete;

  void request(pid_t pid, pid_t tid, const std::optional<CoreWanted>& core, Done done);

  /// What `perdure backtrace --parent` printed about a running child of `parent`, checked to be JSON; empty when that
  /// took too long or could not be had.
  void request_stacks(pid_t pid, pid_t parent, std::function<void(std::string)> done);

 private:
  using Answered = std::function<void(std::string printed)>;
  class Reader;
  struct Waiting {
    std::vector<std::string> arguments;  // of `perdure backtrace`
    Instant asked_at;
    Answered done;
  };

  void ask(std::vector<std::string> arguments, Answered done);
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
