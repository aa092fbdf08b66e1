// perdure runs watch ID: follows a run to its end and says how it ended.
#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "host/cli/client.h"
#include "host/cli/following.h"
#include "host/cli/run_text.h"
#include "host/cli/verbs.h"

namespace perdure::cli {
namespace {

struct Options : ClientOptions {
  std::string id;
};

int watch(const Options& options, Console& console) {
  Client client(console, options);
  Following following(client, console, options.id);
  const auto document = following.to_end([&](const JsonView& entry) {
    if (options.json) {
      console.out << entry.raw() << std::endl;
    } else {
      print_log_entry(console.out, color_out(console), entry);
    }
  });
  if (!document) return client.report();
  const JsonView run(*document);
  const std::string status = run["status"].text();
  if (options.json) {
    console.out << run.raw() << "\n";
  } else {
    const bool color = color_out(console);
    const auto attempts = run["attemptCount"].number();
    console.out << styled(color, style_of(status), options.id + " " + status) << " after " << attempts
                << (attempts == 1 ? " attempt" : " attempts") << ", " << short_duration(run["durationMs"].number())
                << " of execution\n";
    print_error(console.out, color, run["error"]);
  }
  return status == "COMPLETED" ? kDone : kFailed;
}

}  // namespace

void add_runs_watch(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = *parent.add_subcommand("watch", "Follow a run to its end; status 1 unless it completes");
  verb.add_option("ID", options->id, "The run's id, run_…")->required();
  add_client_options(verb, *options);
  verb.footer(
      "With --json: its log entries, one a line, and last the run itself.\n\n"
      "Example:\n  perdure runs watch run_06bq2mtf8k3v1c9h5e7n4x0a2");
  verb.callback([options, &console, &exit_status] { exit_status = watch(*options, console); });
}

}  // namespace perdure::cli
