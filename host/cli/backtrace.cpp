// perdure backtrace --pid P --tid T: prints where a thread of another process is; --parent Q: where all of them are.
// For the host, which runs it in a process of its own because a plugin's debug information is not to be trusted.
#include <CLI/CLI.hpp>
#include <memory>

#include "host/cli/verbs.h"
#include "host/process/backtrace.h"
#include "host/process/thread_stacks.h"

namespace perdure::cli {

void add_backtrace(CLI::App& parent, Console&, int& exit_status) {
  struct Options {
    int pid = 0, tid = 0, parent = 0;
    process::CoreWanted core;
  };
  auto options = std::make_shared<Options>();
  CLI::App& verb = *parent.add_subcommand("backtrace", "Print where a thread of another process is");
  verb.group("");  // not listed: the host's own use
  verb.add_option("--pid", options->pid, "The process")->required()->check(CLI::PositiveNumber);
  CLI::Option& thread = *verb.add_option("--tid", options->tid, "The thread, which waits in a crash handler");
  thread.check(CLI::PositiveNumber);
  verb.add_option("--parent", options->parent, "Whose child it is: every thread of it while it runs")
      ->check(CLI::PositiveNumber)
      ->excludes(&thread);
  CLI::Option& core = *verb.add_option("--core", options->core.path, "Keep its core in this file, too");
  core.needs(&thread);
  verb.add_option("--core-size", options->core.size, "Bytes that it may have")->needs(&core);
  verb.add_option("--cores-size", options->core.all, "Bytes that all in its directory may have")->needs(&core);
  verb.add_option("--signal", options->core.signal, "The signal that ended the process")->needs(&core);
  verb.footer("Example:\n  perdure backtrace --pid 4711 --tid 4711");
  verb.callback([options, &exit_status] {
    std::optional<process::CoreWanted> wanted;
    if (!options->core.path.empty()) wanted = options->core;
    exit_status = options->parent > 0 ? process::print_stacks(options->pid, options->parent)
                                      : process::print_backtrace(options->pid, options->tid, wanted);
  });
}

}  // namespace perdure::cli
