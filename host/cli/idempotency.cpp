// perdure idempotency reset TASK KEY: the next trigger of the task with the key makes a run again.
#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "host/cli/client.h"
#include "host/cli/json_view.h"
#include "host/cli/verbs.h"

namespace perdure::cli {
namespace {

struct Options : ClientOptions {
  std::string task, key;
};

int reset(const Options& options, Console& console) {
  Client client(console, options);
  const auto answer = client.post("/api/v1/idempotencyKeys/" + percent_encoded(options.key) + "/reset",
                                  "{\"taskIdentifier\":" + json_string(options.task) + "}");
  if (!answer) return client.report();
  if (options.json) {
    console.out << indented(*answer) << "\n";
  } else {
    console.out << printable(options.key) << " is free: the next trigger of " << options.task
                << " with it makes a run\n";
  }
  return kDone;
}

}  // namespace

void add_idempotency(CLI::App& parent, Console& console, int& exit_status) {
  CLI::App& keys = *parent.add_subcommand("idempotency", "Free idempotency keys");
  keys.require_subcommand(1);
  auto options = std::make_shared<Options>();
  CLI::App& verb = *keys.add_subcommand("reset", "Free a task's idempotency key, whatever becomes of its run");
  verb.add_option("TASK", options->task, "The task's id")->required();
  verb.add_option("KEY", options->key,
                  "The key as it was sent; the JavaScript client sends the SHA-256 of what was written")
      ->required();
  add_client_options(verb, *options);
  verb.footer("Example:\n  perdure idempotency reset report report-7");
  verb.callback([options, &console, &exit_status] { exit_status = reset(*options, console); });
}

}  // namespace perdure::cli
