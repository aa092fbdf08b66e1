// perdure runs replay ID: a new run like an earlier one, but for what is given. With filters: of each of many, as they
// were.
#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "host/cli/bulk_action.h"
#include "host/cli/client.h"
#include "host/cli/json_view.h"
#include "host/cli/trigger_options.h"
#include "host/cli/verbs.h"

namespace perdure::cli {
namespace {

struct Options : ClientOptions, TriggerOptions {
  std::string id;
  RunFilters filters;
};

store::Result<std::string> body_of(const Options& options, Console& console) {
  const auto payload = payload_json(options, console);
  if (!payload) return payload.status();
  const auto given = options_json(options, console);
  if (!given || payload->empty()) return given;
  return "{\"payload\":" + *payload + (*given == "{}" ? "" : ",") + given->substr(1);
}

int replay(const Options& options, Console& console) {
  const auto body = body_of(options, console);
  if (!body) {
    console.err << styled(color_err(console), Style::kRed, "perdure:") << " " << printable(body.status().message())
                << "\n";
    return kWrongUsage;
  }
  Client client(console, options);
  const auto answer = client.post("/api/v1/runs/" + percent_encoded(options.id) + "/replay", body.value());
  if (!answer) return client.report();
  const JsonView replayed(*answer);
  console.out << (options.json ? indented(replayed.raw()) : replayed["id"].text()) << "\n";
  return kDone;
}

// Without an id, --tag and --queue choose runs, and nothing can be changed.
int replay_many(const Options& options, Console& console) {
  RunFilters filters = options.filters;
  filters.tags = options.tags;
  if (!options.queue.empty()) filters.queues = {options.queue};
  TriggerOptions unchanged = options;
  unchanged.tags.clear();
  unchanged.queue.clear();
  const auto changed = options_json(unchanged, console);
  if (filters.empty() || options.payload || !changed || *changed != "{}") return one_or_many(console);
  return do_in_bulk("replay", filters, options, console);
}

}  // namespace

void add_runs_replay(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = *parent.add_subcommand(
      "replay", "Create a run like an earlier one, on the task's newest version; or of each that filters choose");
  verb.add_option("ID", options->id, "The earlier run's id, run_…; without it, --tag and --queue choose runs");
  add_run_filters(verb, options->filters);
  verb.add_option("--payload", options->payload, "Another payload: JSON, @FILE, or - for standard input");
  add_trigger_options(verb, *options);
  add_client_options(verb, *options);
  verb.footer(
      "Examples:\n"
      "  perdure runs replay run_06bq2mtf8k3v1c9h5e7n4x0a2\n"
      "  perdure runs replay run_06bq2mtf8k3v1c9h5e7n4x0a2 --payload '{\"name\":\"Ada\"}' --delay 10m\n"
      "  perdure runs replay --status FAILED,CRASHED --task report --since 1d");
  verb.callback([options, &console, &exit_status] {
    if (!options->id.empty() && !options->filters.empty()) {
      exit_status = one_or_many(console);
    } else {
      exit_status = options->id.empty() ? replay_many(*options, console) : replay(*options, console);
    }
  });
}

}  // namespace perdure::cli
