// perdure schedules create TASK CRON and perdure schedules update ID: what a schedule is to be.
#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <ostream>
#include <utility>

#include "host/cli/client.h"
#include "host/cli/run_text.h"
#include "host/cli/schedule_text.h"
#include "host/cli/verbs.h"

namespace perdure::cli {
namespace {

using Text = std::optional<std::string>;

struct Options : ClientOptions {
  std::string id;  // of `update`
  Text task, cron, key, timezone, window, external_id, catch_up, overlap;
};

// {"task": …}: those that are given.
std::string body_of(const Options& options) {
  std::string body;
  for (const auto& [name, value] :
       {std::pair{"task", &options.task}, std::pair{"cron", &options.cron}, std::pair{"deduplicationKey", &options.key},
        std::pair{"timezone", &options.timezone}, std::pair{"window", &options.window},
        std::pair{"externalId", &options.external_id}, std::pair{"catchUp", &options.catch_up},
        std::pair{"overlap", &options.overlap}}) {
    if (*value) body += std::string(body.empty() ? "{\"" : ",\"") + name + "\":" + json_string(**value);
  }
  return body + "}";
}

// Shows the schedule that the host answered, with its next times.
int show(Client& client, const std::optional<std::string>& answer, const Options& options, Console& console) {
  if (!answer) return client.report();
  const auto whole = client.get("/perdure/v1/schedules/" + percent_encoded(JsonView(*answer)["id"].text()));
  if (!whole) return client.report();
  const JsonView schedule(*whole);
  if (options.json) {
    console.out << indented(schedule.raw()) << "\n";
  } else {
    print_schedule(schedule, console);
  }
  return kDone;
}

int create(Options options, Console& console) {
  // Doing it again then changes nothing, instead of making a second one.
  if (!options.key) {
    options.key = *options.task + " " + *options.cron + " " + options.timezone.value_or("UTC");
    if (options.external_id) *options.key += " " + *options.external_id;
  }
  Client client(console, options);
  const auto answer = client.post("/api/v1/schedules", body_of(options));
  return show(client, answer, options, console);
}

int update(Options options, Console& console) {
  Client client(console, options);
  const std::string id = percent_encoded(options.id);
  const auto before = client.get("/perdure/v1/schedules/" + id);
  if (!before) return client.report();
  // An update says everything anew; what is not given stays as it is.
  const JsonView schedule(*before);
  const auto keep = [](Text& option, const JsonView& value) {
    if (!option && value) option = value.text();
  };
  keep(options.task, schedule["task"]);
  keep(options.cron, schedule["generator"]["expression"]);
  keep(options.timezone, schedule["timezone"]);
  keep(options.window, schedule["window"]);
  keep(options.external_id, schedule["externalId"]);
  keep(options.catch_up, schedule["catchUp"]);
  keep(options.overlap, schedule["overlap"]);
  for (Text* cleared : {&options.window, &options.external_id}) {
    if (*cleared == "none") *cleared = "";
  }
  const auto answer = client.put("/api/v1/schedules/" + id, body_of(options));
  return show(client, answer, options, console);
}

void add_rule_options(CLI::App& verb, Options& options) {
  verb.add_option("--timezone", options.timezone, "Where the pattern's clock is, an IANA name; UTC by default");
  verb.add_option("--window", options.window,
                  "Fire so long after each due time at most, always the same: 30m, or 50% of the interval");
  verb.add_option("--external-id", options.external_id, "Whom it is for, in your words; the task gets it");
  verb.add_option("--catch-up", options.catch_up,
                  "Which times fire that were missed while no host was up: none, latest (the default), all");
  verb.add_option("--overlap", options.overlap,
                  "While its last run is unfinished: allow (the default), skip, queue_one, cancel_previous");
  add_client_options(verb, options);
}

}  // namespace

void add_schedules_create(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = *parent.add_subcommand("create", "Trigger a task at the times of a cron pattern");
  verb.add_option("TASK", options->task, "The task's id")->required();
  verb.add_option("CRON", options->cron,
                  "Five fields, quoted: minute hour day-of-month month day-of-week; or @hourly, @daily, @weekly, "
                  "@monthly, @yearly")
      ->required();
  verb.add_option("--key", options->key,
                  "Change the schedule that has this key instead of making another; by default made of task, pattern, "
                  "time zone and external id");
  add_rule_options(verb, *options);
  verb.footer(
      "Examples:\n"
      "  perdure schedules create report '0 9 * * MON-FRI' --timezone Europe/Berlin\n"
      "  perdure schedules create backup @daily --window 50% --overlap skip --key nightly");
  verb.callback([options, &console, &exit_status] { exit_status = create(*options, console); });
}

void add_schedules_update(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = *parent.add_subcommand("update", "Change a schedule; what is not named stays as it is");
  verb.add_option("ID", options->id, "The schedule's id, sched_…")->required();
  verb.add_option("--task", options->task, "The task that it triggers");
  verb.add_option("--cron", options->cron, "Its pattern");
  add_rule_options(verb, *options);
  verb.footer(
      "`none` takes a window or an external id away.\n\n"
      "Example:\n  perdure schedules update sched_06bq2mtf8k3v1c9h5e7n4x0a2 --cron '0 8 * * *' --window none");
  verb.callback([options, &console, &exit_status] { exit_status = update(*options, console); });
}

}  // namespace perdure::cli
