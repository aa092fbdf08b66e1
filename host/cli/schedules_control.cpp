// perdure schedules activate|deactivate|delete ID and perdure schedules backfill ID FROM TO.
#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "host/cli/client.h"
#include "host/cli/run_text.h"
#include "host/cli/schedule_text.h"
#include "host/cli/verbs.h"

namespace perdure::cli {
namespace {

struct Options : ClientOptions {
  std::string id, from, to;
};

std::string path_of(const Options& options, const std::string& action = {}) {
  return "/api/v1/schedules/" + percent_encoded(options.id) + action;
}

int set_active(const Options& options, Console& console, bool active) {
  Client client(console, options);
  const auto answer = client.post(path_of(options, active ? "/activate" : "/deactivate"), "");
  if (!answer) return client.report();
  const JsonView schedule(*answer);
  if (options.json) {
    console.out << indented(schedule.raw()) << "\n";
  } else if (active) {
    console.out << printable(options.id) << " is active, next on "
                << printable(time_in_zone(schedule["nextRun"].text(), schedule["timezone"].text()) + ", " +
                             schedule["timezone"].text())
                << "\n";
  } else {
    console.out << printable(options.id) << " is inactive: it fires no more until `perdure schedules activate`\n";
  }
  return kDone;
}

int remove(const Options& options, Console& console) {
  Client client(console, options);
  const auto answer = client.remove(path_of(options));
  if (!answer) return client.report();
  if (options.json) {
    console.out << indented(*answer) << "\n";
  } else {
    console.out << printable(options.id) << " is deleted; its runs stay\n";
  }
  return kDone;
}

int backfill(const Options& options, Console& console) {
  Client client(console, options);
  const auto answer =
      client.post("/perdure/v1/schedules/" + percent_encoded(options.id) + "/backfill",
                  "{\"from\":" + json_string(options.from) + ",\"to\":" + json_string(options.to) + "}");
  if (!answer) return client.report();
  const JsonView begun(*answer);
  if (options.json) {
    console.out << indented(begun.raw()) << "\n";
  } else {
    console.out << begun["dueTimes"].text() << " due times of " << printable(options.id)
                << " are being fired, but for those that have a run; `perdure runs list --schedule "
                << printable(options.id) << "` shows them\n";
  }
  return kDone;
}

CLI::App& add_verb(CLI::App& parent, const char* name, const char* what, Options& options) {
  CLI::App& verb = *parent.add_subcommand(name, what);
  verb.add_option("ID", options.id, "The schedule's id, sched_…")->required();
  verb.footer(std::string("Example:\n  perdure schedules ") + name + " sched_06bq2mtf8k3v1c9h5e7n4x0a2");
  return verb;
}

}  // namespace

void add_schedules_control(CLI::App& parent, Console& console, int& exit_status) {
  for (const bool active : {true, false}) {
    auto options = std::make_shared<Options>();
    CLI::App& verb = active ? add_verb(parent, "activate", "Let a schedule fire again", *options)
                            : add_verb(parent, "deactivate", "Let a schedule fire no more; it is kept", *options);
    add_client_options(verb, *options);
    verb.callback([options, active, &console, &exit_status] { exit_status = set_active(*options, console, active); });
  }
  auto doomed = std::make_shared<Options>();
  CLI::App& deletion = add_verb(parent, "delete", "Delete a schedule; its runs stay", *doomed);
  add_client_options(deletion, *doomed);
  deletion.callback([doomed, &console, &exit_status] { exit_status = remove(*doomed, console); });

  auto range = std::make_shared<Options>();
  CLI::App& verb = add_verb(parent, "backfill", "Run the due times of a past range that have no run", *range);
  verb.add_option("FROM", range->from, "The first moment, such as 2026-11-01 or 2026-11-01T08:00:00+01:00")->required();
  verb.add_option("TO", range->to, "The last moment")->required();
  add_client_options(verb, *range);
  verb.footer(
      "A time without an offset is in UTC.\n\n"
      "Example:\n  perdure schedules backfill sched_06bq2mtf8k3v1c9h5e7n4x0a2 2026-11-01 2026-11-08");
  verb.callback([range, &console, &exit_status] { exit_status = backfill(*range, console); });
}

}  // namespace perdure::cli
