// One run: GET /api/v3/runs/{id} as the public contract has it, GET /perdure/v1/runs/{id} with its attempts and
// details, on request only once it has ended (?wait=30s), GET /perdure/v1/runs/{id}/trace with its timeline.
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/api/access.h"
#include "host/api/api.h"
#include "host/api/durable.h"
#include "host/api/errors.h"
#include "host/api/json_text.h"
#include "host/api/query.h"
#include "host/api/related_runs.h"
#include "host/api/run_json.h"
#include "host/os/process_usage.h"

namespace perdure::api {
namespace {

using std::chrono::steady_clock;

// What an executing attempt has used so far, as far as its process can be asked.
std::optional<store::Usage> used_so_far(const store::Attempt& attempt) {
  if (attempt.status != store::AttemptStatus::kExecuting) return std::nullopt;
  store::Usage used;
  used.duration = std::max(store::Duration::zero(), wall_clock() - attempt.started_at);
  if (const std::optional<os::ProcessUsage> process = os::process_usage(attempt.pid)) {
    used.cpu = process->cpu;
    used.peak_memory = process->peak_memory;
  }
  return used;
}

void put_attempts(JsonText& json, const std::vector<store::Attempt>& attempts) {
  json.key("attempts").begin_array();
  for (const store::Attempt& attempt : attempts) put_attempt(json, attempt, used_so_far(attempt));
  json.end_array();
}

// The run's payload and, once it has completed, its output.
struct Values {
  std::optional<std::string> payload;
  std::optional<std::string> output;
};
Values values_of(const store::Store& store, const store::Run& run) {
  Values values;
  if (store::Result<std::string> payload = store.payload(run.id)) values.payload = std::move(payload).value();
  if (run.status == store::RunStatus::kCompleted) {
    if (store::Result<std::string> output = store.output(run.id)) values.output = std::move(output).value();
  }
  return values;
}

enum class Form { kPublic, kLong, kTrace };

// What is stored of the run now, or an error.
Response document(const Request& request, const store::Store& store, const store::RunId& id, Form form) {
  const store::Result<store::Run> stored = store.run(id);
  if (!stored) return error_response(stored.status());
  if (std::optional<Response> refusal = refuse_run(request, "read", *stored)) return std::move(*refusal);
  const store::Run run = as_it_is(store, *stored);
  JsonText json;
  json.begin_object();
  if (form == Form::kTrace) {
    put_summary(json, run);
  } else {
    const Values values = values_of(store, run);
    put_run(json, run, related_runs(store, run), values.payload, values.output);
    if (!run.schedule.empty()) put_schedule_of(json, run, store.schedule(run.schedule));
  }
  if (form != Form::kPublic) {
    const store::Result<std::vector<store::Attempt>> attempts = store.attempts(id);
    if (!attempts) return error_response(attempts.status());
    put_details(json, run);
    put_attempts(json, attempts.value());
  }
  if (form == Form::kTrace) {
    const store::Result<std::vector<store::TimelineEvent>> events = store.timeline(id);
    if (!events) return error_response(events.status());
    json.key("events").begin_array();
    for (const store::TimelineEvent& event : events.value()) put_event(json, event);
    json.end_array();
  }
  json.end_object();
  return ok(json.take());
}

Handling show(Api& api, ExchangePtr exchange, Form form) {
  const store::RunId id(exchange->request().argument);
  if (!store::is_run_id(id.text())) {
    exchange->reply(no_such("run", id.text()));
    co_return;
  }
  Response response = document(exchange->request(), api.engine.store(), id, form);
  if (std::optional<Response> refusal = co_await refusal_unless_durable(*exchange, api)) response = std::move(*refusal);
  exchange->reply(std::move(response));
}

}  // namespace

Handling retrieve_run(Api& api, ExchangePtr exchange) { return show(api, std::move(exchange), Form::kPublic); }
Handling show_trace(Api& api, ExchangePtr exchange) { return show(api, std::move(exchange), Form::kTrace); }

Handling show_run(Api& api, ExchangePtr exchange) {
  const store::RunId id(exchange->request().argument);
  std::optional<QueryFault> fault;
  const std::optional<store::Duration> wait = duration_parameter(exchange->request(), "wait", fault);
  if (!fault && wait && *wait > api.options.limits.longest_wait) {
    fault = {"wait",
             "wait must be at most " +
                 std::to_string(std::chrono::floor<std::chrono::seconds>(api.options.limits.longest_wait).count()) +
                 "s; ask again after it"};
  }
  if (fault) {
    exchange->reply(query_error(fault->parameter, fault->message));
    co_return;
  }
  if (wait && store::is_run_id(id.text())) {
    const SteadyTime deadline = steady_clock::now() + *wait;
    const std::shared_ptr<Signal> signal = exchange->signal();
    // Before the first look, so that no change is missed.
    const auto watching = api.engine.watch(id, [signal] { signal->notify(); });
    for (;;) {
      const store::Result<store::Run> run = api.engine.store().run(id);
      if (!run || store::is_final(run.value().status) || exchange->hurried() || steady_clock::now() >= deadline) break;
      co_await signal->wait(deadline);
    }
  }
  show(api, std::move(exchange), Form::kLong);
}

}  // namespace perdure::api
