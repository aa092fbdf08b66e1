// perdure trigger TASK [PAYLOAD|@FILE|-]: creates a run, and with --wait follows it to its end.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <ostream>

#include "host/cli/client.h"
#include "host/cli/following.h"
#include "host/cli/run_text.h"
#include "host/cli/verbs.h"
#include "store/model/duration.h"
#include "store/model/json_text.h"

namespace perdure::cli {
namespace {

using store::Result;
using store::Status;

struct Options : ClientOptions {
  std::string task;
  bool wait = false;
  std::string delay, ttl, queue, concurrency_key, idempotency_key, metadata, machine, max_duration;
  std::optional<std::string> payload;
  std::optional<double> priority;
  std::optional<unsigned> max_attempts;
  std::vector<std::string> tags;
};

// The text itself, the file that "@FILE" names, or standard input for "-".
Result<std::string> text_of(const std::string& argument, Console& console) {
  if (argument == "-") return std::string(std::istreambuf_iterator<char>(console.in), {});
  if (!argument.starts_with('@')) return argument;
  std::ifstream file(argument.substr(1), std::ios::binary);
  std::error_code ignored;
  if (!file.is_open() || std::filesystem::is_directory(argument.substr(1), ignored)) {
    return Status::invalid("cannot read the file " + argument.substr(1));
  }
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// The request's body. kInvalid: the command line is wrong.
Result<std::string> body_of(const Options& options, Console& console) {
  std::string body = "{";
  if (options.payload) {
    const auto payload = text_of(*options.payload, console);
    if (!payload) return payload.status();
    if (const Status json = store::check_json(payload.value(), store::kPayloadLimits, "the payload"); !json) {
      return Status::invalid(json.message() + "; give JSON (a string as '\"text\"'), @FILE, or - for standard input");
    }
    body += "\"payload\":" + json_string(payload.value()) + ",";
  }
  body += R"("options":{"payloadType":"application/json")";
  const auto text = [&](const char* name, const std::string& value) {
    if (!value.empty()) body += std::string(",\"") + name + "\":" + json_string(value);
  };
  text("delay", options.delay);
  text("ttl", options.ttl);
  text("concurrencyKey", options.concurrency_key);
  text("idempotencyKey", options.idempotency_key);
  text("machine", options.machine);
  if (!options.queue.empty()) body += ",\"queue\":{\"name\":" + json_string(options.queue) + "}";
  if (options.priority && std::isnan(*options.priority))
    return Status::invalid("--priority: expected seconds, not nan");
  if (options.priority) body += ",\"priority\":" + fmt::format("{}", *options.priority);
  if (options.max_attempts) body += ",\"maxAttempts\":" + std::to_string(*options.max_attempts);
  if (!options.max_duration.empty()) {
    const auto duration = options.max_duration == "none" ? store::Result<store::Duration>(store::Duration(0))
                                                         : store::parse_ttl(options.max_duration);
    if (!duration) return Status::invalid("--max-duration: " + duration.status().message());
    body += ",\"maxDuration\":" + std::to_string(duration.value().count() / 1000);
  }
  if (!options.metadata.empty()) {
    const auto metadata = text_of(options.metadata, console);
    if (!metadata) return Status::invalid("--metadata: " + metadata.status().message());
    const Status json = store::check_json(metadata.value(), store::kPayloadLimits, "the metadata");
    if (!json || !JsonView(metadata.value()).raw().starts_with('{')) {
      return Status::invalid(json ? "the metadata is not a JSON object; give one, such as '{\"customer\":7}'"
                                  : json.message());
    }
    body += ",\"metadata\":" + metadata.value();
  }
  if (!options.tags.empty()) {
    body += ",\"tags\":[";
    for (const std::string& tag : options.tags) body += (body.ends_with('[') ? "" : ",") + json_string(tag);
    body += "]";
  }
  return body + "}}";
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
  verb.add_option("--delay", options->delay,
                  "Start after this long, or at this time: 90s, 1h30m, 2030-01-01T09:00:00Z");
  verb.add_option("--ttl", options->ttl, "Expire unless started within this time: 10m");
  verb.add_option("--queue", options->queue, "The queue to wait in, instead of the task's own");
  verb.add_option("--concurrency-key", options->concurrency_key, "Which copy of the queue: one for each key");
  verb.add_option("--priority", options->priority, "Seconds of head start in the queue")
      ->check(CLI::Range(0.0, 315'360'000.0));  // ten years, which the host takes at the most
  verb.add_option("--idempotency-key", options->idempotency_key, "At most one run of the task for this key");
  verb.add_option("--tag", options->tags, "A tag; repeat for more, at most 10")->allow_extra_args(false);
  verb.add_option("--metadata", options->metadata, "A JSON object, @FILE, or -");
  verb.add_option("--machine", options->machine, "The machine preset, such as small-2x");
  verb.add_option("--max-attempts", options->max_attempts, "Attempts in total, instead of the task's");
  verb.add_option("--max-duration", options->max_duration, "Longest execution of an attempt: 5m, or none");
  add_client_options(verb, *options);
  verb.footer(
      "Examples:\n"
      "  perdure trigger hello-world '{\"name\":\"Ada\"}' --wait\n"
      "  perdure trigger report @report.json --delay 1h --tag customer:7 --idempotency-key report-7");
  verb.callback([options, &console, &exit_status] { exit_status = trigger(*options, console); });
}

}  // namespace perdure::cli
