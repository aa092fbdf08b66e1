// perdure runs list: the newest runs, filtered.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <ostream>

#include "host/cli/client.h"
#include "host/cli/run_text.h"
#include "host/cli/table.h"
#include "host/cli/verbs.h"
#include "store/model/duration.h"
#include "store/model/timestamp.h"

namespace perdure::cli {
namespace {

using store::Result;
using store::Status;

constexpr std::size_t kLargestPage = 100;

struct Options : ClientOptions {
  std::vector<std::string> statuses, tasks, tags, schedules;
  std::string since, until;
  std::size_t limit = 25;
};

// A time, or how long ago, as the milliseconds since the epoch that the query takes.
Result<std::string> moment(const std::string& name, const std::string& text) {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  if (const auto ago = store::parse_duration(text)) {
    return std::to_string((now - ago.value()).time_since_epoch().count());
  }
  const auto time = store::parse_time(text);
  if (time) return std::to_string(time.value().time_since_epoch().count());
  return Status::invalid(name + ": \"" + text +
                         "\" is neither a time such as 2030-01-01T09:00:00Z nor how long ago, such as 1h30m");
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ",") + text;
  return out;
}

Result<std::string> filters_of(const Options& options) {
  std::string query;
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) query += "&" + percent_encoded(name) + "=" + percent_encoded(value);
  };
  std::string statuses = joined(options.statuses);
  std::ranges::transform(statuses, statuses.begin(), [](char c) { return c >= 'a' && c <= 'z' ? char(c - 32) : c; });
  add("filter[status]", statuses);
  add("filter[taskIdentifier]", joined(options.tasks));
  add("filter[tag]", joined(options.tags));
  add("filter[schedule]", joined(options.schedules));
  for (const auto& [name, flag, text] : {std::tuple{"filter[createdAt][from]", "--since", &options.since},
                                         std::tuple{"filter[createdAt][to]", "--until", &options.until}}) {
    if (text->empty()) continue;
    const auto at = moment(flag, *text);
    if (!at) return at.status();
    add(name, at.value());
  }
  return query;
}

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
  const auto filters = filters_of(options);
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
    if (!next || page["data"].items().empty()) break;
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
  verb.add_option("--status", options->statuses, "Only runs in this status, such as FAILED; repeat or a,b for more")
      ->delimiter(',')
      ->allow_extra_args(false);
  verb.add_option("--task", options->tasks, "Only runs of this task; repeat or a,b for more")
      ->delimiter(',')
      ->allow_extra_args(false);
  verb.add_option("--schedule", options->schedules, "Only runs of this schedule; repeat for any of more")
      ->allow_extra_args(false);
  verb.add_option("--tag", options->tags, "Only runs with this tag; repeat for any of more")->allow_extra_args(false);
  verb.add_option("--since", options->since, "Only runs created since then: a time, or how long ago (1h)");
  verb.add_option("--until", options->until, "Only runs created until then: a time, or how long ago");
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
