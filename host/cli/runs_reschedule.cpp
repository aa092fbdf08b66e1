// perdure runs reschedule ID WHEN: a delayed run starts at another time.
#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "host/cli/client.h"
#include "host/cli/json_view.h"
#include "host/cli/run_text.h"
#include "host/cli/verbs.h"

namespace perdure::cli {
namespace {

struct Options : ClientOptions {
  std::string id, when;
};

int reschedule(const Options& options, Console& console) {
  Client client(console, options);
  const auto answer = client.post("/api/v1/runs/" + percent_encoded(options.id) + "/reschedule",
                                  "{\"delay\":" + json_string(options.when) + "}");
  if (!answer) return client.report();
  const JsonView run(*answer);
  if (options.json) {
    console.out << indented(run.raw()) << "\n";
  } else if (const std::string until = local_time(run["delayedUntil"]); !until.empty()) {
    console.out << options.id << " starts at " << until << "\n";
  } else {
    console.out << options.id << " starts now\n";
  }
  return kDone;
}

}  // namespace

void add_runs_reschedule(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = *parent.add_subcommand("reschedule", "Start a delayed run at another time");
  verb.add_option("ID", options->id, "The run's id, run_…; it must be DELAYED")->required();
  verb.add_option("WHEN", options->when, "How long from now, or at which time: 90s, 1h30m, 2030-01-01T09:00:00Z")
      ->required();
  add_client_options(verb, *options);
  verb.footer("Example:\n  perdure runs reschedule run_06bq2mtf8k3v1c9h5e7n4x0a2 2h");
  verb.callback([options, &console, &exit_status] { exit_status = reschedule(*options, console); });
}

}  // namespace perdure::cli
