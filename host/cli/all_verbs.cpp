// Every verb of `perdure`. Apart from command_line.cpp, so that the client verbs can be had without a host.
#include <array>

#include "host/cli/command_line.h"

namespace perdure::cli {

std::span<const AddVerb> all_verbs() {
  static constexpr std::array kVerbs{
      add_serve,       add_trigger, add_runs,      add_bulk,   add_batches,      add_queues,          add_keys,
      add_idempotency, add_tasks,   add_schedules, add_tokens, add_plugins_list, add_plugins_control, add_plugins_check,
      add_new,         add_dev,     add_doctor,    add_debug,  add_backtrace};
  return kVerbs;
}

}  // namespace perdure::cli
