// perdure runs stack ID: where the threads of an executing run are now.
#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "host/cli/client.h"
#include "host/cli/json_view.h"
#include "host/cli/verbs.h"

namespace perdure::cli {
namespace {

struct Options : ClientOptions {
  std::string id;
};

int stack(const Options& options, Console& console) {
  Client client(console, options);
  const auto answer = client.get("/perdure/v1/runs/" + percent_encoded(options.id) + "/stack");
  if (!answer) return client.report();
  const JsonView document(*answer);
  if (options.json) {
    console.out << indented(document.raw()) << "\n";
    return kDone;
  }
  console.out << styled(color_out(console), Style::kBold,
                        document["id"].text() + ", attempt " + document["attempt"].text())
              << ", process " << document["pid"].text() << "\n"
              << printable(document["text"].text());
  return kDone;
}

}  // namespace

void add_runs_stack(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = *parent.add_subcommand("stack", "Show where every thread of an executing run is now");
  verb.add_option("ID", options->id, "The run's id, run_…")->required();
  add_client_options(verb, *options);
  verb.footer(
      "The attempt's process is stopped for some milliseconds, and goes on as if nothing had been.\n\n"
      "Example:\n  perdure runs stack run_06bq2mtf8k3v1c9h5e7n4x0a2");
  verb.callback([options, &console, &exit_status] { exit_status = stack(*options, console); });
}

}  // namespace perdure::cli
