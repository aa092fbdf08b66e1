// perdure runs trace ID: the run's timeline, with its log lines.
#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "host/cli/client.h"
#include "host/cli/run_text.h"
#include "host/cli/table.h"
#include "host/cli/verbs.h"

namespace perdure::cli {
namespace {

struct Options : ClientOptions {
  std::string id;
};

// "1.25 ms"
std::string milliseconds(const JsonView& span) {
  const long long duration = span["durationUs"].number();
  std::string hundredths = std::to_string(duration % 1000 / 10);
  if (hundredths.size() < 2) hundredths.insert(0, 1, '0');
  return std::to_string(duration / 1000) + "." + hundredths + " ms";
}

// "task.init 1.25 ms", and how it failed.
std::string hook_line(const JsonView& hook) {
  std::string line = hook["scope"].text() + "." + hook["hook"].text() + " " + milliseconds(hook);
  if (hook["error"]) line += ": " + error_line(hook["error"]);
  if (hook["ignored"].is_true()) line += " (ignored)";
  return line;
}

std::string data_line(const JsonView& event) {
  if (event["name"].text() == "hook") return hook_line(event["data"]);
  if (event["name"].text() == "step") return event["data"]["name"].text() + " " + milliseconds(event["data"]);
  std::string line;
  for (const auto& [name, value] : event["data"].members())
    line += (line.empty() ? "" : " ") + name + "=" + value.text();
  return line;
}

int trace(const Options& options, Console& console) {
  Client client(console, options);
  const auto answer = client.get("/perdure/v1/runs/" + percent_encoded(options.id) + "/trace");
  if (!answer) return client.report();
  const JsonView document(*answer);
  if (options.json) {
    console.out << indented(document.raw()) << "\n";
    return kDone;
  }
  Table table({"TIME", "EVENT", "ATTEMPT", "STATUS", ""});
  for (const JsonView& event : document["events"].items()) {
    const std::string status = event["status"].text();
    table.add({{local_clock(event["at"]), Style::kDim},
               {event["name"].text()},
               {event["attempt"].number() > 0 ? event["attempt"].text() : ""},
               {status, style_of(status)},
               {data_line(event)}});
  }
  table.print(console);
  return kDone;
}

}  // namespace

void add_runs_trace(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = *parent.add_subcommand("trace", "Show a run's timeline");
  verb.add_option("ID", options->id, "The run's id, run_…")->required();
  add_client_options(verb, *options);
  verb.footer("Example:\n  perdure runs trace run_06bq2mtf8k3v1c9h5e7n4x0a2");
  verb.callback([options, &console, &exit_status] { exit_status = trace(*options, console); });
}

}  // namespace perdure::cli
