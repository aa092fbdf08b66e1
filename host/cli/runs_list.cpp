// perdure runs list: the newest runs, filtered.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <ostream>

#include "host/cli/client.h"
#include "host/cli/run_filters.h"
#include "host/cli/run_text.h"
#include "host/cli/table.h"
#include "host/cli/verbs.h"

namespace perdure::cli {
namespace {

constexpr std::size_t kLargestPage = 100;

struct Options : ClientOptions {
  RunFilters filters;
  std::size_t limit = 25;
};

void add_row(Table& table, const JsonView& run) {
  const std::string status = run["status"].text();
  const bool started = static_cast<bool>(run["startedAt"]);
  std::string tags;
  for (const JsonView& tag : run["tags"].items()) tags += (tags.empty() ? "" : ", ") + tag.text();
  table.add({{run["id"].text()},
             {run["taskIdentifier"].text()},
             {status, style_of(status)},
             {local_time(run["createdAt"])},
             {started ? short_duration(run["durationMs"].number()) : ""},
             {tags}});
}

int list(const Options& options, Console& console) {
  const auto filters = query_of(options.filters);
  if (!filters) {
    console.err << styled(color_err(console), Style::kRed, "perdure:") << " " << filters.status().message() << "\n";
    return kWrongUsage;
  }
  Client client(console, options);
  Table table({"RUN", "TASK", "STATUS", "CREATED", "TOOK", "TAGS"});
  std::string cursor;
  for (std::size_t left = options.limit; left > 0;) {
    const auto answer = client.get("/api/v1/runs?" + percent_encoded("page[size]") + "=" +
                                   std::to_string(std::min(left, kLargestPage)) + filters.value() + cursor);
    if (!answer) return client.report();
    const JsonView page(*answer);
    for (const JsonView& run : page["data"].items()) {
      --left;
      if (options.json) {
        console.out << run.raw() << "\n";
      } else {
        add_row(table, run);
      }
    }
    const JsonView next = page["pagination"]["next"];
    if (!next) break;  // an empty page may have one: then much was looked at in vain
    cursor = "&" + percent_encoded("page[after]") + "=" + percent_encoded(next.text());
  }
  if (options.json) return kDone;
  if (!table.empty()) {
    table.print(console);
  } else if (console.out_is_terminal) {
    console.out << "No runs"
                << (filters.value().empty() ? " yet; create one with `perdure trigger TASK`.\n" : " match.\n");
  }
  return kDone;
}

}  // namespace

void add_runs_list(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = *parent.add_subcommand("list", "List runs, newest first");
  add_run_filters(verb, options->filters);
  add_tag_and_queue_filters(verb, options->filters);
  verb.add_option("--limit", options->limit, "At most so many")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}));
  add_client_options(verb, *options);
  verb.footer(
      "Examples:\n"
      "  perdure runs list --status FAILED,CRASHED --since 1h\n"
      "  perdure runs list --task hello-world --limit 500 --json | jq -r .id");
  verb.callback([options, &console, &exit_status] { exit_status = list(*options, console); });
}

}  // namespace perdure::cli
