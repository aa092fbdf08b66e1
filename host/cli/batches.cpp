// perdure batches create|get: many runs of a task triggered together, and how far they are.
#include <CLI/CLI.hpp>
#include <fstream>
#include <iterator>
#include <memory>
#include <ostream>

#include "host/cli/client.h"
#include "host/cli/run_text.h"
#include "host/cli/table.h"
#include "host/cli/trigger_options.h"
#include "host/cli/verbs.h"
#include "store/model/json_members.h"
#include "store/model/json_text.h"

namespace perdure::cli {
namespace {

using store::Result;
using store::Status;

struct Options : ClientOptions, TriggerOptions {
  std::string task, payloads, id;
};

Result<std::string> lines_of(const std::string& argument, Console& console) {
  if (argument == "-") return std::string(std::istreambuf_iterator<char>(console.in), {});
  const std::string path = argument.starts_with('@') ? argument.substr(1) : argument;
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) return Status::invalid("cannot read the file " + path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

struct Items {
  std::size_t count = 0;
  std::string lines;
};

// One item for each line that is not blank, all with these options. kInvalid: the command line is wrong.
Result<Items> items_of(const Options& options, Console& console) {
  const auto text = lines_of(options.payloads, console);
  if (!text) return text.status();
  const auto given = options_json(options, console);
  if (!given) return given.status();
  const std::string rest = R"("options":{"payloadType":"application/json")" + std::string(*given == "{}" ? "" : ",") +
                           given->substr(1) + "}\n";
  Items items;
  std::string_view left = *text;
  for (std::size_t number = 1; !left.empty(); ++number) {
    const std::size_t end = std::min(left.find('\n'), left.size());
    const std::string_view line = store::trimmed(left.substr(0, end));
    left.remove_prefix(std::min(end + 1, left.size()));
    if (line.empty()) continue;
    const std::string what = "the payload in line " + std::to_string(number);
    if (const Status json = store::check_json(line, store::kPayloadLimits, what); !json) {
      return Status::invalid(json.message() + "; each line is one payload, as JSON");
    }
    items.lines += "{\"index\":" + std::to_string(items.count++) + ",\"task\":" + json_string(options.task) +
                   ",\"payload\":" + json_string(line) + "," + rest;
  }
  if (items.count == 0)
    return Status::invalid("there is no payload in " + options.payloads + ": write one in each line");
  return items;
}

int create(const Options& options, Console& console) {
  const Result<Items> items = items_of(options, console);
  if (!items) {
    console.err << styled(color_err(console), Style::kRed, "perdure:") << " " << printable(items.status().message())
                << "\n";
    return kWrongUsage;
  }
  Client client(console, options);
  const auto made = client.post("/api/v3/batches", "{\"runCount\":" + std::to_string(items->count) + "}");
  if (!made) return client.report();
  const std::string id = JsonView(*made)["id"].text();
  const auto sealed = client.post_lines("/api/v3/batches/" + id + "/items", items->lines);
  if (!sealed) return client.report();
  const auto batch = client.get("/api/v2/batches/" + id);
  if (!batch) return client.report();
  console.out << (options.json ? indented(*batch) : id) << "\n";
  const std::vector<JsonView> errors = JsonView(*batch)["processing"]["errors"].items();
  for (const JsonView& error : errors) {
    console.err << styled(color_err(console), Style::kRed, "item " + error["index"].text())
                << " made no run: " << printable(error["error"].text()) << "\n";
  }
  return errors.empty() ? kDone : kFailed;
}

int get(const Options& options, Console& console) {
  Client client(console, options);
  const auto answer = client.get("/api/v2/batches/" + percent_encoded(options.id));
  if (!answer) return client.report();
  if (options.json) {
    console.out << indented(*answer) << "\n";
    return kDone;
  }
  const JsonView batch(*answer);
  const JsonView progress = batch["progress"];
  const std::string status = batch["status"].text();
  Table table({"BATCH", "STATUS", "CREATED", "ITEMS", "UNFINISHED", "COMPLETED", "UNSUCCESSFUL"});
  table.add({{batch["id"].text()},
             {status, status == "COMPLETED"    ? Style::kGreen
                      : status == "PROCESSING" ? Style::kBlue
                                               : Style::kYellow},
             {local_time(batch["createdAt"])},
             {batch["runCount"].text()},
             {progress["unfinished"].text()},
             {progress["completed"].text()},
             {progress["unsuccessful"].text()}});
  table.print(console);
  return kDone;
}

}  // namespace

void add_batches(CLI::App& parent, Console& console, int& exit_status) {
  CLI::App& batches = *parent.add_subcommand("batches", "Trigger many runs together, and show how far they are");
  batches.require_subcommand(1);
  auto options = std::make_shared<Options>();
  CLI::App& creates = *batches.add_subcommand("create", "Trigger up to 1,000 runs of a task, all or none");
  creates.add_option("TASK", options->task, "The task's id")->required();
  creates.add_option("PAYLOADS", options->payloads, "FILE with a payload in each line, as JSON; - for standard input")
      ->required();
  add_trigger_options(creates, *options);
  creates.footer(
      "Examples:\n"
      "  perdure batches create report customers.ndjson --tag nightly\n"
      "  seq 1 100 | perdure batches create echo -");
  creates.callback([options, &console, &exit_status] { exit_status = create(*options, console); });
  CLI::App& gets = *batches.add_subcommand("get", "Show how far the runs of a batch are");
  gets.add_option("ID", options->id, "The batch's id, batch_…")->required();
  gets.footer("Example:\n  perdure batches get batch_06bq2mtf8k3v1c9h5e7n4x0a2");
  gets.callback([options, &console, &exit_status] { exit_status = get(*options, console); });
  for (CLI::App* const verb : {&creates, &gets}) add_client_options(*verb, *options);
}

}  // namespace perdure::cli
