// perdure runs …: the verbs about runs.
#include <CLI/CLI.hpp>

#include "host/cli/verbs.h"

namespace perdure::cli {

void add_runs(CLI::App& parent, Console& console, int& exit_status) {
  CLI::App& runs = *parent.add_subcommand("runs", "List, show, follow, cancel and replay runs");
  runs.require_subcommand(1);
  for (const AddVerb add :
       {add_runs_list, add_runs_get, add_runs_logs, add_runs_metadata, add_runs_stream, add_runs_stack, add_runs_trace,
        add_runs_watch, add_runs_cancel, add_runs_replay, add_runs_reschedule}) {
    add(runs, console, exit_status);
  }
}

}  // namespace perdure::cli
