// perdure schedules …: the verbs about schedules.
#include <CLI/CLI.hpp>

#include "host/cli/verbs.h"

namespace perdure::cli {

void add_schedules(CLI::App& parent, Console& console, int& exit_status) {
  CLI::App& schedules = *parent.add_subcommand("schedules", "List, make, change and stop schedules");
  schedules.require_subcommand(1);
  for (const AddVerb add : {add_schedules_list, add_schedules_get, add_schedules_next, add_schedules_create,
                            add_schedules_update, add_schedules_control}) {
    add(schedules, console, exit_status);
  }
}

}  // namespace perdure::cli
