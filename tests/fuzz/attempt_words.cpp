// Target: what attempts, zygotes and plugins say in JSON, and what the host has written of them, variables included.
// Input: a letter for the kind; an outcome's number; then the text, where two are needed each on a line of its own.
#include <string>
#include <utility>
#include <variant>

#include "host/catalog/version_json.h"
#include "host/engine/child_trigger.h"
#include "host/engine/variables.h"
#include "host/engine/wait_request.h"
#include "host/process/hook_span.h"
#include "host/process/manifest.h"
#include "host/process/outcome.h"
#include "store/model/json_text.h"
#include "store/model/retry_decision.h"
#include "store/model/task_options.h"
#include "store/model/timetable.h"
#include "tests/fuzz/claim.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/targets.h"

namespace perdure::fuzz {
namespace {

const store::Time kNow{std::chrono::milliseconds(1'700'000'000'000)};
constexpr store::JsonLimits kAnyJson{std::size_t{64} << 20, 200};

bool is_json(std::string_view text) { return store::check_json(text, kAnyJson).is_ok(); }

void claim_request(const engine::TriggerRequest& request) {
  claim(is_json(request.payload), "the payload of a request is JSON");
  claim(!request.task.empty(), "a request names its task");
  claim(request.options.metadata.empty() || is_json(request.options.metadata), "metadata is JSON");
  claim(!request.delay || *request.delay > store::Duration::zero(), "a delay is longer than nothing");
  claim(!request.delayed_until || *request.delayed_until > kNow, "a delay ends later than now");
}

store::Run a_parent() {
  store::Run run;
  run.id = store::RunId("run_01hf7uaq017av5q07r86010f1");
  run.task = store::TaskId("parent");
  return run;
}

void try_outcome(Input input) {
  const std::uint32_t arg = input.byte() % 7;
  const std::string_view json = input.line();
  const auto outcome = process::read_outcome(arg, json, input.rest(), 1000);
  if (const auto* fault = std::get_if<process::OutcomeFault>(&outcome)) {
    claim(!fault->what.empty(), "what is no outcome is refused in words");
    return;
  }
  const auto& result = std::get<process::AttemptResult>(outcome);
  claim(result.failure.has_value() || is_json(result.output), "the output of a success is JSON");
  claim(result.output.size() <= 1000, "an output keeps its limit");
  if (!result.failure) return;
  claim(!result.failure->message.empty(), "a failure has a message");
  claim(result.failure->details.empty() || is_json(result.failure->details), "a failure's details are JSON");
}

void try_manifest(Input input) {
  const store::Result<process::Manifest> manifest = process::parse_manifest(input.rest());
  claim(!process::parse_reason(input.rest(), "reason").empty(), "there is always a reason");
  if (!manifest) return;
  claim(!manifest->plugin.empty(), "a manifest names its plugin");
  for (const process::Manifest::Task& task : manifest->tasks) {
    (void)store::parse_task_options(store::TaskId(task.id), task.options, manifest->newer_minor);
  }
}

void try_hook(Input input) {
  const std::optional<process::HookSpan> span = process::read_hook_span(input.rest());
  if (!span) return;
  const std::string json = process::hook_span_json(*span);
  claim(is_json(json), "what the timeline says of a hook is JSON");
  const std::optional<process::HookSpan> again = process::read_hook_span(json);
  claim(again.has_value() && process::hook_span_json(*again) == json, "what is said of a hook comes back as it was");
}

void try_wait(Input input) {
  const store::Result<engine::AskedWait> wait = engine::read_wait(std::string(input.rest()), kNow);
  if (!wait) return;
  const std::vector<store::Waitpoint>& members = wait->wait.wait.members;
  claim(!members.empty() && members.size() <= store::kMostWaitpoints, "a wait is for something, and not for too much");
}

void try_trigger(Input input) {
  const std::string json(input.line());
  const auto request = engine::read_child_trigger(json, std::string(input.rest()), a_parent(), 1, kNow);
  if (request) claim_request(*request);
}

void try_batch(Input input) {
  const std::string json(input.line());
  const auto batch = engine::read_child_batch(json, std::string(input.rest()), a_parent(), 1, kNow);
  if (!batch) return;
  claim(!batch->items.empty() && batch->items.size() <= store::kMostBatchItems, "a batch has some items, not too many");
  for (const engine::TriggerRequest& request : batch->items) claim_request(request);
}

void try_decision(Input input) {
  const store::Result<store::RetryDecision> decision = store::parse_retry_decision(input.rest(), {}, kNow);
  if (!decision || !decision->policy) return;
  const std::string json = store::retry_policy_json(*decision->policy, decision->policy->max_attempts);
  claim(is_json(json), "a retry policy is written as JSON");
  const auto again = store::parse_retry_decision("{\"retry\":" + json + "}", {}, kNow);
  claim(again.status().is_ok() && again->policy == decision->policy, "a retry policy comes back as it was");
}

void try_options(Input input) {
  const bool newer = input.byte() == 'n';
  const auto options = store::parse_task_options(store::TaskId("echo"), input.rest(), newer);
  if (!options) {
    claim(options.status().code() == store::Code::kInvalid, "wrong options are refused as kInvalid");
    return;
  }
  claim(!options->cron || store::Timetable::parse(*options->cron).is_ok(), "a timetable can be made of a task's cron");
  claim(options->machine.empty() || store::parse_machine(options->machine).has_value(), "a machine is one");
  claim(options->retry.factor >= 0 && options->retry.min_timeout >= store::Duration::zero(), "a retry policy can be");
  for (const std::uint32_t attempt : {1u, 2u, 50u, 1'000'000u}) {
    const store::Duration pause = store::retry_delay(options->retry, attempt, 0.5);
    claim(pause >= store::Duration::zero() && pause <= options->retry.max_timeout, "a pause keeps its bounds");
  }
}

void try_versions(Input input) {
  const store::Result<catalog::RegisteredVersions> versions = catalog::versions_from_json(input.rest());
  if (!versions) {
    claim(versions.status().code() == store::Code::kCorruption, "a damaged register is refused as kCorruption");
    return;
  }
  const std::string json = catalog::versions_to_json(*versions);
  const store::Result<catalog::RegisteredVersions> again = catalog::versions_from_json(json);
  claim(again.status().is_ok(), "a register that is written can be read");
  claim(catalog::versions_to_json(*again) == json, "a register comes back as it was");
}

void try_variables(Input input) {
  const MemoryFile file(input.rest());
  const auto variables = engine::Variables::open(file.path());
  if (!variables) {
    claim(variables.status().code() == store::Code::kCorruption, "a damaged file is refused as kCorruption");
    return;
  }
  const engine::VariableMap all = variables.value()->all();
  for (const auto& [name, variable] : all) {
    claim(engine::check_variable(name, variable.value).is_ok(), "attempts may be given what was read");
  }
  const std::string document = variables.value()->document();
  claim(all.empty() ? document.empty() : is_json(document), "what attempts are told is JSON");
}

}  // namespace

void attempt_words(std::string_view bytes) {
  constexpr void (*kKinds[])(Input) = {try_outcome, try_manifest, try_hook,    try_wait,     try_trigger,
                                       try_batch,   try_decision, try_options, try_versions, try_variables};
  Input input(bytes);
  kKinds[input.letter(std::size(kKinds))](input);
}

}  // namespace perdure::fuzz
