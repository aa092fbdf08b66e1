// What a child says over its link: every frame is checked against the states in which it may come, and turned into what
// the engine is told.
#include <algorithm>
#include <cstring>
#include <utility>

#include "host/process/child.h"
#include "host/process/exit_classifier.h"
#include "host/process/json_slices.h"
#include "host/process/outcome.h"
#include "host/process/utf8_text.h"
#include "host/process/zygote.h"
#include "store/model/json_text.h"

namespace perdure::process {
namespace {

using protocol::Incoming;
using protocol::Kind;
using protocol::ReceiveResult;

constexpr std::chrono::milliseconds kLinkGrace{1000};  // between the end of the link and the end of the process
constexpr std::uint64_t kLineCost = 32;                // what a line costs beside its text
constexpr std::uint64_t kLogSlack = std::uint64_t{1} << 16;
constexpr store::JsonLimits kFieldLimits{protocol::kMaxJson, 64};

// The time a log line claims, or `now` when it cannot be true.
store::Time log_time(std::uint64_t claimed, store::Time now) {
  constexpr std::chrono::hours kBelievable{1};
  const store::Time at{std::chrono::milliseconds(static_cast<std::int64_t>(claimed & 0x7fffffffffffffff))};
  return at > now || at < now - kBelievable ? now : at;
}

}  // namespace

void Child::read_link(int frames) {
  for (; frames > 0 && link_; frames--) {
    switch (shared_.receiver.receive(link_.get(), shared_.frame, false)) {
      case ReceiveResult::kFrame:
        on_frame(shared_.frame);
        break;
      case ReceiveResult::kWouldBlock:
        return;
      case ReceiveResult::kPeerGone:
        return on_link_gone();
      case ReceiveResult::kInvalid:
        return violation(shared_.receiver.error());
      case ReceiveResult::kFailed:
        return;  // the host is short of memory; the frame may come again
    }
  }
}

void Child::on_link_gone() {
  close_link();
  recyclable_ = false;
  if (state_ == ChildState::kIdle) {
    violation("");
  } else if (state_ == ChildState::kExecuting && attempt_->ending == EndingStep::kNone) {
    due_ = std::chrono::steady_clock::now() + kLinkGrace;
    schedule();
  }
}

void Child::on_frame(const Incoming& frame) {
  if (state_ == ChildState::kLeaving || state_ == ChildState::kDead) {
    if (frame.kind == Kind::kCrash) (void)send(Kind::kResume, 0);
    return;
  }
  last_sign_ = std::chrono::steady_clock::now();
  switch (frame.kind) {
    case Kind::kOutcome:
      return on_outcome(frame);
    case Kind::kLog:
      return on_log(frame);
    case Kind::kHeartbeat:
      if (!next_state(state_, ChildEvent::kLog)) violation("a heartbeat before its attempt began");
      return;
    case Kind::kUsage:
      return on_usage(frame);
    case Kind::kCrash:
      return on_crash(frame);
    case Kind::kRequest:
      return on_request(frame);
    case Kind::kSpan:
      return on_span(frame);
    case Kind::kResend:
      if (!adopted_) return violation("an answer to what nobody has asked");
      resending_ = resending_ && frame.id != adoption_;  // else it was for a host in between
      return;
    default:
      return violation("a message of the unknown kind " + std::to_string(static_cast<unsigned>(frame.kind)));
  }
}

void Child::on_outcome(const Incoming& frame) {
  if (adopted_ && state_ == ChildState::kFinished && frame.id == served_) return;  // sent again
  if (!next_state(state_, ChildEvent::kOutcome)) return violation("an outcome where none was due");
  if (frame.id != served_) return violation("an outcome of another attempt");
  AttemptResult result;
  if (!judged()) {
    auto outcome = read_outcome(frame.arg, frame.json, frame.raw, shared_.options.output_limit);
    if (const auto* fault = std::get_if<OutcomeFault>(&outcome)) return violation(fault->what);
    result = std::move(std::get<AttemptResult>(outcome));
  }
  see_memory(result);
  if (attempt_->ending != EndingStep::kNone) recyclable_ = false;
  out_.drain(*this);
  err_.drain(*this);
  advance(ChildEvent::kOutcome);
  if (!killed_) due_ = Instant::max();
  schedule();
  tell_result(std::move(result));
}

void Child::tell_result(AttemptResult result) {
  Attempt& attempt = *attempt_;
  wait(false);
  attempt.told = true;
  attempt.hooks.clear();
  result.judged = judged();
  if (!result.judged || result.failure) apply_verdict(result);
  if (attempt.started_at != Instant{}) {
    result.usage.duration =
        std::chrono::duration_cast<store::Duration>(std::chrono::steady_clock::now() - attempt.started_at);
  }
  add_usage(result.usage);
  shared_.announce();
  attempt.observer->on_result(attempt.spec.handle, std::move(result));
}

// An attempt that is being ended ended so, whatever it says.
void Child::apply_verdict(AttemptResult& result) const {
  if (!attempt_->verdict || (attempt_->success_counts && !result.failure)) return;
  result.failure = *attempt_->verdict;
  result.output.clear();
  result.retry_at.reset();
}

void Child::on_crash(const Incoming& frame) {
  protocol::CrashReport report{};
  if (frame.raw.size() != sizeof report) return violation("a crash report of the wrong size");
  std::memcpy(&report, frame.raw.data(), sizeof report);
  const ChildState before = state_;
  if (!advance(ChildEvent::kCrash)) return violation("a crash report before its attempt began");
  recyclable_ = false;
  const Instant now = std::chrono::steady_clock::now();
  if (before == ChildState::kCrashing) return;  // of another thread; the first one counts
  if (before != ChildState::kExecuting) {
    if (before == ChildState::kIdle) zygote_.no_longer_idle(*this);
    resume(now);
    return schedule();
  }
  attempt_->crash = report;
  if (attempt_->verdict || report.pid != pid_ || report.tid <= 0) {
    resume(now);
    return schedule();
  }
  due_ = now + shared_.options.backtrace_timeout + shared_.options.leave_grace;
  schedule();
  const auto taken = [&shared = shared_, handle = attempt_->spec.handle](BacktraceRequests::Taken what) {
    const Attempt* attempt = shared.find(handle);
    if (attempt != nullptr && attempt->child != nullptr) attempt->child->backtrace_taken(std::move(what));
  };
  shared_.backtraces.request(pid_, report.tid, core_wanted(), taken);
}

// The failure says what became of one that the task asked for, also when it is that there was none.
std::optional<CoreWanted> Child::core_wanted() const {
  const AttemptSpec& spec = attempt_->spec;
  const SupervisorOptions& options = shared_.options;
  if (!spec.keep_core) return std::nullopt;
  attempt_->core = R"({"error":"it could not be written in time"})";
  const std::string name = spec.run.text() + "-" + std::to_string(spec.number) + ".core";
  return CoreWanted{.path = options.cores + "/" + name,
                    .size = options.core_size,
                    .all = options.cores_size,
                    .signal = attempt_->crash->signal};
}

void Child::on_request(const Incoming& frame) {
  if (resending_) return;  // it has no answer, so it comes again, after those that the last host had read
  if (!next_state(state_, ChildEvent::kRequest)) return violation("a request while it executes no attempt");
  if (frame.arg == 0 || frame.arg > protocol::kLastRequestKind) {
    return violation("a request of the unknown kind " + std::to_string(frame.arg));
  }
  const auto kind = static_cast<protocol::RequestKind>(frame.arg);
  if (kind == protocol::RequestKind::kJudge) return on_judge(frame);
  const bool batch = kind == protocol::RequestKind::kBatch;
  if (frame.raw.size() > (batch ? protocol::kMaxBatchRaw + protocol::kMaxRequestRaw : protocol::kMaxRequestRaw)) {
    return violation("a request with " + std::to_string(frame.raw.size()) + " bytes beside it");
  }
  std::vector<std::uint64_t>& open = attempt_->requests;
  if (std::ranges::find(open, frame.id) != open.end()) return violation("two requests of the same number");
  if (open.size() >= protocol::kMaxOpenRequests) {
    return violation("more than " + std::to_string(protocol::kMaxOpenRequests) + " requests at once");
  }
  if (state_ != ChildState::kExecuting) return;  // it crashes, and will not read an answer
  open.push_back(frame.id);
  AttemptRequest request{frame.id, kind, std::string(frame.json), std::string(frame.raw)};
  shared_.announce();
  attempt_->observer->on_request(attempt_->spec.handle, std::move(request));
}

void Child::reply(std::uint64_t request, const AttemptReply& reply) {
  if (attempt_ == nullptr || !link_) return;
  const auto open = std::ranges::find(attempt_->requests, request);
  if (open == attempt_->requests.end()) return;
  if (reply.status != protocol::ReplyStatus::kBegun) attempt_->requests.erase(open);
  protocol::Outgoing frame;
  frame.kind = Kind::kReply;
  frame.id = request;
  frame.arg = static_cast<std::uint32_t>(reply.status);
  frame.json = reply.json;
  frame.raw = reply.raw;
  // Its socket has room for an answer to each request it may have open, so one that does not fit is one of many that it
  // leaves unread.
  if (protocol::send(link_.get(), frame, false) == protocol::SendResult::kWouldBlock) {
    violation("more requests than it reads the answers to");
  }
}

void Child::on_log(const Incoming& frame) {
  if (!next_state(state_, ChildEvent::kLog)) return violation("a log line before its attempt began");
  if (frame.arg > static_cast<std::uint32_t>(store::LogLevel::kError))
    return violation("a log line of an unknown level");
  if (attempt_ == nullptr || attempt_->told) return;  // a thread of the task that goes on after its end
  attempt_->logged += frame.raw.size() + frame.json.size() + kLineCost;
  if (attempt_->logged > 2 * shared_.options.log_limit + kLogSlack) {  // the attempt's own runtime stops long before
    if (!std::exchange(attempt_->log_cut, true)) {
      tell_log(store::LogSource::kHost, store::LogLevel::kWarn, shared_.options.clock(),
               "Further log lines of this attempt are dropped: it logged too much");
    }
    return;
  }
  if (!frame.json.empty() && (!store::check_json(frame.json, kFieldLimits) || !is_object(frame.json))) {
    return violation("a log line whose fields are no JSON object");
  }
  tell_log(store::LogSource::kTask, static_cast<store::LogLevel>(frame.arg),
           log_time(frame.id, shared_.options.clock()), to_utf8(frame.raw), std::string(frame.json));
}

void Child::on_line(bool is_stderr, std::string_view line) {
  if (attempt_ == nullptr || attempt_->told || attempt_->capture_cut) return;
  const store::Time now = shared_.options.clock();
  attempt_->captured += line.size() + kLineCost;
  if (attempt_->captured > shared_.options.log_limit) {
    attempt_->capture_cut = true;
    return tell_log(store::LogSource::kHost, store::LogLevel::kWarn, now,
                    "Further output of this attempt is dropped: it wrote more than " +
                        std::to_string(shared_.options.log_limit) + " bytes to stdout and stderr");
  }
  tell_log(is_stderr ? store::LogSource::kStderr : store::LogSource::kStdout,
           is_stderr ? store::LogLevel::kWarn : store::LogLevel::kInfo, now, to_utf8(line));
}

void Child::tell_log(store::LogSource source, store::LogLevel level, store::Time at, std::string message,
                     std::string fields) {
  store::LogEntry entry;
  entry.at = at;
  entry.attempt = attempt_->spec.number;
  entry.level = level;
  entry.source = source;
  entry.message = std::move(message);
  entry.fields = std::move(fields);
  shared_.announce();
  attempt_->observer->on_log(attempt_->spec.handle, std::move(entry));
}

}  // namespace perdure::process
