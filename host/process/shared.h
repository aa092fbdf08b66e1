// What every part of one supervisor works with: options, the two event sources, one receiver for all links, and the
// attempts by handle. Core thread only.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "host/process/attempt.h"
#include "host/process/backtrace_requests.h"
#include "host/process/deadlines.h"
#include "host/process/descriptor_events.h"
#include "host/process/supervisor_options.h"
#include "host/process/temporary_files.h"
#include "host/process/tree_guard.h"
#include "host/protocol/frame.h"

namespace perdure::process {

class Shared {
 public:
  /// `in_use`: directories for temporary files of zygotes that outlived the host before this one.
  Shared(boost::asio::io_context& io, SupervisorOptions given, const std::vector<std::string>& in_use = {});
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  /// Calls on_started for the attempt soon, and before anything else is told of it.
  void announce_started(AttemptObserver& observer, AttemptHandle attempt, std::int32_t pid);
  /// Calls on_result and on_released for an attempt that no process serves, soon.
  void announce_failure(AttemptHandle attempt, store::Failure failure);
  /// Tells what is due to be told.
  void announce();

  /// Tells on_released and forgets the attempt.
  void release(Attempt& attempt);
  [[nodiscard]] Attempt* find(AttemptHandle attempt);

  boost::asio::io_context& io;
  const SupervisorOptions options;
  DescriptorEvents events;
  Deadlines deadlines;
  BacktraceRequests backtraces;
  TemporaryFiles temporary;
  TreeGuard guard;
  rlimit descriptor_limit{};  // as it was when the host started: what attempts get
  protocol::Receiver receiver;
  protocol::Incoming frame;  // valid until the next receive, so not across a call of an observer
  std::unordered_map<AttemptHandle, std::unique_ptr<Attempt>> attempts;

 private:
  struct Announcement {
    AttemptObserver* observer;  // null: a failure
    AttemptHandle attempt;
    std::int32_t pid;
    store::Failure failure;
  };
  void schedule();
  void exceeded(AttemptHandle attempt);

  std::vector<Announcement> announcements_;
  std::vector<Announcement> spoken_;
  bool scheduled_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace perdure::process
