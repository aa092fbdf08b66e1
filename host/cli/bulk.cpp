// perdure bulk list|get|abort: what became of cancels and replays of many runs.
#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "host/cli/bulk_action.h"
#include "host/cli/client.h"
#include "host/cli/run_text.h"
#include "host/cli/table.h"
#include "host/cli/verbs.h"

namespace perdure::cli {
namespace {

struct Options : ClientOptions {
  std::string id;
  std::size_t limit = 25;
};

void print(const std::vector<JsonView>& actions, Console& console) {
  Table table({"BULK ACTION", "STATUS", "CREATED", "DONE", "NAME"});
  for (const JsonView& action : actions) {
    const std::string status = action["status"].text();
    table.add({{action["id"].text()},
               {status, status == "COMPLETED" ? Style::kGreen
                        : status == "PENDING" ? Style::kBlue
                                              : Style::kYellow},
               {local_time(action["createdAt"])},
               {progress_of(action)},
               {action["name"].text()}});
  }
  table.print(console);
}

int list(const Options& options, Console& console) {
  Client client(console, options);
  const auto answer =
      client.get("/api/v1/bulk-actions?" + percent_encoded("page[size]") + "=" + std::to_string(options.limit));
  if (!answer) return client.report();
  const std::vector<JsonView> actions = JsonView(*answer)["data"].items();
  if (options.json) {
    for (const JsonView& action : actions) console.out << action.raw() << "\n";
  } else if (!actions.empty()) {
    print(actions, console);
  } else if (console.out_is_terminal) {
    console.out << "No bulk actions yet; `perdure runs cancel --status QUEUED` would be one.\n";
  }
  return kDone;
}

int get(const Options& options, Console& console) {
  Client client(console, options);
  const auto answer = client.get("/api/v1/bulk-actions/" + percent_encoded(options.id));
  if (!answer) return client.report();
  if (options.json) {
    console.out << indented(*answer) << "\n";
  } else {
    print({JsonView(*answer)}, console);
  }
  return kDone;
}

int abort(const Options& options, Console& console) {
  Client client(console, options);
  if (!client.post("/api/v1/bulk-actions/" + percent_encoded(options.id) + "/abort", "")) return client.report();
  return get(options, console);
}

}  // namespace

void add_bulk(CLI::App& parent, Console& console, int& exit_status) {
  CLI::App& bulk = *parent.add_subcommand("bulk", "Show and abort cancels and replays of many runs");
  bulk.require_subcommand(1);
  auto options = std::make_shared<Options>();
  CLI::App& lists = *bulk.add_subcommand("list", "List bulk actions, newest first");
  lists.add_option("--limit", options->limit, "At most so many")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, std::size_t{100}));
  lists.footer("Example:\n  perdure bulk list");
  lists.callback([options, &console, &exit_status] { exit_status = list(*options, console); });
  CLI::App& gets = *bulk.add_subcommand("get", "Show how far a bulk action is");
  gets.footer("Example:\n  perdure bulk get bulk_06bq2mtf8k3v1c9h5e7n4x0a2");
  gets.callback([options, &console, &exit_status] { exit_status = get(*options, console); });
  CLI::App& aborts = *bulk.add_subcommand("abort", "End a bulk action after the runs that it is at");
  aborts.footer("Example:\n  perdure bulk abort bulk_06bq2mtf8k3v1c9h5e7n4x0a2");
  aborts.callback([options, &console, &exit_status] { exit_status = abort(*options, console); });
  for (CLI::App* const verb : {&gets, &aborts}) {
    verb->add_option("ID", options->id, "The bulk action's id, bulk_…")->required();
  }
  for (CLI::App* const verb : {&lists, &gets, &aborts}) add_client_options(*verb, *options);
}

}  // namespace perdure::cli
