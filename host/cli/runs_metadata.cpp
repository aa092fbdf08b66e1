// perdure runs metadata ID: what a run tells about itself, as it is now.
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

int metadata(const Options& options, Console& console) {
  Client client(console, options);
  const auto answer = client.get("/api/v1/runs/" + percent_encoded(options.id) + "/metadata");
  if (!answer) return client.report();
  const std::string shown = indented(JsonView(*answer)["metadata"].raw());
  console.out << (console.out_is_terminal ? printable(shown) : shown) << "\n";
  return kDone;
}

}  // namespace

void add_runs_metadata(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = *parent.add_subcommand("metadata", "Print a run's metadata as it is now");
  verb.add_option("ID", options->id, "The run's id, run_…")->required();
  add_client_options(verb, *options);
  verb.footer("Example:\n  perdure runs metadata run_06bq2mtf8k3v1c9h5e7n4x0a2 | jq .progress");
  verb.callback([options, &console, &exit_status] { exit_status = metadata(*options, console); });
}

}  // namespace perdure::cli
