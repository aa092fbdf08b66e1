// perdure runs cancel ID: cancels a run.
#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "host/cli/client.h"
#include "host/cli/run_text.h"
#include "host/cli/verbs.h"

namespace perdure::cli {
namespace {

struct Options : ClientOptions {
  std::string id;
};

int cancel(const Options& options, Console& console) {
  Client client(console, options);
  const auto canceled = client.post("/api/v2/runs/" + percent_encoded(options.id) + "/cancel", "");
  if (!canceled) return client.report();
  const auto answer = client.get("/perdure/v1/runs/" + percent_encoded(options.id));
  if (!answer) return client.report();
  const JsonView run(*answer);
  const std::string status = run["status"].text();
  if (options.json) {
    console.out << indented(run.raw()) << "\n";
  } else if (is_final(status)) {
    console.out << options.id << " " << styled(color_out(console), style_of(status), status) << "\n";
  } else {
    console.out << options.id << " is being stopped: its task may take some seconds to clean up\n";
  }
  return kDone;
}

}  // namespace

void add_runs_cancel(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = *parent.add_subcommand("cancel", "Cancel a run; one that is final stays as it is");
  verb.add_option("ID", options->id, "The run's id, run_…")->required();
  add_client_options(verb, *options);
  verb.footer("Example:\n  perdure runs cancel run_06bq2mtf8k3v1c9h5e7n4x0a2");
  verb.callback([options, &console, &exit_status] { exit_status = cancel(*options, console); });
}

}  // namespace perdure::cli
