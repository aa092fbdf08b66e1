// perdure runs get ID: everything about one run.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cmath>
#include <cstdlib>
#include <memory>
#include <ostream>

#include "host/cli/client.h"
#include "host/cli/run_text.h"
#include "host/cli/table.h"
#include "host/cli/verbs.h"
#include "store/model/machine.h"

namespace perdure::cli {
namespace {

constexpr std::size_t kFrames = 5;  // of an attempt's backtrace

struct Options : ClientOptions {
  std::string id;
};

// What an attempt came to: its status, or how it failed.
std::string outcome_of(const JsonView& attempt) {
  const std::string code = attempt["error"]["code"].text();
  return attempt["status"].text() == "FAILED" && !code.empty() ? code : attempt["status"].text();
}

// What is known of an attempt's processor time and memory.
std::string used_by(const JsonView& attempt) {
  if (!attempt["peakMemory"]) return {};
  return short_duration(std::llround(std::strtod(attempt["cpuMs"].text().c_str(), nullptr))) + " CPU, " +
         store::memory_in_words(static_cast<std::uint64_t>(attempt["peakMemory"].number()));
}

// A table of the attempts, and below it where those that left a backtrace were. The last attempt's error is the run's
// own, which is shown elsewhere when the run has failed.
void print_attempts(const std::vector<JsonView>& attempts, bool run_failed, Console& console) {
  if (attempts.empty()) return;
  console.out << "\n";
  Table table({"ATTEMPT", "OUTCOME", "STARTED", "TOOK", "MACHINE", "USED", "WHY"});
  for (const JsonView& attempt : attempts) {
    const std::string status = attempt["status"].text();
    table.add({{attempt["number"].text()},
               {outcome_of(attempt), status == "SUCCEEDED"   ? Style::kGreen
                                     : status == "EXECUTING" ? Style::kBlue
                                                             : Style::kRed},
               {local_clock(attempt["startedAt"])},
               {attempt["endedAt"] ? short_duration(attempt["durationMs"].number()) : ""},
               {attempt["machine"].text()},
               {used_by(attempt)},
               {error_line(attempt["error"])}});
  }
  table.print(console);
  for (std::size_t i = 0; i < attempts.size() - (run_failed ? 1 : 0); ++i) {
    if (!attempts[i]["error"]["stackTrace"]) continue;
    console.out << "\n" << styled(color_out(console), Style::kDim, "attempt " + attempts[i]["number"].text()) << "\n";
    print_error(console.out, color_out(console), attempts[i]["error"], kFrames);
  }
}

// The runs that this one's attempts triggered.
void print_children(const std::vector<JsonView>& children, Console& console) {
  if (children.empty()) return;
  console.out << "\n";
  Table table({"CHILD", "TASK", "STATUS", "CREATED"});
  for (const JsonView& child : children) {
    const std::string status = child["status"].text();
    table.add({{child["id"].text()},
               {child["taskIdentifier"].text()},
               {status, style_of(status)},
               {local_clock(child["createdAt"])}});
  }
  table.print(console);
}

void print(const JsonView& run, Console& console) {
  const bool color = color_out(console);
  std::ostream& out = console.out;
  const std::string status = run["status"].text();
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty())
      out << styled(color, Style::kDim, fmt::format("{:<10}", name)) << " " << printable(value) << "\n";
  };
  line("run", run["id"].text());
  line("task", run["taskIdentifier"].text());
  out << styled(color, Style::kDim, fmt::format("{:<10}", "status")) << " " << styled(color, style_of(status), status)
      << "\n";
  line("created", local_time(run["createdAt"]));
  line("delayed to", local_time(run["delayedUntil"]));
  line("started", local_time(run["startedAt"]));
  line("finished", local_time(run["finishedAt"]));
  if (run["startedAt"]) line("executed", short_duration(run["durationMs"].number()));
  line("queue", run["queue"].text());
  line("version", run["version"].text());
  std::string tags;
  for (const JsonView& tag : run["tags"].items()) tags += (tags.empty() ? "" : ", ") + tag.text();
  line("tags", tags);
  line("parent", run["parentRunId"].text());
  if (run["rootRunId"].text() != run["parentRunId"].text()) line("root", run["rootRunId"].text());

  print_attempts(run["attempts"].items(), static_cast<bool>(run["error"]), console);
  print_children(run["relatedRuns"]["children"].items(), console);
  const auto value = [&](const char* name, const JsonView& json) {
    if (json.raw().empty()) return;
    out << "\n" << styled(color, Style::kDim, name) << "\n" << printable(indented(json.raw())) << "\n";
  };
  value("payload", run["payload"]);
  value("metadata", run["metadata"]);
  value("output", run["output"]);
  if (run["error"]) {
    out << "\n" << styled(color, Style::kDim, "error") << "\n";
    print_error(out, color, run["error"]);
  }
}

int get(const Options& options, Console& console) {
  Client client(console, options);
  const auto answer = client.get("/perdure/v1/runs/" + percent_encoded(options.id));
  if (!answer) return client.report();
  const JsonView run(*answer);
  if (options.json) {
    console.out << indented(run.raw()) << "\n";
  } else {
    print(run, console);
  }
  return kDone;
}

}  // namespace

void add_runs_get(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = *parent.add_subcommand("get", "Show a run: its attempts, payload, output or error");
  verb.add_option("ID", options->id, "The run's id, run_…")->required();
  add_client_options(verb, *options);
  verb.footer("Example:\n  perdure runs get run_06bq2mtf8k3v1c9h5e7n4x0a2 --json | jq .attempts");
  verb.callback([options, &console, &exit_status] { exit_status = get(*options, console); });
}

}  // namespace perdure::cli
