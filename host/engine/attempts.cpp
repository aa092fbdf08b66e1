// One attempt through the engine: begun from a claim, its log lines written, its end recorded, its slot freed.
#include <utility>

#include "host/engine/attempt_context.h"
#include "host/engine/core_engine.h"
#include "host/engine/diagnostics.h"

namespace perdure::engine {

namespace {

// Log lines of an executing attempt are written at the latest after this; the same moment notes its process id.
constexpr std::chrono::milliseconds kLogDelay{100};
// … or once this many wait.
constexpr std::size_t kLogBatch = 256;

}  // namespace

process::AttemptSpec CoreEngine::spec_of(const store::Claim& claim, const catalog::Task& task) const {
  const auto noted = store::parse_machine(claim.attempt.machine);
  const store::Machine machine = noted ? *noted : machine_of(claim.run, task.options, options_.defaults);
  process::AttemptSpec spec;
  spec.run = claim.run.id;
  spec.number = claim.attempt.number;
  spec.token = claim.attempt.token;
  spec.task = claim.run.task;
  spec.version = claim.attempt.version;
  spec.context = attempt_context(claim, task, machine);
  spec.config = config_of(task.plugin);
  spec.configs = configs_around(task);
  spec.environment = options_.variables->document();
  spec.max_duration = max_duration_of(claim.run, task.options, options_.defaults);
  spec.recycle_after = task.options.recycle_after;
  spec.sandbox = task.options.sandbox;
  spec.machine = machine;
  spec.keep_core = keeps_core(claim.run, task.options);
  if (claim.attempt.evictions > 0) {
    spec.replay = claim.attempt.evictions;
    if (claim.resumed) spec.resumed_call = claim.resumed->call;
    if (spec.max_duration) {
      spec.max_duration = std::max(*spec.max_duration - claim.attempt.usage.duration, store::Duration(1));
    }
  }
  return spec;
}

void CoreEngine::begin(store::Claim claim) {
  if (claim.resumed && !claim.resumed->evicted) return go_on(claim);
  show_metadata_as_it_is(store_, claim);
  const process::AttemptHandle handle = next_handle_++;
  Slot& slot = slots_[handle];
  slot.catalog = catalog();
  slot.entered_at = core_.now();
  slot.probe = probes_.erase(claim.run.id) > 0;
  ++attempts_started_;
  executing_ = busy();
  slot_of_[claim.run.id] = handle;
  slot.task = slot.catalog->find(claim.attempt.version, claim.run.task);
  if (slot.task == nullptr) {  // withdrawn between the claim and now
    slot.run = std::move(claim.run);
    slot.attempt = std::move(claim.attempt);
    return fail_unstarted(handle, {.kind = store::FailureKind::kHostLost,
                                   .name = "HOST_LOST",
                                   .message = "The plugin that offers the task was withdrawn before the attempt could "
                                              "start.",
                                   .stack = {},
                                   .details = {}});
  }
  if (std::optional<store::Failure> failure = payload_failure(claim, *slot.task)) {
    slot.run = std::move(claim.run);
    slot.attempt = std::move(claim.attempt);
    return fail_unstarted(handle, std::move(*failure));
  }
  process::AttemptSpec spec = spec_of(claim, *slot.task);
  if (spec.machine.memory > options_.memory) {
    slot.run = std::move(claim.run);
    slot.attempt = std::move(claim.attempt);
    return fail_unstarted(handle, machine_too_large(spec.machine, options_.memory));
  }
  slot.memory = spec.machine.memory;
  reserved_ += slot.memory;
  reserved_now_ = reserved_;
  spec.handle = handle;
  spec.payload = std::move(claim.payload);
  slot.run = std::move(claim.run);
  slot.attempt = std::move(claim.attempt);
  slot.launched = true;
  launcher_.start(std::move(spec), *this);
}

// An attempt that ends before it has a process.
void CoreEngine::fail_unstarted(process::AttemptHandle handle, store::Failure failure) {
  on_result(handle, {.failure = std::move(failure), .output = {}, .retry_at = {}, .usage = {}});
  on_released(handle);
}

void CoreEngine::on_started(process::AttemptHandle attempt, std::int32_t pid) {
  const auto it = slots_.find(attempt);
  if (it == slots_.end()) return;
  it->second.pid = pid;
  write_soon();
}

void CoreEngine::on_log(process::AttemptHandle attempt, store::LogEntry entry) {
  const auto it = slots_.find(attempt);
  if (it == slots_.end()) return;
  Slot& slot = it->second;
  entry.attempt = slot.attempt.number;
  slot.logs.push_back(std::move(entry));
  if (slot.recorded || slot.logs.size() >= kLogBatch) {
    store_.append_logs(slot.run.id, std::exchange(slot.logs, {}));
    watchers_->tell(slot.run.id);
  } else {
    write_soon();
  }
}

void CoreEngine::write_soon() {
  if (!std::exchange(logs_waiting_, true)) log_timer_->after(kLogDelay);
}

void CoreEngine::write_logs() {
  logs_waiting_ = false;
  for (auto& [handle, slot] : slots_) {
    // Most attempts end before anyone could ask for their process; only the others' is worth a write.
    if (slot.pid != 0 && !slot.recorded && !std::exchange(slot.pid_noted, true)) {
      store_.set_attempt_pid(slot.run.id, slot.attempt.number, slot.pid);
    }
    write_events(slot);
    if (slot.logs.empty()) continue;
    store_.append_logs(slot.run.id, std::exchange(slot.logs, {}));
    watchers_->tell(slot.run.id);
  }
}

void CoreEngine::on_result(process::AttemptHandle attempt, process::AttemptResult result) {
  const auto it = slots_.find(attempt);
  if (it == slots_.end()) return;
  Slot& slot = it->second;
  if (slot.evicted) return evicted(attempt, slot);
  if (slot.wait) end_wait(attempt, slot);
  store::AttemptEnd end;
  end.run = slot.run.id;
  end.number = slot.attempt.number;
  end.token = slot.attempt.token;
  end.now = core_.now();
  end.usage = result.usage;
  const bool judged = result.judged && slot.judged;
  if (judged) {
    apply_judged(slot, result.failure, end);
  } else {
    end.output = std::move(result.output);
    if (result.failure) {
      const store::RetryPolicy policy = slot.task != nullptr ? slot.task->options.retry : store::RetryPolicy{};
      const double random = std::uniform_real_distribution<double>(0, 1)(random_);
      end.after = store::after_failure(slot.run, *result.failure, policy, result.retry_at, end.now, random);
    }
    end.failure = std::move(result.failure);
  }
  if (end.failure && end.failure->kind == store::FailureKind::kOutOfMemory && slot.task != nullptr) {
    const auto had = store::parse_machine(slot.attempt.machine);
    end.machine = machine_after(had.value_or(store::Machine{}), end.usage, slot.task->options.retry);
  }
  end.logs = std::exchange(slot.logs, {});
  end.events = std::exchange(slot.events, {});
  quarantine(slot.attempt.version, slot.run.task,
             quarantine_.ended(slot.attempt.version, slot.run.task, end.failure ? &*end.failure : nullptr, slot.probe,
                               end.now));
  if (end.failure) {
    ++attempts_failed_;
    if (end.failure->kind == store::FailureKind::kCrashed) ++attempts_crashed_;
  }
  // One that was told of as it ended, and died over that, has no more to say.
  if (result.died && !slot.announced) return last_words(attempt, std::move(end), judged);
  slot.owes_hooks = end.owes_hooks = owes_hooks(slot, end);
  record(attempt, std::move(end));
}

void CoreEngine::record(process::AttemptHandle handle, store::AttemptEnd end) {
  if (const auto it = slots_.find(handle); it != slots_.end() && it->second.keeps_children()) {
    bring_children(it->second, end);
  }
  auto kept = std::make_shared<store::AttemptEnd>(end);
  store_.finish_attempt(std::move(end), on_core([this, handle, kept](const store::Result<store::Run>& run) {
                          const store::Status& status = run.status();
                          switch (status.code()) {
                            case store::Code::kNoSpace:
                            case store::Code::kIo:
                            case store::Code::kUnavailable:
                              unrecorded_.emplace_back(handle,
                                                       std::move(*kept));  // recorded when the store serves again
                              if (store_.health()) {                       // it does already
                                for (auto& [each, end_again] : std::exchange(unrecorded_, {}))
                                  record(each, std::move(end_again));
                              }
                              return;
                            case store::Code::kOk:
                              break;
                            default:
                              warn("The end of attempt " + std::to_string(kept->number) + " of " + kept->run.text() +
                                   " was not recorded: " + status.message());
                          }
                          recorded(handle, run ? store::is_final(run->status) : true);
                          if (run) run_canceled(*run);
                        }));
}

void CoreEngine::recorded(process::AttemptHandle handle, bool run_is_over) {
  const auto it = slots_.find(handle);
  if (it == slots_.end()) return;
  it->second.recorded = true;
  const auto slot_of = slot_of_.find(it->second.run.id);
  if (slot_of != slot_of_.end() && slot_of->second == handle) slot_of_.erase(slot_of);
  if (it->second.canceling && !run_is_over) {  // asked for when the attempt had ended already
    cancel(it->second.run.id, it->second.cancel_reason, [](const store::Result<store::Run>&) {});
  }
  if (it->second.launched) launcher_.confirm(handle);
  if (it->second.hooks) hook_children_.confirm(*it->second.hooks);
  if (it->second.owes_hooks) owed_hooks_.look();
  leave(handle);
}

void CoreEngine::on_released(process::AttemptHandle attempt) {
  const auto it = slots_.find(attempt);
  if (it == slots_.end()) return;
  it->second.released = true;
  leave(attempt);
}

void CoreEngine::leave(process::AttemptHandle handle) {
  const auto it = slots_.find(handle);
  if (it == slots_.end() || !it->second.recorded || !it->second.released || it->second.hooks) return;
  write_events(it->second);
  if (!it->second.logs.empty()) {
    store_.append_logs(it->second.run.id, std::move(it->second.logs));
    watchers_->tell(it->second.run.id);
  }
  unpark(it->second);
  reserved_ -= it->second.memory;
  reserved_now_ = reserved_;
  slots_.erase(it);
  executing_ = busy();
  tell_if_idle();
  dispatch();
}

}  // namespace perdure::engine
