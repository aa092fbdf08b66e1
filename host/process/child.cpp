#include "host/process/child.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "host/process/exit_classifier.h"
#include "host/process/json_slices.h"
#include "host/process/start_info.h"
#include "host/process/zygote.h"

namespace perdure::process {
namespace {

using protocol::Kind;
using protocol::Roster;
using protocol::SendResult;

constexpr int kAllFrames = 4096;                   // more than a socket's buffer holds
constexpr std::chrono::milliseconds kToRead{100};  // what is there

Instant now_steady() { return std::chrono::steady_clock::now(); }

// Whether nothing at all waits on `socket`.
bool is_quiet(int socket) {
  char byte = 0;
  return recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

// That no other host has, on this boot.
std::uint64_t unique_number() { return static_cast<std::uint64_t>(now_steady().time_since_epoch().count()); }

}  // namespace

Child::Child(Shared& shared, Zygote& zygote, std::uint64_t id, pid_t pid, Ends ends)
    : shared_(shared),
      zygote_(zygote),
      id_(id),
      pid_(pid),
      link_(std::move(ends.link)),
      out_(std::move(ends.out), false),
      err_(std::move(ends.err), true),
      state_(pid > 0 ? ChildState::kIdle : ChildState::kForking) {}

pid_t Child::parent() const { return zygote_.pid(); }

bool Child::advance(ChildEvent event) {
  const std::optional<ChildState> next = next_state(state_, event);
  if (next) state_ = *next;
  return next.has_value();
}

bool Child::send(Kind kind, std::uint32_t arg, std::string_view json) {
  protocol::Outgoing frame;
  frame.json = json;
  frame.kind = kind;
  frame.arg = arg;
  return link_ && protocol::send(link_.get(), frame, false) == SendResult::kSent;
}

Child::Given Child::give(Attempt& attempt) {
  if (!link_) return Given::kGone;
  if (served_ > 0) {
    if (!is_quiet(link_.get())) return Given::kGone;  // it ends, or its threads still talk of an earlier attempt
    out_.discard();
    err_.discard();
  }
  if (state_ == ChildState::kIdle && !link_watched_) {
    if (!shared_.events.add(link_.get(), *this, kLink)) return Given::kImpossible;
    link_watched_ = true;
  }
  const std::string info = start_info(attempt.spec, shared_.options);
  protocol::Outgoing frame;
  frame.kind = Kind::kStart;
  frame.arg = attempt.task_index;
  frame.id = served_ + 1;
  frame.json = info;
  frame.raw = attempt.spec.payload;
  if (Roster* roster = zygote_.roster()) {  // before it can begin
    const AttemptSpec& spec = attempt.spec;
    roster_ =
        roster->enter(id_, frame.id, spec.run.text(), spec.number, spec.token, spec.only.has_value(), spec.replay);
  }
  const SendResult sent = protocol::send(link_.get(), frame, false);
  if (sent != SendResult::kSent) strike_off();
  if (sent == SendResult::kFailed) return Given::kImpossible;
  if (sent != SendResult::kSent) return Given::kGone;

  attempt_ = &attempt;
  attempt.child = this;
  served_++;
  sandbox_ = attempt.spec.sandbox;
  limited_ = false;
  const Instant now = now_steady();
  if (state_ == ChildState::kForking) {
    due_ = now + shared_.options.start_timeout;
    schedule();
    return Given::kYes;
  }
  advance(ChildEvent::kGiven);
  attempt.started_at = last_sign_ = now;
  due_ = Instant::max();
  shared_.announce_started(*attempt.observer, attempt.spec.handle, pid_);
  schedule();
  return Given::kYes;
}

// Its attempt is over, or never began.
void Child::strike_off() {
  if (Roster* roster = zygote_.roster()) roster->remove(std::exchange(roster_, Roster::kNone));
}

void Child::take_over(Attempt& attempt, std::uint32_t ordinal, std::uint32_t roster) {
  attempt_ = &attempt;
  attempt.child = this;
  served_ = ordinal;
  roster_ = roster;
  sandbox_ = attempt.spec.sandbox;
  adopted_ = resending_ = true;
  recyclable_ = false;
  advance(ChildEvent::kGiven);
  last_sign_ = now_steady();
  due_ = Instant::max();
  shared_.announce_started(*attempt.observer, attempt.spec.handle, pid_);
  if (link_) {  // else it had ended before its host's ends could be kept
    link_watched_ = shared_.events.add(link_.get(), *this, kLink);
    adoption_ = unique_number();
    protocol::Outgoing frame;
    frame.kind = Kind::kAdopted;
    frame.id = adoption_;
    (void)protocol::send(link_.get(), frame, false);
    settle();
    limit();
  }
  schedule();
}

void Child::born(pid_t pid) {
  if (state_ != ChildState::kForking || attempt_ == nullptr) return;
  pid_ = pid;
  advance(ChildEvent::kBorn);
  attempt_->started_at = last_sign_ = now_steady();
  due_ = attempt_->ending == EndingStep::kAsked ? last_sign_ + attempt_->grace : Instant::max();
  shared_.announce_started(*attempt_->observer, attempt_->spec.handle, pid_);
  link_watched_ = shared_.events.add(link_.get(), *this, kLink);
  if (!link_watched_) {
    attempt_->verdict = host_lost("The attempt was ended because the host could not watch its process");
    kill_now(last_sign_);
  }
  schedule();
}

Attempt* Child::disown() {
  shared_.deadlines.clear(*this);
  close_all();
  strike_off();
  state_ = ChildState::kDead;
  Attempt* attempt = std::exchange(attempt_, nullptr);
  if (attempt != nullptr) attempt->child = nullptr;
  return attempt;
}

void Child::died(const os::Ended& ended) {
  if (attempt_ != nullptr && !attempt_->told) {
    read_link(kAllFrames);
    out_.drain(*this);
    err_.drain(*this);
  }
  advance(ChildEvent::kDied);
  shared_.deadlines.clear(*this);
  close_all();
  if (attempt_ == nullptr) return leave_limits();
  std::optional<store::Failure> memory = memory_failure();
  finish(memory ? *std::move(memory)
                : classify_exit(ended.status, attempt_->crash, std::move(attempt_->backtrace), attempt_->core),
         &ended);
  leave_limits();
}

void Child::lost(const std::string& why) {
  if (attempt_ != nullptr && !attempt_->told) {
    read_link(kAllFrames);
    out_.drain(*this);
    err_.drain(*this);
  }
  advance(ChildEvent::kDied);
  shared_.deadlines.clear(*this);
  close_all();
  if (attempt_ != nullptr) finish(host_lost(why), nullptr);
  leave_limits();
}

void Child::finish(store::Failure failure, const os::Ended* ended) {
  Attempt& attempt = *attempt_;
  strike_off();
  if (!attempt.told) {
    AttemptResult result;
    tell_open_hooks(failure);
    result.failure = std::move(failure);
    result.died = true;
    if (ended != nullptr) {
      attempt.usage = {ended->cpu_microseconds, ended->peak_memory, ended->voluntary_switches,
                       ended->involuntary_switches};
    }
    tell_result(std::move(result));
  }
  attempt_ = nullptr;
  attempt.child = nullptr;
  shared_.release(attempt);
}

void Child::confirm() {
  if (state_ != ChildState::kFinished || attempt_ == nullptr) return;
  const bool recycle = recyclable_ && link_ && !killed_ && attempt_->spec.recycle_after > served_;
  strike_off();
  if (!recycle || !send(Kind::kConfirm, 1)) {
    advance(ChildEvent::kConfirmed);
    if (!recycle) (void)send(Kind::kConfirm, 0);
    close_all();
    due_ = now_steady() + shared_.options.leave_grace;
    schedule();
    return;
  }
  advance(ChildEvent::kRecycled);
  Attempt& attempt = *std::exchange(attempt_, nullptr);
  attempt.child = nullptr;
  due_ = now_steady() + shared_.options.recycled_idle;
  schedule();
  zygote_.recycled(*this);
  shared_.release(attempt);
}

void Child::stop(StopReason reason, const std::string& words) {
  if (attempt_ == nullptr || attempt_->told || attempt_->ending != EndingStep::kNone) return;
  if (judged() && reason != StopReason::kShutdown) return;
  const SupervisorOptions& options = shared_.options;
  const Instant now = now_steady();
  switch (reason) {
    case StopReason::kCanceled:
      attempt_->success_counts = true;
      ask_to_end(canceled(), 1, options.cancel_grace, now, words);
      break;
    case StopReason::kTimedOut: {
      const auto taken = std::chrono::duration_cast<std::chrono::milliseconds>(now - attempt_->started_at);
      ask_to_end(max_duration_exceeded(attempt_->spec.max_duration.value_or(taken).count()), 2, options.timeout_grace,
                 now);
      break;
    }
    case StopReason::kShutdown:
      attempt_->success_counts = true;
      ask_to_end(host_lost("The host was shut down while the attempt executed"), 3, options.shutdown_grace, now);
      break;
  }
  schedule();
}

void Child::ask_to_end(store::Failure verdict, std::uint32_t why, std::chrono::milliseconds grace, Instant now,
                       const std::string& words) {
  if (!attempt_->verdict) attempt_->verdict = std::move(verdict);
  if (state_ == ChildState::kCrashing || state_ == ChildState::kLeaving) return;  // ending already
  attempt_->ending = EndingStep::kAsked;
  attempt_->grace = grace;
  std::string reason;
  if (!words.empty()) {
    reason = "{\"reason\":";
    append_string(reason, words);
    reason += '}';
  }
  (void)send(Kind::kCancel, why, reason);
  if (state_ == ChildState::kExecuting) due_ = now + grace;  // else from its birth on
}

void Child::violation(const std::string& what) {
  recyclable_ = false;
  const bool was_idle = state_ == ChildState::kIdle;
  if (!advance(ChildEvent::kViolation)) return;
  if (was_idle) zygote_.no_longer_idle(*this);
  if (attempt_ != nullptr && !attempt_->told && !attempt_->verdict) attempt_->verdict = protocol_error(what);
  kill_now(now_steady());
  schedule();
}

void Child::kill_now(Instant now) {
  killed_ = true;
  recyclable_ = false;
  if (attempt_ != nullptr) attempt_->ending = EndingStep::kKilled;
  zygote_.signal(*this, SIGKILL);
  due_ = now + shared_.options.leave_grace;
}

void Child::let_go() {
  shared_.deadlines.clear(*this);
  close_all();
  state_ = ChildState::kDead;
}

void Child::dismiss() {
  if (state_ != ChildState::kIdle) return;
  advance(ChildEvent::kViolation);
  if (link_) (void)shutdown(link_.get(), SHUT_RDWR);  // the end of its link is its leave; it may hold our end as well
  close_all();
  due_ = now_steady() + shared_.options.leave_grace;
  schedule();
}

void Child::backtrace_taken(BacktraceRequests::Taken taken) {
  if (state_ != ChildState::kCrashing || attempt_ == nullptr) return;
  attempt_->backtrace = std::move(taken.text);
  if (!taken.core.empty()) attempt_->core = std::move(taken.core);
  resume(now_steady());
  schedule();
}

void Child::resume(Instant now) {
  (void)send(Kind::kResume, 0);
  due_ = now + shared_.options.leave_grace;
}

void Child::close_link() {
  if (std::exchange(link_watched_, false)) shared_.events.remove(link_.get());
  link_.reset();
}

void Child::close_all() {
  close_link();
  for (OutputCapture* output : {&out_, &err_}) {
    if (output->watched && output->fd() >= 0) shared_.events.remove(output->fd());
    output->close();
  }
}

void Child::settle() {
  settled_ = true;
  out_.watched = out_.fd() >= 0 && shared_.events.add(out_.fd(), *this, kOut);
  err_.watched = err_.fd() >= 0 && shared_.events.add(err_.fd(), *this, kErr);
  zygote_.taken(*this);
}

void Child::on_event(std::uint32_t which, std::uint32_t) {
  if (which == kLink) {
    if (link_) read_link(32);
    return;
  }
  OutputCapture& output = which == kOut ? out_ : err_;
  if (output.fd() < 0 || output.read(*this) != OutputCapture::Turn::kEnded) return;
  shared_.events.remove(output.fd());
  output.close();
}

void Child::schedule() {
  Instant due = due_;
  if (state_ == ChildState::kExecuting) {
    if (!settled_ || !limited_) due = std::min(due, moment());
    if (attempt_->ending == EndingStep::kNone) {
      due = std::min({due, last_sign_ + stall_after(), hook_due()});
      if (attempt_->spec.max_duration && !judged() && !attempt_->waits_since)
        due = std::min(due, attempt_->started_at + *attempt_->spec.max_duration);
    }
  }
  if (due == Instant::max()) {
    shared_.deadlines.clear(*this);
  } else {
    shared_.deadlines.set(*this, due);
  }
}

void Child::on_deadline(Instant now) {
  if (state_ == ChildState::kExecuting && now >= moment()) {
    if (!settled_) settle();
    if (!limited_) limit();
  }
  check_limits(now);
  if (now >= due_) take_next_step(now);
  schedule();
}

// Another host told it how often to give a sign of life.
std::chrono::milliseconds Child::stall_after() const {
  constexpr std::chrono::milliseconds kOfAnotherHost = std::chrono::minutes(5);
  return adopted_ ? std::max(shared_.options.stall_after, kOfAnotherHost) : shared_.options.stall_after;
}

void Child::check_limits(Instant now) {
  const auto limited = [this] {
    return state_ == ChildState::kExecuting && attempt_ != nullptr && attempt_->ending == EndingStep::kNone;
  };
  const auto timed_out = [&] {
    return limited() && !judged() && attempt_->spec.max_duration && !attempt_->waits_since &&
           now >= attempt_->started_at + *attempt_->spec.max_duration;
  };
  const auto silent = [&] { return limited() && now >= last_sign_ + stall_after(); };
  const auto in_hook = [&] { return limited() && now >= hook_due(); };
  // What it said in time counts, though we were late to read it.
  if ((timed_out() || silent() || in_hook()) && link_) read_link(kAllFrames);
  if (timed_out()) {
    ask_to_end(max_duration_exceeded(attempt_->spec.max_duration->count()), 2, shared_.options.timeout_grace, now);
  } else if (silent()) {
    attempt_->verdict = stalled(std::chrono::duration_cast<std::chrono::milliseconds>(now - last_sign_).count());
    kill_now(now);
  } else if (in_hook()) {
    end_overdue_hook(now);
  }
}

// A zygote that is heard forks, however slowly: ending it would end every attempt it has, those that wait among them.
// What it says may be there and not read yet.
void Child::wait_on_or_give_up(Instant now) {
  const Instant patience = zygote_.heard_at() + shared_.options.start_timeout;
  if (patience > now) {
    due_ = patience;
  } else if (!std::exchange(late_, true)) {
    due_ = now + kToRead;
  } else {
    zygote_.unresponsive("it did not fork in time");
  }
}

void Child::take_next_step(Instant now) {
  due_ = Instant::max();
  if (killed_) return zygote_.unresponsive("it did not end an attempt that was to be killed");
  switch (state_) {
    case ChildState::kForking:
      return wait_on_or_give_up(now);
    case ChildState::kIdle:
      zygote_.no_longer_idle(*this);
      return dismiss();
    case ChildState::kExecuting:
      if (attempt_->ending == EndingStep::kAsked) {
        attempt_->ending = EndingStep::kTerminated;
        zygote_.signal(*this, SIGTERM);
        due_ = now + shared_.options.term_grace;
      } else if (attempt_->ending == EndingStep::kNone) {
        violation("it closed its connection to the host and ran on");
      } else {
        kill_now(now);
      }
      return;
    case ChildState::kCrashing:
      if (!attempt_->verdict) {
        attempt_->verdict = classify_exit(attempt_->crash->signal & 0x7f, attempt_->crash,
                                          std::move(attempt_->backtrace), attempt_->core);
      }
      return kill_now(now);
    case ChildState::kLeaving:
      return kill_now(now);
    case ChildState::kFinished:
    case ChildState::kDead:
      return;
  }
}

}  // namespace perdure::process
