#include "host/zygote/self_test.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <optional>

#include "host/protocol/frame.h"
#include "host/zygote/attempt.h"
#include "host/zygote/child_process.h"
#include "host/zygote/descendants.h"
#include "host/zygote/inspect.h"
#include "host/zygote/json_text.h"

namespace perdure::zygote {
namespace {

using protocol::Incoming;
using protocol::Kind;
using protocol::Outgoing;
using protocol::ReceiveResult;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxLines = 50;           // of its log, the last ones
constexpr std::size_t kMaxLine = 500;           // bytes of each
constexpr milliseconds kCrashPatience{15'000};  // for the host to take the backtrace; the crashed process waits less
constexpr milliseconds kLeavePatience{2'000};   // from the outcome to the end of the process

constexpr std::string_view kStartInfo =
    R"({"run":"","attempt":1,"heartbeat_ms":0,"output_limit":65536,"log_limit":100000,"recycle":false,)"
    R"("context":{"selfTest":true},"config":{}})";

std::string in_words(milliseconds time) {
  const auto count = time.count();
  return count % 1000 == 0 ? std::to_string(count / 1000) + " s" : std::to_string(count) + " ms";
}

// A JSON string without its quotes and escapes, for a text that becomes a JSON string again. What cannot be written in
// one line for people becomes a blank.
std::string plain(std::string_view json_string) {
  const std::string_view text = json_plain_string(json_string);
  std::string out;
  for (std::size_t i = 0; i < text.size(); i++) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
    } else if (const char next = text[++i]; next == 'u') {
      out += ' ';  // only control characters are written so
      i += std::min<std::size_t>(4, text.size() - i - 1);
    } else {
      out += next == 'n' || next == 't' || next == 'r' || next == 'b' || next == 'f' ? ' ' : next;
    }
  }
  return out;
}

// The one attempt, from the host's side.
class Rehearsal {
 public:
  Rehearsal(int control, milliseconds limit) : control_(control), limit_(limit), deadline_(Clock::now() + limit) {}
  ~Rehearsal() {
    for (const int fd : {link_, pidfd_}) {
      if (fd >= 0) close(fd);
    }
  }
  Rehearsal(const Rehearsal&) = delete;
  Rehearsal& operator=(const Rehearsal&) = delete;

  SelfTest run(const Registration& registration, bool forks, const Arguments& how, TemporaryDirectories& directories) {
    const TemporaryDirectory temporary = directories.take();
    if (!begin(registration, forks, how, temporary, directories.path(temporary))) {
      return failed("its self test could not be started: " + std::string(strerror(errno)));
    }
    while (!ended_) wait();
    end_descendants();
    (void)directories.give_back(temporary);
    return std::move(verdict_);
  }

 private:
  bool begin(const Registration& registration, bool forks, const Arguments& how, const TemporaryDirectory& temporary,
             const std::string& temporary_path) {
    int link[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link) != 0) return false;
    link_ = link[0];
    const ChildEnds ends{link[1], STDOUT_FILENO, STDERR_FILENO};
    const pid_t zygote = getpid();
    pid_ = forks ? fork() : execute_attempt(ends, how, temporary_path);
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      become_attempt(ends, temporary, how.user, zygote);
      serve_attempts(registration);
    }
    const int error = errno;
    close(link[1]);
    errno = error;
    if (pid_ < 0) return false;
    pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
    if (pidfd_ < 0) {
      const int refused = errno;
      end_descendants();
      errno = refused;
      return false;
    }
    Outgoing start;
    start.kind = Kind::kStart;
    start.id = 1;
    start.arg = protocol::kSelfTest;
    start.json = kStartInfo;
    start.raw = "null";
    (void)protocol::send(link_, start, true);
    return true;
  }

  void wait() {
    const auto left = std::chrono::ceil<milliseconds>(deadline_ - Clock::now());
    if (left.count() <= 0) return out_of_time();
    pollfd ready[3] = {{link_, POLLIN, 0}, {pidfd_, POLLIN, 0}, {control_, POLLIN, 0}};
    if (poll(ready, 3, static_cast<int>(std::min<std::int64_t>(left.count(), 60'000))) <= 0) return;
    if (ready[2].revents != 0) read_control();
    if (ready[0].revents != 0) read_link();
    if (ready[1].revents != 0) reap();
  }

  void read_control() {
    Incoming frame;
    const ReceiveResult got = control_receiver_.receive(control_, frame, false);
    if (got == ReceiveResult::kWouldBlock) return;
    if (got != ReceiveResult::kFrame || frame.kind == Kind::kQuit) {  // the host is gone
      signal_tree(pid_, SIGKILL);
      end_descendants();
      _exit(0);
    }
    if (frame.kind != Kind::kResume) return;
    Outgoing resume;
    resume.kind = Kind::kResume;
    (void)protocol::send(link_, resume, true);
  }

  void read_link() {
    for (Incoming frame; link_ >= 0;) {
      switch (receiver_.receive(link_, frame, false)) {
        case ReceiveResult::kFrame:
          take(frame);
          break;
        case ReceiveResult::kWouldBlock:
          return;
        case ReceiveResult::kInvalid:
          outcome_ = "its self test broke the link to its host: " + receiver_.error();
          signal_tree(pid_, SIGKILL);
          [[fallthrough]];
        default:
          close(link_);
          link_ = -1;  // poll ignores it; the process ends soon, or its time does
      }
    }
  }

  void take(const Incoming& frame) {
    if (frame.kind == Kind::kLog) {
      lines_.push_back({frame.arg, std::string(frame.raw.substr(0, kMaxLine))});
      if (!frame.json.empty()) lines_.back().text += ' ' + std::string(frame.json.substr(0, kMaxLine));
      if (lines_.size() > kMaxLines) lines_.pop_front();
    } else if (frame.kind == Kind::kOutcome && !outcome_) {
      outcome_ = "";
      if (frame.arg != static_cast<std::uint32_t>(protocol::Outcome::kSuccess)) {
        outcome_ = "its self test failed: " + why(frame.json);
      }
      Outgoing confirm;
      confirm.kind = Kind::kConfirm;
      (void)protocol::send(link_, confirm, true);
      deadline_ = Clock::now() + kLeavePatience;
    } else if (frame.kind == Kind::kCrash && !verdict_.told) {
      tell_crash(frame);
    }
  }

  static std::string why(std::string_view error) {
    std::string name, message;
    JsonMembers members(error);
    for (std::string_view key, value; members.next(key, value);) {
      if (key == "name") name = plain(value);
      if (key == "message") message = plain(value);
    }
    if (message.empty()) return name;
    return name.empty() ? message : name + ": " + message;
  }

  // The crashed process waits in its signal handler: the host looks into it and answers kResume, which is passed on.
  void tell_crash(const Incoming& crash) {
    protocol::CrashReport report{};
    if (crash.raw.size() != sizeof report) return;
    memcpy(&report, crash.raw.data(), sizeof report);
    const char* const name = sigabbrev_np(report.signal);
    const std::string json =
        refusal_json({with_log(std::string("its self test crashed: SIG") + (name != nullptr ? name : "?")), {}});
    Outgoing frame;
    frame.kind = Kind::kRefused;
    frame.json = json;
    (void)protocol::send(control_, frame, true);
    frame = {};
    frame.kind = Kind::kCrash;
    frame.raw = crash.raw;
    (void)protocol::send(control_, frame, true);
    verdict_.told = true;
    deadline_ = Clock::now() + kCrashPatience;
  }

  void out_of_time() {
    if (!outcome_ && !verdict_.told) outcome_ = "its self test did not finish within " + in_words(limit_);
    signal_tree(pid_, SIGKILL);
    deadline_ = Clock::now() + kLeavePatience;
  }

  void reap() {
    int status = 0;
    read_link();  // what it said before it ended
    signal_tree(pid_, SIGKILL);
    if (waitpid(pid_, &status, 0) != pid_) status = 0;
    ended_ = true;
    if (verdict_.told) return;
    if (!outcome_ && WIFSIGNALED(status)) {
      const char* const name = sigabbrev_np(WTERMSIG(status));
      outcome_ = std::string("its self test was ended by SIG") + (name != nullptr ? name : "?");
    } else if (!outcome_) {
      outcome_ = "its self test ended its process with exit code " + std::to_string(WEXITSTATUS(status)) +
                 " instead of returning";
    }
    if (!outcome_->empty()) {
      verdict_ = failed(*outcome_);
      return;
    }
    for (const Line& line : lines_) {
      if (line.level >= PERDURE_WARN) verdict_.warnings.push_back("its self test says: " + line.text);
    }
  }

  SelfTest failed(const std::string& sentence) const { return {with_log(sentence), {}, false}; }

  std::string with_log(std::string text) const {
    static constexpr const char* kLevels[] = {"trace", "debug", "info", "warn", "error"};
    for (const Line& line : lines_) {
      text += '\n' + std::string(kLevels[std::min<std::uint32_t>(line.level, PERDURE_ERROR)]) + ": " + line.text;
    }
    return text;
  }

  struct Line {
    std::uint32_t level;
    std::string text;
  };

  const int control_;
  const milliseconds limit_;
  Clock::time_point deadline_;
  int link_ = -1, pidfd_ = -1;
  pid_t pid_ = -1;
  bool ended_ = false;
  std::optional<std::string> outcome_;  // why it failed, or empty when it passed; nothing while it executes
  std::deque<Line> lines_;
  SelfTest verdict_;
  protocol::Receiver receiver_, control_receiver_;
};

}  // namespace

SelfTest run_self_test(int control, const Registration& registration, bool forks, const Arguments& how,
                       TemporaryDirectories& temporary) {
  return Rehearsal(control, how.self_test).run(registration, forks, how, temporary);
}

}  // namespace perdure::zygote
