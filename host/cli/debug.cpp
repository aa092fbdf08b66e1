// perdure debug RUN: executes an attempt of a stored run again, alone, outside the host, to see what it does.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <ostream>

#include "host/catalog/plugin_cache.h"
#include "host/cli/client.h"
#include "host/cli/debug_attempt.h"
#include "host/cli/debug_gdb.h"
#include "host/cli/executables.h"
#include "host/cli/json_view.h"
#include "host/cli/verbs.h"
#include "host/os/unique_fd.h"
#include "host/process/environment.h"

namespace perdure::cli {
namespace {

namespace fs = std::filesystem;
using store::Result;
using store::Status;

struct Options : ClientOptions {
  std::string run;
  std::uint32_t attempt = 0;  // 0: the newest
  std::string plugin;         // a build to use instead of the version that the attempt ran on
  bool gdb = false;
  std::vector<std::string> breakpoints;
  std::vector<std::string> gdb_arguments;
};

int complain(Console& console, const std::string& what, int exit_status) {
  console.err << styled(color_err(console), Style::kRed, "perdure:") << " " << printable(what) << "\n";
  return exit_status;
}

// The file to load: the private copy of the version that the attempt ran on, which must be what the host says it is.
Result<std::string> private_copy(const JsonView& plugin) {
  const std::string path = plugin["path"].text();
  const auto advise = [&path](const std::string& why) {
    return Status::not_found("the plugin file that the attempt ran on, " + path + ", " + why +
                             "; perdure debug works on the host's own machine, for a user who may read its data "
                             "directory, or with a plugin file of yours: --plugin FILE");
  };
  if (::access(path.c_str(), R_OK) != 0) return advise(std::string("cannot be read here: ") + std::strerror(errno));
  const auto version = catalog::version_of(path);
  if (!version) return version.status();
  if (version->text() != plugin["versionHash"].text())
    return advise("is another file than the host's: its hash differs");
  return path;
}

// Standard streams for the program; only a debugger reads.
std::vector<os::Command::Mapping> streams(bool debugger, std::vector<os::UniqueFd>& kept) {
  std::vector<os::Command::Mapping> mappings;
  const auto give = [&](int ours, int theirs) {
    kept.emplace_back(::fcntl(ours, F_DUPFD_CLOEXEC, 10));
    if (kept.back()) mappings.push_back({kept.back().get(), theirs});
  };
  if (debugger) give(STDIN_FILENO, STDIN_FILENO);
  give(debugger ? STDOUT_FILENO : STDERR_FILENO, STDOUT_FILENO);  // ours has the result and nothing else
  give(STDERR_FILENO, STDERR_FILENO);
  return mappings;
}

int debug(const Options& options, Console& console) {
  if (!options.gdb && !(options.breakpoints.empty() && options.gdb_arguments.empty())) {
    return complain(console, "--break and arguments after -- are for gdb; add --gdb", kWrongUsage);
  }
  Client client(console, options);
  const std::string query = options.attempt > 0 ? "?attempt=" + std::to_string(options.attempt) : "";
  const auto answer = client.get("/perdure/v1/runs/" + percent_encoded(options.run) + "/start" + query);
  if (!answer) return client.report();
  const JsonView document(*answer);
  const JsonView plugin = document["plugin"];

  DebugStart start;
  start.task = document["task"].text();
  start.number = static_cast<std::uint32_t>(document["attempt"].number());
  start.start = document["start"].raw();
  start.payload = document["payload"].raw();
  if (const JsonView limit = document["maxDurationMs"]) {
    start.max_duration = std::chrono::milliseconds(limit.number());
  }
  std::error_code failed;
  fs::path beside = plugin["file"].text();  // the plugin's own libraries are there
  if (options.plugin.empty()) {
    const auto copy = private_copy(plugin);
    if (!copy) return complain(console, copy.status().message(), kFailed);
    start.plugin = copy.value();
  } else {
    beside = fs::absolute(options.plugin, failed);
    start.plugin = beside.string();
    if (!fs::is_regular_file(beside, failed)) return complain(console, start.plugin + " is no file", kFailed);
  }

  const auto zygote = zygote_executable();
  if (!zygote) return complain(console, zygote.status().message(), kFailed);
  os::Command program;
  program.path = zygote.value();
  program.arguments = {"--alone", start.plugin};
  program.environment = process::environment_of_zygotes({});  // what it sees with a host
  program.environment.push_back("LD_LIBRARY_PATH=" + beside.parent_path().string());
  if (options.gdb) {
    auto gdb = gdb_command(program, options.breakpoints, options.gdb_arguments, console);
    if (!gdb) return complain(console, gdb.status().message(), kFailed);
    program = std::move(gdb.value());
  }
  std::vector<os::UniqueFd> kept;
  program.descriptors = streams(options.gdb, kept);
  return debug_attempt(start, std::move(program), options.gdb, console);
}

}  // namespace

void add_debug(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = *parent.add_subcommand("debug", "Execute an attempt of a run again, alone, here or under gdb");
  verb.add_option("RUN", options->run, "The run's id, run_…")->required();
  verb.add_option("--attempt", options->attempt, "Which attempt's start to repeat; the newest unless given")
      ->check(CLI::Range(1u, 1'000'000u));
  verb.add_option("--plugin", options->plugin, "Use this plugin file instead of the version that the attempt ran on")
      ->type_name("FILE");
  verb.add_flag("--gdb", options->gdb, "Under gdb, which takes the terminal");
  verb.add_option("--break", options->breakpoints, "Where gdb stops: a function, or FILE:LINE; repeat for more")
      ->type_name("WHERE")
      ->allow_extra_args(false);
  verb.add_option("GDB-ARGUMENTS", options->gdb_arguments, "After --: for gdb, instead of telling it to run at once");
  add_client_options(verb, *options);
  verb.remove_option(verb.get_option("--json"));
  verb.footer(
      "On the host's machine: the plugin's own private copy is loaded. The attempt gets the payload, context and\n"
      "configuration that the host would give it, and nothing of it is recorded. Its log and what it prints go to\n"
      "standard error, its result to standard output. Status 0: it succeeded; 1: it did not. Heartbeats are not asked\n"
      "for; the maximum duration holds, but not under gdb. Ctrl-C asks the attempt to stop, a second one kills it.\n\n"
      "Examples:\n"
      "  perdure debug run_06bq2mtf8k3v1c9h5e7n4x0a2\n"
      "  perdure debug --gdb --break report.cpp:42 run_06bq2mtf8k3v1c9h5e7n4x0a2\n"
      "  perdure debug --gdb run_06bq2mtf8k3v1c9h5e7n4x0a2 -- -batch -ex run -ex backtrace");
  verb.callback([options, &console, &exit_status] { exit_status = debug(*options, console); });
}

}  // namespace perdure::cli
