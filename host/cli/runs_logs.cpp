// perdure runs logs ID: what a run has logged, and with --follow what it logs from now on.
#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "host/cli/client.h"
#include "host/cli/following.h"
#include "host/cli/run_text.h"
#include "host/cli/verbs.h"

namespace perdure::cli {
namespace {

constexpr std::size_t kPage = 1000;

struct Options : ClientOptions {
  std::string id;
  bool follow = false;
};

int logs(const Options& options, Console& console) {
  Client client(console, options);
  const auto print = [&](const JsonView& entry) {
    if (options.json) {
      console.out << entry.raw() << std::endl;
    } else {
      print_log_entry(console.out, color_out(console), entry);
    }
  };
  if (options.follow) return Following(client, console, options.id).to_end(print) ? kDone : client.report();

  long long after = 0;
  for (;;) {
    const auto answer = client.get("/perdure/v1/runs/" + percent_encoded(options.id) +
                                   "/logs?limit=" + std::to_string(kPage) + "&after=" + std::to_string(after));
    if (!answer) return client.report();
    const JsonView page(*answer);
    for (const JsonView& entry : page["data"].items()) print(entry);
    if (!page["pagination"]["next"]) return kDone;
    after = page["pagination"]["next"].number();
  }
}

}  // namespace

void add_runs_logs(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = *parent.add_subcommand("logs", "Print what a run has logged");
  verb.add_option("ID", options->id, "The run's id, run_…")->required();
  verb.add_flag("-f,--follow", options->follow, "Go on until the run is final");
  add_client_options(verb, *options);
  verb.footer("Example:\n  perdure runs logs run_06bq2mtf8k3v1c9h5e7n4x0a2 --follow");
  verb.callback([options, &console, &exit_status] { exit_status = logs(*options, console); });
}

}  // namespace perdure::cli
