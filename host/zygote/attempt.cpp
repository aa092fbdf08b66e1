#include "host/zygote/attempt.h"

#include <cxxabi.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <exception>
#include <new>
#include <typeinfo>

#include "host/zygote/attempt_state.h"
#include "host/zygote/crash.h"
#include "host/zygote/descendants.h"
#include "host/zygote/resource_usage.h"
#include "host/zygote/sandbox.h"
#include "host/zygote/temporary_directories.h"
#include "host/zygote/vouch.h"

namespace perdure::zygote {
namespace {

using protocol::Incoming;
using protocol::Kind;
using protocol::Outcome;

bool beats_itself = false;

// One for the process: a static place costs a child no allocation.
AttemptLink& the_link() {
  static AttemptLink link(kLinkDescriptor);
  return link;
}
AttemptState& the_state() {
  static AttemptState state(the_link());
  return state;
}
Incoming& the_start() {
  static Incoming start;
  return start;
}

std::string current_exception_type() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  if (type == nullptr) return "of another language";
  int status = 0;
  char* text = abi::__cxa_demangle(type->name(), nullptr, nullptr, &status);
  std::string name = status == 0 ? text : type->name();
  free(text);
  return name;
}

std::string escaped(const char* what) {
  std::string message = "an exception crossed the C boundary: " + current_exception_type();
  if (what != nullptr) message += std::string(" (") + what + ")";
  return error_json("ForeignException", message);
}

Outcome outcome_of(perdure_status status) {
  switch (status) {
    case PERDURE_OK:
      return Outcome::kSuccess;
    case PERDURE_ABORTED:
      return Outcome::kAborted;
    case PERDURE_OUT_OF_MEMORY:
      return Outcome::kOutOfMemory;
    case PERDURE_CANCELLED:
      return Outcome::kCanceled;
    default:
      return Outcome::kFailed;
  }
}

std::string unexplained(perdure_status status, bool self_test) {
  std::string message =
      (self_test ? "it returned status " : "the task returned status ") + std::to_string(status) + " and set no error";
  if (status == PERDURE_SUSPENDED) message += "; PERDURE_SUSPENDED is for a wait that began, and none did";
  if (const std::string_view words = last_error_words(); !words.empty()) {
    message += "; the last service that failed said: " + std::string(words);
  }
  return error_json(self_test ? "" : "TaskError", message);
}

// Runs the task; whatever leaves it becomes an outcome. Fills in state.error for every outcome but success. Not checked
// for undefined behaviour: a forced unwinding comes without an object, and the handler's reference to it is seen as
// null.
__attribute__((no_sanitize("undefined"))) Outcome run_task(const perdure_attempt& attempt, perdure_task_fn run,
                                                           AttemptState& state) {
  perdure_status status = PERDURE_FAILED;
  try {
    status = run(&attempt);
  } catch (const abi::__forced_unwind&) {
    // pthread_exit() unwinds the main thread and must not be stopped; there is nothing to come back to.
    const std::string error = error_json("ThreadExited", "the task called pthread_exit on the attempt's thread");
    protocol::Outgoing frame;
    frame.kind = Kind::kOutcome;
    frame.id = state.info.ordinal;
    frame.arg = static_cast<std::uint32_t>(Outcome::kFailed);
    frame.json = error;
    (void)state.link.send(frame);
    Incoming confirm;
    (void)state.link.receive(confirm);
    _exit(0);
  } catch (const std::bad_alloc& e) {
    state.error = escaped(e.what());
    return Outcome::kOutOfMemory;
  } catch (const std::exception& e) {
    state.error = escaped(e.what());
    return Outcome::kFailed;
  } catch (...) {
    state.error = escaped(nullptr);
    return Outcome::kFailed;
  }
  const Outcome outcome = outcome_of(status);
  if (outcome != Outcome::kSuccess && state.error.empty()) state.error = unexplained(status, attempt.task_id.len == 0);
  return outcome;
}

void send_usage(AttemptState& state) {
  const protocol::UsageReport report = own_usage();
  protocol::Outgoing frame;
  frame.kind = Kind::kUsage;
  frame.raw = {reinterpret_cast<const char*>(&report), sizeof report};
  (void)state.link.send(frame);
}

void send_outcome(AttemptState& state, Outcome outcome) {
  (void)fflush(nullptr);
  state.close_log();
  if (state.elapsed_ms() >= static_cast<std::uint64_t>(protocol::kMoment.count())) send_usage(state);
  std::string too_large;
  protocol::Outgoing frame;
  frame.kind = Kind::kOutcome;
  frame.id = state.info.ordinal;
  frame.arg = static_cast<std::uint32_t>(outcome);
  if (outcome != Outcome::kSuccess) {
    frame.json = state.error;
  } else if (state.too_large != 0) {
    too_large = "{\"too_large\":" + std::to_string(state.too_large) + "}";
    frame.json = too_large;
  } else {
    frame.raw = state.result.empty() ? std::string_view("null") : state.result;
  }
  if (!state.link.send(frame) && !state.link.host_gone()) {
    const std::string error =
        error_json("OutcomeNotSent", "the outcome could not be sent; most likely memory was short");
    frame = {};
    frame.kind = Kind::kOutcome;
    frame.id = state.info.ordinal;
    frame.arg = static_cast<std::uint32_t>(Outcome::kFailed);
    frame.json = error;
    (void)state.link.send(frame);
  }
}

// Waits for the next start; leaves the process when there will be none.
void await_start(AttemptLink& link, Incoming& start) {
  prctl(PR_SET_NAME, kWaitingName);
  do {
    if (!link.receive(start)) _exit(0);
  } while (start.kind != Kind::kStart);
  prctl(PR_SET_NAME, kRunningName);
}

// True when the host wants this process for another attempt.
bool await_confirm(AttemptLink& link) {
  Incoming confirm;
  do {
    if (!link.receive(confirm)) return false;
  } while (confirm.kind != Kind::kConfirm);
  return confirm.arg == 1;
}

void serve_one(const Registration& registration, AttemptState& state, const Incoming& start) {
  StartInfo info = parse_start(start.json);
  info.ordinal = start.id;
  state.begin(info);
  if (const std::string why = enter_sandbox(info.sandbox); !why.empty()) {
    state.error = error_json("SandboxUnavailable", "the attempt cannot be confined as the task's options ask: " + why);
    send_outcome(state, Outcome::kFailed);
    return;
  }
  const bool self_test = start.arg == protocol::kSelfTest && registration.self_test().run != nullptr;
  if (!self_test && start.arg >= registration.tasks().size()) {
    state.error = error_json("UnknownTask", "the plugin has no task number " + std::to_string(start.arg));
    send_outcome(state, Outcome::kFailed);
    return;
  }
  const TaskEntry& task = self_test ? registration.self_test() : registration.tasks()[start.arg];
  if (state.info.heartbeat_ms > 0 && (beats_itself || state.info.heartbeat_ms < kVouchMs)) {
    state.link.beat_every(std::chrono::milliseconds(state.info.heartbeat_ms));
  }
  perdure_attempt attempt{};
  attempt.struct_size = sizeof attempt;
  attempt.services = &services();
  attempt.host = &state;
  attempt.user = task.user;
  attempt.task_id = {task.id.data(), task.id.size()};
  attempt.run_id = {state.info.run.data(), state.info.run.size()};
  attempt.payload = {start.raw.data(), start.raw.size()};
  attempt.context = state.info.context.empty() ? PERDURE_STR("{}")
                                               : perdure_str{state.info.context.data(), state.info.context.size()};
  attempt.number = static_cast<std::uint32_t>(state.info.attempt);
  send_outcome(state, run_task(attempt, task.run, state));
}

}  // namespace

void beat_in_every_attempt() { beats_itself = true; }

void prepare_attempts() {
  (void)services();
  (void)the_state();
  (void)the_start();
  the_link().prepare();
}

// Writing to a page that is shared with the zygote copies it; a new one is zeroed. Either takes longer than a short
// task.
void warm_attempt() {
  constexpr std::size_t kStack = std::size_t{24} << 10;
  constexpr std::size_t kPage = 4096;
  volatile char stack[kStack];
  for (std::size_t i = 0; i < sizeof stack; i += kPage) stack[i] = 0;
  for (const std::size_t size : {std::size_t{100}, std::size_t{1000}, std::size_t{8000}}) {
    auto* memory = static_cast<volatile char*>(malloc(size));
    if (memory != nullptr) memory[0] = 0;
    free(const_cast<char*>(memory));
  }
  AttemptState& state = the_state();
  state.begin({});
  state.link.warm();
}

void serve_attempts(const Registration& registration) {
  AttemptLink& link = the_link();
  AttemptState& state = the_state();
  Incoming& start = the_start();
  report_crashes_to(kLinkDescriptor);
  do {
    await_start(link, start);
    serve_one(registration, state, start);
    if (!await_confirm(link)) break;
    end_descendants();  // what the task started ends with its attempt, not with the process
    clear_temporary_directory();
  } while (true);
  _exit(0);
}

void serve_refusal(const std::string& reason) {
  AttemptLink& link = the_link();
  AttemptState& state = the_state();
  Incoming& start = the_start();
  await_start(link, start);
  state.info.ordinal = start.id;
  state.error = error_json("PluginNotLoaded", "the plugin, loaded anew for this attempt, was refused: " + reason);
  send_outcome(state, Outcome::kFailed);
  (void)await_confirm(link);
  _exit(0);
}

}  // namespace perdure::zygote
