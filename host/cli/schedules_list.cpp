// perdure schedules list|get ID|next ID_OR_PATTERN: what there is, and when it is due.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <ostream>

#include "host/cli/client.h"
#include "host/cli/run_text.h"
#include "host/cli/schedule_text.h"
#include "host/cli/table.h"
#include "host/cli/verbs.h"
#include "store/model/timestamp.h"
#include "store/model/timetable.h"

namespace perdure::cli {
namespace {

constexpr std::size_t kPage = 100;

struct Options : ClientOptions {
  std::string subject, timezone = "UTC";
  std::size_t limit = 100, count = 5;
};

void add_row(Table& table, const JsonView& schedule) {
  const bool active = schedule["active"].is_true();
  const std::string timezone = schedule["timezone"].text();
  table.add({{schedule["id"].text()},
             {schedule["task"].text(), Style::kBold},
             {schedule["generator"]["expression"].text()},
             {timezone},
             {active ? "active" : "inactive", active ? Style::kGreen : Style::kYellow},
             {active ? time_in_zone(schedule["nextRun"].text(), timezone) : ""},
             {schedule["type"].text() == "DECLARATIVE" ? "task" : schedule["deduplicationKey"].text()}});
}

int list(const Options& options, Console& console) {
  Client client(console, options);
  Table table({"SCHEDULE", "TASK", "PATTERN", "TIME ZONE", "STATE", "NEXT", "KEY"});
  std::size_t left = options.limit;
  for (std::size_t page = 1; left > 0; ++page) {
    const auto answer =
        client.get("/perdure/v1/schedules?perPage=" + std::to_string(kPage) + "&page=" + std::to_string(page));
    if (!answer) return client.report();
    const JsonView document(*answer);
    const std::vector<JsonView> schedules = document["data"].items();
    for (std::size_t i = 0; i < std::min(schedules.size(), left); ++i) {
      if (options.json) {
        console.out << schedules[i].raw() << "\n";
      } else {
        add_row(table, schedules[i]);
      }
    }
    left -= std::min(schedules.size(), left);
    if (schedules.size() < kPage) break;
  }
  if (options.json) return kDone;
  if (!table.empty()) {
    table.print(console);
  } else if (console.out_is_terminal) {
    console.out << "No schedules: give a task a cron option, or make one with `perdure schedules create TASK CRON`.\n";
  }
  return kDone;
}

int get(const Options& options, Console& console) {
  Client client(console, options);
  const auto answer = client.get("/perdure/v1/schedules/" + percent_encoded(options.subject));
  if (!answer) return client.report();
  const JsonView schedule(*answer);
  if (options.json) {
    console.out << indented(schedule.raw()) << "\n";
  } else {
    print_schedule(schedule, console);
  }
  return kDone;
}

// Of a pattern: worked out here, no host is needed.
store::Result<std::string> times_of_pattern(const Options& options) {
  store::ScheduleRule rule;
  rule.pattern = options.subject;
  rule.timezone = options.timezone;
  const store::Result<store::Timetable> times = store::Timetable::parse(rule);
  if (!times) return times.status();
  std::string document = "{\"cron\":" + json_string(rule.pattern) +
                         ",\"description\":" + json_string(times->pattern().description()) +
                         ",\"timezone\":" + json_string(rule.timezone) + ",\"upcoming\":[";
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  bool first = true;
  for (const store::Time each : times->upcoming(now, options.count)) {
    const std::string text = json_string(store::format_time(each));
    document += (first ? "{\"due\":" : ",{\"due\":") + text + ",\"firesAt\":" + text + "}";
    first = false;
  }
  return document + "]}";
}

int next(const Options& options, Console& console) {
  std::string document;
  if (options.subject.starts_with("sched_")) {
    Client client(console, options);
    auto answer = client.get("/perdure/v1/schedules/" + percent_encoded(options.subject) +
                             "/upcoming?count=" + std::to_string(options.count));
    if (!answer) return client.report();
    document = std::move(*answer);
  } else {
    auto times = times_of_pattern(options);
    if (!times) {
      console.err << styled(color_err(console), Style::kRed, "perdure:") << " " << printable(times.status().message())
                  << "\n";
      return kWrongUsage;
    }
    document = std::move(*times);
  }
  const JsonView view(document);
  if (options.json) {
    console.out << indented(view.raw()) << "\n";
    return kDone;
  }
  console.out << printable(view["cron"].text()) << "  " << view["description"].text() << "\n\n";
  print_upcoming(upcoming_of(view), view["timezone"].text(), console);
  return kDone;
}

}  // namespace

void add_schedules_list(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = *parent.add_subcommand("list", "List schedules, newest first");
  verb.add_option("--limit", options->limit, "At most so many")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}));
  add_client_options(verb, *options);
  verb.footer("Example:\n  perdure schedules list --json | jq -r 'select(.active) | .nextRun + \" \" + .task'");
  verb.callback([options, &console, &exit_status] { exit_status = list(*options, console); });
}

void add_schedules_get(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = *parent.add_subcommand("get", "Show a schedule: its options, its last run, its next times");
  verb.add_option("ID", options->subject, "The schedule's id, sched_…")->required();
  add_client_options(verb, *options);
  verb.footer("Example:\n  perdure schedules get sched_06bq2mtf8k3v1c9h5e7n4x0a2");
  verb.callback([options, &console, &exit_status] { exit_status = get(*options, console); });
}

void add_schedules_next(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = *parent.add_subcommand("next", "Show the next times of a schedule, or of a pattern");
  verb.add_option("ID_OR_PATTERN", options->subject, "A schedule's id, or a cron pattern, for which no host is needed")
      ->required();
  verb.add_option("--timezone", options->timezone, "The pattern's time zone, an IANA name")->capture_default_str();
  verb.add_option("--count", options->count, "How many")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, std::size_t{1000}));
  add_client_options(verb, *options);
  verb.footer(
      "Examples:\n"
      "  perdure schedules next '30 2 * * SUN' --timezone Europe/Berlin --count 10\n"
      "  perdure schedules next sched_06bq2mtf8k3v1c9h5e7n4x0a2");
  verb.callback([options, &console, &exit_status] { exit_status = next(*options, console); });
}

}  // namespace perdure::cli
