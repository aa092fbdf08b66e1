// What an attempt was started with, told to whoever wants to execute it again somewhere else.
#include <algorithm>
#include <utility>

#include "host/engine/attempt_context.h"
#include "host/engine/core_engine.h"
#include "host/process/start_info.h"

namespace perdure::engine {

namespace {

using store::Result;
using store::Status;

// The claim with which the attempt began, as far as it is known still; of a run without attempts its first would.
Result<store::Claim> claim_of(const store::Store& store, const store::RunId& run, std::optional<std::uint32_t> number,
                              store::Time now) {
  const Result<store::Run> found = store.run(run);
  if (!found) return found.status();
  const Result<std::vector<store::Attempt>> attempts = store.attempts(run);
  if (!attempts) return attempts.status();
  Result<std::string> payload = store.payload(run);
  if (!payload) return payload.status();
  store::Claim claim;
  claim.run = *found;
  claim.payload = std::move(*payload);
  if (attempts->empty() && number.value_or(1) == 1) {
    claim.attempt.run = run;
    claim.attempt.started_at = now;
    claim.attempt.version = found->version;
    return claim;
  }
  const auto attempt = std::ranges::find(*attempts, number.value_or(found->attempts), &store::Attempt::number);
  if (attempt == attempts->end()) {
    return Status::not_found("The run has no attempt " + std::to_string(number.value_or(0)) + "; it has begun " +
                             std::to_string(found->attempts) + ".");
  }
  claim.attempt = *attempt;
  return claim;
}

}  // namespace

void CoreEngine::attempt_start(const store::RunId& run, std::optional<std::uint32_t> number,
                               store::Done<AttemptStart> done) {
  core_.run([this, alive = std::weak_ptr(alive_), run, number, done = std::move(done)] {
    if (alive.expired() || control_ == nullptr) return done(Status::unavailable("The host is stopping."));
    done(attempt_start_on_core(run, number));
  });
}

Result<AttemptStart> CoreEngine::attempt_start_on_core(const store::RunId& run,
                                                       std::optional<std::uint32_t> number) const {
  Result<store::Claim> claim = claim_of(store_, run, number, core_.now());
  if (!claim) return claim.status();
  const catalog::SnapshotPtr offered = catalog();
  const auto serving = offered->tasks.find(claim->run.task);
  if (claim->attempt.version.empty()) {
    if (serving == offered->tasks.end()) {
      return Status::not_found("No loaded plugin offers the task '" + claim->run.task.text() +
                               "', and the run has begun on none.");
    }
    claim->attempt.version = serving->second.version;
  }
  Result<catalog::PluginVersion> plugin = control_->stored(claim->attempt.version);
  if (!plugin) return plugin.status();
  // Of a version that is not loaded now, the options that another one has for the task are the nearest there are.
  catalog::Task task;
  if (serving != offered->tasks.end()) task = serving->second;
  if (const catalog::Task* own = offered->find(claim->attempt.version, claim->run.task)) task = *own;
  task.plugin = plugin->name;

  show_metadata_as_it_is(store_, *claim);
  const process::AttemptSpec spec = spec_of(*claim, task);
  process::SupervisorOptions unlimited;
  unlimited.heartbeat_interval = {};
  unlimited.output_limit = 0;
  unlimited.log_limit = 0;
  return AttemptStart{.run = run,
                      .number = spec.number,
                      .begun = claim->run.attempts > 0,
                      .task = spec.task,
                      .start = process::start_info(spec, unlimited),
                      .payload = std::move(claim->payload),
                      .max_duration = spec.max_duration,
                      .plugin = std::move(*plugin)};
}

}  // namespace perdure::engine
