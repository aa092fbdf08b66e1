#include "host/cli/debug_attempt.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <ostream>
#include <utility>

#include "host/api/run_json.h"
#include "host/cli/debug_backtrace.h"
#include "host/cli/json_view.h"
#include "host/cli/run_text.h"
#include "host/os/channels.h"
#include "host/os/process_tree.h"
#include "host/process/exit_classifier.h"
#include "host/process/manifest.h"
#include "host/process/outcome.h"
#include "host/process/utf8_text.h"
#include "host/protocol/frame.h"

namespace perdure::cli {
namespace {

using protocol::Kind;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// As a host would.
constexpr milliseconds kTimeoutGrace{5'000};
constexpr milliseconds kTermGrace{2'000};

store::Time wall_clock() { return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now()); }

class DebuggedAttempt {
 public:
  DebuggedAttempt(const DebugStart& start, bool debugger, Console& console)
      : start_(start), debugger_(debugger), console_(console) {}

  int run(os::Command program) {
    os::become_subreaper();
    sigset_t stops;
    sigemptyset(&stops);
    sigaddset(&stops, SIGINT);
    sigaddset(&stops, SIGTERM);
    sigprocmask(SIG_BLOCK, &stops, nullptr);
    signals_ = os::UniqueFd(signalfd(-1, &stops, SFD_CLOEXEC | SFD_NONBLOCK));
    os::SocketPair link;
    if (!os::open_socket_pair(link)) return complain(std::string("no socket could be made: ") + std::strerror(errno));
    link_ = std::move(link.ours);
    program.descriptors.push_back({link.theirs.get(), 3});
    process_ = os::spawn(program);
    if (process_ < 0) return complain(program.path + " could not be started: " + std::strerror(errno));
    link.theirs.reset();
    const os::UniqueFd ended = os::open_pidfd(process_);
    while (!poll_once(ended.get())) {
    }
    end_descendants();
    return conclude();
  }

 private:
  enum class Step { kNone, kAsked, kTerminated };

  int complain(const std::string& what) {
    console_.err << styled(color_err(console_), Style::kRed, "perdure:") << " " << printable(what) << "\n";
    return kFailed;
  }

  // True once the process has ended and all that it said is read.
  bool poll_once(int ended) {
    std::array<pollfd, 3> ready{{{link_.get(), POLLIN, 0}, {ended, POLLIN, 0}, {signals_.get(), POLLIN, 0}}};
    int wait = -1;
    if (due_ && !debugger_) {
      const auto left = std::chrono::ceil<milliseconds>(*due_ - steady_clock::now()).count();
      wait = static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
    }
    (void)::poll(ready.data(), ready.size(), wait);
    if (due_ && !debugger_ && steady_clock::now() >= *due_) take_next_step();
    if (ready[2].revents != 0) on_signal();
    if (ready[0].revents != 0) read_link();
    if (ready[1].revents == 0) return false;
    read_link();
    ended_ = os::try_reap(process_);
    return ended_.has_value();
  }

  void send(Kind kind, std::uint32_t arg) {
    protocol::Outgoing frame;
    frame.kind = kind;
    frame.arg = arg;
    if (link_) (void)protocol::send(link_.get(), frame, false);
  }

  void read_link() {
    while (link_) {
      protocol::Incoming frame;
      switch (receiver_.receive(link_.get(), frame, false)) {
        case protocol::ReceiveResult::kFrame:
          on_frame(frame);
          break;
        case protocol::ReceiveResult::kWouldBlock:
          return;
        case protocol::ReceiveResult::kInvalid:
          failure_ = process::protocol_error(receiver_.error());
          os::kill_tree(process_);
          return link_.reset();
        default:
          return link_.reset();
      }
    }
  }

  void on_frame(const protocol::Incoming& frame) {
    switch (frame.kind) {
      case Kind::kLoaded:
        return give(frame);
      case Kind::kRefused:
        refusal_ = process::parse_reason(frame.json, "reason");
        return;
      case Kind::kLog:
        return on_log(frame);
      case Kind::kOutcome:
        return on_outcome(frame);
      case Kind::kCrash:
        return on_crash(frame);
      case Kind::kRequest:
        return answer(frame);
      default:
        return;  // heartbeats
    }
  }

  // The plugin is loaded, by a debugger maybe for the second time: what came of an earlier attempt is forgotten.
  void give(const protocol::Incoming& loaded) {
    result_.reset();
    crash_.reset();
    backtrace_.clear();
    const auto manifest = process::parse_manifest(loaded.json);
    if (!manifest) {
      refusal_ = manifest.status().message();
      return link_.reset();
    }
    std::string offered;
    for (std::size_t i = 0; i < manifest->tasks.size(); ++i) {
      if (manifest->tasks[i].id == start_.task) return give(static_cast<std::uint32_t>(i));
      offered += (offered.empty() ? "" : ", ") + manifest->tasks[i].id;
    }
    refusal_ = "it has no task \"" + start_.task + "\", only " + offered;
    link_.reset();
  }

  void give(std::uint32_t index) {
    protocol::Outgoing frame;
    frame.kind = Kind::kStart;
    frame.arg = index;
    frame.id = ++given_;
    frame.json = start_.start;
    frame.raw = start_.payload;
    (void)protocol::send(link_.get(), frame, false);
    if (start_.max_duration) due_ = steady_clock::now() + *start_.max_duration;
  }

  void on_log(const protocol::Incoming& frame) {
    store::LogEntry entry;
    entry.at = store::Time(milliseconds(static_cast<std::int64_t>(frame.id)));
    entry.level = static_cast<store::LogLevel>(std::min<std::uint32_t>(frame.arg, 4));
    entry.message = process::to_utf8(frame.raw);
    entry.fields = frame.json;
    show(std::move(entry));
  }

  void show(store::LogEntry entry) {
    entry.attempt = start_.number;
    if (entry.at == store::Time{}) entry.at = wall_clock();
    api::JsonText json;
    api::put_log_entry(json, entry);
    print_log_entry(console_.err, color_err(console_), JsonView(json.str()));
  }

  // There is no host to ask: what the attempt tells of itself is heard and forgotten, what it would trigger is refused,
  // and of hooks it is told that they are the last.
  void answer(const protocol::Incoming& request) {
    protocol::Outgoing frame;
    frame.kind = Kind::kReply;
    frame.id = request.id;
    switch (static_cast<protocol::RequestKind>(request.arg)) {
      case protocol::RequestKind::kJudge:
        frame.json = R"({"final":true})";
        break;
      case protocol::RequestKind::kMetadata:
      case protocol::RequestKind::kTags:
      case protocol::RequestKind::kStream:
        break;
      default:
        frame.arg = static_cast<std::uint32_t>(protocol::ReplyStatus::kInvalid);
        frame.json = "this attempt is being debugged, and nothing of it is recorded";
    }
    if (link_) (void)protocol::send(link_.get(), frame, false);
  }

  void on_outcome(const protocol::Incoming& frame) {
    auto outcome = process::read_outcome(frame.arg, frame.json, frame.raw, protocol::kMaxRaw);
    if (const auto* fault = std::get_if<process::OutcomeFault>(&outcome)) {
      failure_ = process::protocol_error(fault->what);
    } else {
      result_ = std::move(std::get<process::AttemptResult>(outcome));
    }
    due_.reset();
    send(Kind::kConfirm, 0);
  }

  void on_crash(const protocol::Incoming& frame) {
    protocol::CrashReport report{};
    if (frame.raw.size() != sizeof report) return;
    std::memcpy(&report, frame.raw.data(), sizeof report);
    if (!crash_ && !debugger_) backtrace_ = debug_backtrace(report.pid, report.tid);
    crash_ = report;
    due_.reset();
    send(Kind::kResume, 0);
  }

  void on_signal() {
    signalfd_siginfo information{};
    while (::read(signals_.get(), &information, sizeof information) == sizeof information) {
      if (debugger_ && information.ssi_signo == SIGINT) continue;
      if (step_ != Step::kNone || debugger_ || information.ssi_signo != SIGINT || !link_) {
        if (!failure_) failure_ = process::canceled();
        os::kill_tree(process_);
        continue;
      }
      console_.err << "\nThe attempt is asked to stop; a second Ctrl-C kills it.\n";
      failure_ = process::canceled();
      step_ = Step::kAsked;
      due_.reset();
      send(Kind::kCancel, 1);
    }
  }

  // max_duration, and then what follows it.
  void take_next_step() {
    const auto now = steady_clock::now();
    if (step_ == Step::kNone) {
      failure_ = process::max_duration_exceeded(start_.max_duration->count());
      step_ = Step::kAsked;
      due_ = now + kTimeoutGrace;
      send(Kind::kCancel, 2);
    } else if (step_ == Step::kAsked) {
      step_ = Step::kTerminated;
      due_ = now + kTermGrace;
      (void)::kill(process_, SIGTERM);
    } else {
      due_.reset();
      os::kill_tree(process_);
    }
  }

  // What it started came to us when it died.
  static void end_descendants() {
    for (auto left = os::children_of(::getpid()); !left.empty(); left = os::children_of(::getpid())) {
      for (const pid_t pid : left) {
        os::kill_tree(pid);
        os::reap(pid);
      }
    }
  }

  int conclude() {
    if (!refusal_.empty()) {
      complain(start_.plugin + " is refused: " + refusal_);
      console_.err << printable(backtrace_);
      return kFailed;
    }
    if (result_ && !result_->failure) {
      const std::string& output = result_->output;
      console_.out << (console_.out_is_terminal ? printable(indented(output)) : output) << "\n";
      return kDone;
    }
    std::optional<store::Failure> failure = failure_;
    if (!failure && result_) failure = result_->failure;
    if (!failure && debugger_) {
      console_.err << "The debugger ended before the attempt did.\n";
      return kFailed;
    }
    if (!failure) failure = process::classify_exit(ended_->status, crash_, std::move(backtrace_));
    store::Attempt attempt;
    attempt.failure = std::move(failure);
    api::JsonText json;
    api::put_attempt(json, attempt);
    const JsonView error = JsonView(json.str())["error"];
    console_.err << styled(color_err(console_), Style::kRed,
                           start_.task + ", attempt " + std::to_string(start_.number) + ": " + error["code"].text())
                 << "\n";
    print_error(console_.err, color_err(console_), error);
    return kFailed;
  }

  const DebugStart& start_;
  const bool debugger_;
  Console& console_;
  pid_t process_ = -1;
  os::UniqueFd link_, signals_;
  protocol::Receiver receiver_;
  std::uint64_t given_ = 0;
  Step step_ = Step::kNone;
  std::optional<steady_clock::time_point> due_;
  std::optional<os::Ended> ended_;

  std::string refusal_;                    // why the plugin is not loaded
  std::optional<store::Failure> failure_;  // what this side decided
  std::optional<process::AttemptResult> result_;
  std::optional<protocol::CrashReport> crash_;
  std::string backtrace_;
};

}  // namespace

int debug_attempt(const DebugStart& start, os::Command program, bool debugger, Console& console) {
  return DebuggedAttempt(start, debugger, console).run(std::move(program));
}

}  // namespace perdure::cli
