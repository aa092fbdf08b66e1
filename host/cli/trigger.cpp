// perdure trigger TASK [PAYLOAD|@FILE|-]: creates a run, and with --wait follows it to its end.
#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "host/cli/client.h"
#include "host/cli/following.h"
#include "host/cli/run_text.h"
#include "host/cli/trigger_options.h"
#include "host/cli/verbs.h"

namespace perdure::cli {
namespace {

using store::Result;

struct Options : ClientOptions, TriggerOptions {
  std::string task;
  bool wait = false;
};

// The request's body. kInvalid: the command line is wrong.
Result<std::string> body_of(const Options& options, Console& console) {
  const auto payload = payload_json(options, console);
  if (!payload) return payload.status();
  const auto given = options_json(options, console);
  if (!given) return given.status();
  std::string body = payload->empty() ? "{" : "{\"payload\":" + *payload + ",";
  body += R"("options":{"payloadType":"application/json")";
  return body + (*given == "{}" ? "" : ",") + given->substr(1) + "}";
}

int wait_for(Client& client, Console& console, const Options& options, const std::string& id) {
  Following following(client, console, id);
  const bool color = color_err(console);
  const auto document = following.to_end([&](const JsonView& entry) { print_log_entry(console.err, color, entry); });
  if (!document) {
    const int status = client.report();
    console.err << id << " was accepted and goes on; see how with: perdure runs watch " << id << "\n";
    return status;
  }
  const JsonView run(*document);
  const std::string status = run["status"].text();
  if (options.json) {
    console.out << indented(run.raw()) << "\n";
  } else if (status == "COMPLETED") {
    console.out << (console.out_is_terminal ? printable(indented(run["output"].raw()))
                                            : std::string(run["output"].raw()))
                << "\n";
  }
  if (status == "COMPLETED") return kDone;
  console.err << styled(color, style_of(status), id + " " + status) << " after " << run["attemptCount"].text()
              << (run["attemptCount"].number() == 1 ? " attempt\n" : " attempts\n");
  print_error(console.err, color, run["error"]);
  return kFailed;
}

int trigger(const Options& options, Console& console) {
  const auto body = body_of(options, console);
  if (!body) {
    console.err << styled(color_err(console), Style::kRed, "perdure:") << " " << printable(body.status().message())
                << "\n";
    return kWrongUsage;
  }
  Client client(console, options);
  const auto answer = client.post("/api/v1/tasks/" + percent_encoded(options.task) + "/trigger", body.value());
  if (!answer) return client.report();
  const JsonView triggered(*answer);
  const std::string id = triggered["id"].text();
  if (options.wait) {
    if (console.err_is_terminal) {
      console.err << styled(color_err(console), Style::kDim,
                            id + (triggered["isCached"].is_true() ? " (as before)" : ""))
                  << "\n";
    }
    return wait_for(client, console, options, id);
  }
  console.out << (options.json ? indented(triggered.raw()) : id) << "\n";
  if (triggered["isCached"].is_true() && !options.json && console.err_is_terminal) {
    console.err << "This idempotency key had a run already; no new one was created.\n";
  }
  return kDone;
}

}  // namespace

void add_trigger(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = *parent.add_subcommand("trigger", "Create a run of a task, and with --wait follow it to its end");
  verb.add_option("TASK", options->task, "The task's id")->required();
  verb.add_option("PAYLOAD", options->payload, "JSON, @FILE, or - for standard input; null unless given");
  verb.add_flag("--wait", options->wait, "Follow the logs and print the output; status 1 unless it completes");
  add_trigger_options(verb, *options);
  add_debounce_options(verb, *options);
  add_client_options(verb, *options);
  verb.footer(
      "Examples:\n"
      "  perdure trigger hello-world '{\"name\":\"Ada\"}' --wait\n"
      "  perdure trigger report @report.json --delay 1h --tag customer:7 --idempotency-key report-7");
  verb.callback([options, &console, &exit_status] { exit_status = trigger(*options, console); });
}

}  // namespace perdure::cli
