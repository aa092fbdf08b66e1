// The verbs of `perdure`, one function each, in a file of its name. Each adds a subcommand to `parent` whose callback
// does the work and leaves what the process is to end with in `exit_status`. `console` and `exit_status` outlive the
// App. One thread.
#pragma once

#include "host/cli/console.h"

namespace CLI {
class App;
}

namespace perdure::cli {

using AddVerb = void (*)(CLI::App& parent, Console& console, int& exit_status);

void add_trigger(CLI::App& parent, Console& console, int& exit_status);
void add_runs(CLI::App& parent, Console& console, int& exit_status);
void add_runs_list(CLI::App& parent, Console& console, int& exit_status);
void add_runs_get(CLI::App& parent, Console& console, int& exit_status);
void add_runs_logs(CLI::App& parent, Console& console, int& exit_status);
void add_runs_metadata(CLI::App& parent, Console& console, int& exit_status);
void add_runs_stream(CLI::App& parent, Console& console, int& exit_status);
void add_runs_stack(CLI::App& parent, Console& console, int& exit_status);
void add_runs_trace(CLI::App& parent, Console& console, int& exit_status);
void add_runs_watch(CLI::App& parent, Console& console, int& exit_status);
void add_runs_cancel(CLI::App& parent, Console& console, int& exit_status);
void add_runs_replay(CLI::App& parent, Console& console, int& exit_status);
void add_runs_reschedule(CLI::App& parent, Console& console, int& exit_status);
/// Adds `batches create` and `get`.
void add_batches(CLI::App& parent, Console& console, int& exit_status);
void add_bulk(CLI::App& parent, Console& console, int& exit_status);
void add_idempotency(CLI::App& parent, Console& console, int& exit_status);
/// Adds `keys create`, `list`, `revoke` and `rotate`.
void add_keys(CLI::App& parent, Console& console, int& exit_status);
/// Adds `queues list`, `get`, `pause`, `resume`, `limit` and `reset`.
void add_queues(CLI::App& parent, Console& console, int& exit_status);
void add_tasks(CLI::App& parent, Console& console, int& exit_status);
void add_tasks_list(CLI::App& parent, Console& console, int& exit_status);
void add_tasks_get(CLI::App& parent, Console& console, int& exit_status);
void add_schedules(CLI::App& parent, Console& console, int& exit_status);
void add_schedules_list(CLI::App& parent, Console& console, int& exit_status);
void add_schedules_get(CLI::App& parent, Console& console, int& exit_status);
void add_schedules_next(CLI::App& parent, Console& console, int& exit_status);
void add_schedules_create(CLI::App& parent, Console& console, int& exit_status);
void add_schedules_update(CLI::App& parent, Console& console, int& exit_status);
/// Adds `schedules activate`, `deactivate`, `delete` and `backfill`.
void add_schedules_control(CLI::App& parent, Console& console, int& exit_status);
void add_tokens(CLI::App& parent, Console& console, int& exit_status);
void add_tokens_list(CLI::App& parent, Console& console, int& exit_status);
void add_tokens_get(CLI::App& parent, Console& console, int& exit_status);
void add_tokens_create(CLI::App& parent, Console& console, int& exit_status);
void add_tokens_complete(CLI::App& parent, Console& console, int& exit_status);
/// Adds `plugins list`; add_plugins_check() adds to the same `plugins`.
void add_plugins_list(CLI::App& parent, Console& console, int& exit_status);
/// Adds `plugins rollback` and `plugins release`.
void add_plugins_control(CLI::App& parent, Console& console, int& exit_status);
/// The subcommand `plugins` of `parent`, made when it is not there yet.
CLI::App& plugins_of(CLI::App& parent);

// Writes a project; needs no host.
void add_new(CLI::App& parent, Console& console, int& exit_status);

// These make a host, or a part of one, in this process.
void add_serve(CLI::App& parent, Console& console, int& exit_status);
void add_plugins_check(CLI::App& parent, Console& console, int& exit_status);
void add_dev(CLI::App& parent, Console& console, int& exit_status);
void add_doctor(CLI::App& parent, Console& console, int& exit_status);
void add_debug(CLI::App& parent, Console& console, int& exit_status);
void add_backtrace(CLI::App& parent, Console& console, int& exit_status);

}  // namespace perdure::cli
