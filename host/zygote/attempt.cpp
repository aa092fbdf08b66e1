#include "host/zygote/attempt.h"

#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <utility>

#include "host/zygote/attempt_state.h"
#include "host/zygote/crash.h"
#include "host/zygote/descendants.h"
#include "host/zygote/environment.h"
#include "host/zygote/lifecycle.h"
#include "host/zygote/outcome_frames.h"
#include "host/zygote/plugin_call.h"
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

// Waits for the next start; leaves the process when there will be none.
void await_start(AttemptLink& link, Incoming& start) {
  prctl(PR_SET_NAME, kWaitingName);
  do {
    if (!link.receive(start)) _exit(0);
  } while (start.kind != Kind::kStart);
  prctl(PR_SET_NAME, kRunningName);
}

void send_failure(AttemptState& state, std::string error) {
  Said said;
  said.error = std::move(error);
  send_outcome(state, Outcome::kFailed, std::move(said));
}

void serve_one(const Registration& registration, AttemptState& state, const Incoming& start) {
  StartInfo info = parse_start(start.json);
  info.ordinal = start.id;
  state.begin(info);
  give_variables(info.environment);
  if (const std::string why = enter_sandbox(info.sandbox); !why.empty()) {
    return send_failure(
        state, error_json("SandboxUnavailable", "the attempt cannot be confined as the task's options ask: " + why));
  }
  const bool self_test = start.arg == protocol::kSelfTest && registration.self_test().run != nullptr;
  if (!self_test && start.arg >= registration.tasks().size()) {
    return send_failure(state, error_json("UnknownTask", "the plugin has no task number " + std::to_string(start.arg)));
  }
  const TaskEntry& task = self_test ? registration.self_test() : registration.tasks()[start.arg];
  if (state.info.heartbeat_ms > 0 && (beats_itself || state.info.heartbeat_ms < kVouchMs)) {
    state.link.beat_every(std::chrono::milliseconds(state.info.heartbeat_ms));
  }
  perdure_attempt attempt{};
  attempt.struct_size = sizeof attempt;
  attempt.services = &services();
  attempt.task_id = {task.id.data(), task.id.size()};
  attempt.run_id = {state.info.run.data(), state.info.run.size()};
  attempt.payload = {start.raw.data(), start.raw.size()};
  attempt.context = state.info.context.empty() ? PERDURE_STR("{}")
                                               : perdure_str{state.info.context.data(), state.info.context.size()};
  attempt.number = static_cast<std::uint32_t>(state.info.attempt);
  attempt.replay = static_cast<std::uint32_t>(state.info.replay);
  if (!state.info.only.empty()) return Lifecycle(registration, task, state, attempt).execute_only();
  if (has_hooks(registration, task)) return Lifecycle(registration, task, state, attempt).execute();
  Callee run;
  run.function = task.run;
  run.user = task.user;
  Ended ended = call_plugin(state, attempt, run);
  if (state.local != nullptr) drop_local(state, attempt, registration.drop_local());
  send_outcome(state, outcome_of(ended.status), std::move(ended.said));
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
  send_failure(state,
               error_json("PluginNotLoaded", "the plugin, loaded anew for this attempt, was refused: " + reason));
  (void)await_confirm(link);
  _exit(0);
}

}  // namespace perdure::zygote
