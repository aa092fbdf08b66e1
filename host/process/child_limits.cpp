// What a child may use of memory, and what it used: its limits begin once its attempt has executed for a moment, so
// that the many that end sooner never pay for them.
#include <algorithm>
#include <cstring>

#include "host/os/process_memory.h"
#include "host/process/child.h"
#include "host/process/exit_classifier.h"

namespace perdure::process {
namespace {

// Memory is taken at some 2 GB/s at most. A machine whose memory could be used up within kMoment, and what it then
// takes to limit it, has a shorter one.
constexpr std::uint64_t kBytesPerMillisecond = std::uint64_t{25} << 20;
constexpr std::chrono::milliseconds kLeastMoment{1};

}  // namespace

bool Child::may_serve(const AttemptSpec& spec) const {
  if (served_ >= spec.recycle_after || sandbox_ != spec.sandbox) return false;
  return !guarded_ || guarded_->machine() == spec.machine;
}

Instant Child::moment() const {
  const std::uint64_t memory = attempt_->spec.machine.memory;
  auto moment = protocol::kMoment;
  if (memory > 0) {
    const std::chrono::milliseconds quick(static_cast<std::int64_t>(memory / kBytesPerMillisecond));
    moment = std::clamp(quick, kLeastMoment, protocol::kMoment);
  }
  return attempt_->started_at + moment;
}

void Child::limit() {
  limited_ = true;
  if (served_ > 1) cpu_before_ = os::processor_time(pid_);
  if (guarded_) {
    guarded_->begin(attempt_->spec.handle);
  } else {
    guarded_ = shared_.guard.guard(pid_, attempt_->spec.machine, attempt_->spec.handle);
  }
  if (guarded_ && attempt_->waits_since) shared_.guard.wait(guarded_, true);
}

void Child::leave_limits() {
  if (guarded_) shared_.guard.leave(std::exchange(guarded_, nullptr));
}

void Child::wait(bool waits) {
  if (attempt_ == nullptr || attempt_->told || waits == attempt_->waits_since.has_value()) return;
  if (guarded_) shared_.guard.wait(guarded_, waits);
  const Instant now = std::chrono::steady_clock::now();
  if (waits) {
    attempt_->waits_since = now;
    for (Attempt::OpenHook& each : attempt_->hooks) {
      if (each.due != Instant::max()) each.due_then = std::exchange(each.due, Instant::max());
    }
  } else {
    const auto waited = now - *std::exchange(attempt_->waits_since, std::nullopt);
    attempt_->started_at += waited;
    for (Attempt::OpenHook& each : attempt_->hooks) {
      if (each.due_then) each.due = *std::exchange(each.due_then, std::nullopt) + waited;
    }
  }
  schedule();
}

void Child::out_of_memory() {
  recyclable_ = false;
  if (attempt_ == nullptr || attempt_->told || attempt_->verdict) return;
  attempt_->verdict = memory_failure();
  if (!attempt_->verdict) return;
  kill_now(std::chrono::steady_clock::now());
  schedule();
}

std::optional<store::Failure> Child::memory_failure() const {
  if (!guarded_ || !guarded_->exceeded()) return std::nullopt;
  return process::out_of_memory({guarded_->machine(), guarded_->peak(), guarded_->mechanism(), guarded_->kills()});
}

// What an attempt says of its end may be about memory, whether it knows it or not.
void Child::see_memory(AttemptResult& result) {
  if (guarded_ && guarded_->exceeded()) {  // by a process it had started
    recyclable_ = false;
    if (result.failure) result.failure = memory_failure();
  }
  if (result.failure && result.failure->kind == store::FailureKind::kOutOfMemory) {
    recyclable_ = false;
    add_memory_facts(*result.failure);
  }
}

// Of a failure that the task itself reported: an allocation that failed, or its own word.
void Child::add_memory_facts(store::Failure& failure) const {
  if (!failure.details.empty()) return;
  failure.details = memory_facts(attempt_->spec.machine, peak_memory());
}

std::uint64_t Child::peak_memory() const {
  // The largest resident size of a process that has served others says nothing of this attempt.
  std::uint64_t peak = served_ == 1 && attempt_->usage ? attempt_->usage->peak_memory : 0;
  if (guarded_ && limited_) peak = std::max(peak, guarded_->peak());
  return peak;
}

void Child::add_usage(store::Usage& usage) const {
  usage.peak_memory = peak_memory();
  if (!attempt_->usage) return;
  const auto cpu = std::chrono::microseconds(static_cast<std::int64_t>(attempt_->usage->cpu_microseconds));
  if (served_ == 1) {
    usage.cpu = cpu;
    usage.voluntary_switches = attempt_->usage->voluntary_switches;
    usage.involuntary_switches = attempt_->usage->involuntary_switches;
  } else if (limited_) {
    usage.cpu = std::max(cpu - cpu_before_, std::chrono::microseconds(0));
  }
}

void Child::on_usage(const protocol::Incoming& frame) {
  if (!next_state(state_, ChildEvent::kLog)) return violation("a report of its usage before its attempt began");
  protocol::UsageReport report{};
  if (frame.raw.size() != sizeof report) return violation("a report of its usage of the wrong size");
  std::memcpy(&report, frame.raw.data(), sizeof report);
  if (attempt_ != nullptr && !attempt_->told) attempt_->usage = report;
}

}  // namespace perdure::process
