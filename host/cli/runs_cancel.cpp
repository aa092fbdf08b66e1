// perdure runs cancel ID, or with filters: cancels a run, or many.
#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "host/cli/bulk_action.h"
#include "host/cli/client.h"
#include "host/cli/run_text.h"
#include "host/cli/verbs.h"

namespace perdure::cli {
namespace {

struct Options : ClientOptions {
  std::string id;
  RunFilters filters;
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
  CLI::App& verb = *parent.add_subcommand("cancel", "Cancel a run, or those that filters choose");
  verb.add_option("ID", options->id, "The run's id, run_…; one that is final stays as it is");
  add_run_filters(verb, options->filters);
  add_tag_and_queue_filters(verb, options->filters);
  add_client_options(verb, *options);
  verb.footer(
      "Examples:\n"
      "  perdure runs cancel run_06bq2mtf8k3v1c9h5e7n4x0a2\n"
      "  perdure runs cancel --task report --status QUEUED,DELAYED");
  verb.callback([options, &console, &exit_status] {
    if (options->id.empty() == options->filters.empty()) {
      exit_status = one_or_many(console);
    } else {
      exit_status =
          options->id.empty() ? do_in_bulk("cancel", options->filters, *options, console) : cancel(*options, console);
    }
  });
}

}  // namespace perdure::cli
