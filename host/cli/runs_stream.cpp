// perdure runs stream ID [NAME]: what a run has appended to one of its streams, and with --follow what it appends from
// now on; without a name, which streams it has.
#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "host/cli/client.h"
#include "host/cli/following.h"
#include "host/cli/table.h"
#include "host/cli/verbs.h"

namespace perdure::cli {
namespace {

constexpr std::size_t kPage = 1000;

struct Options : ClientOptions {
  std::string id;
  std::string name;
  bool follow = false;
};

int list(const Options& options, Client& client, Console& console) {
  const auto answer = client.get("/perdure/v1/runs/" + percent_encoded(options.id) + "/streams");
  if (!answer) return client.report();
  const JsonView streams(*answer);
  if (options.json) {
    console.out << indented(streams.raw()) << "\n";
    return kDone;
  }
  Table table({"STREAM", "CHUNKS", "BYTES"});
  for (const JsonView& stream : streams["data"].items()) {
    table.add({{stream["name"].text()}, {stream["chunks"].text()}, {stream["bytes"].text()}});
  }
  table.print(console);
  return kDone;
}

int stream(const Options& options, Console& console) {
  Client client(console, options);
  if (options.name.empty()) return list(options, client, console);
  const std::string what = "streams/" + percent_encoded(options.name);
  const auto print = [&](const JsonView& chunk) {
    if (options.json) {
      console.out << chunk.raw() << std::endl;
    } else {
      const std::string text = chunk["text"].text();
      console.out << (console.out_is_terminal ? printable(text) : text) << std::flush;
    }
  };
  if (options.follow) return Following(client, console, options.id, what).to_end(print) ? kDone : client.report();

  long long after = 0;
  for (;;) {
    const auto answer = client.get("/perdure/v1/runs/" + percent_encoded(options.id) + "/" + what +
                                   "?limit=" + std::to_string(kPage) + "&after=" + std::to_string(after));
    if (!answer) return client.report();
    const JsonView page(*answer);
    for (const JsonView& chunk : page["data"].items()) print(chunk);
    if (!page["pagination"]["next"]) return kDone;
    after = page["pagination"]["next"].number();
  }
}

}  // namespace

void add_runs_stream(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = *parent.add_subcommand("stream", "Print what a run has appended to a stream, or list its streams");
  verb.add_option("ID", options->id, "The run's id, run_…")->required();
  verb.add_option("NAME", options->name, "The stream's name; without it the run's streams are listed");
  verb.add_flag("-f,--follow", options->follow, "Go on until the run is final");
  add_client_options(verb, *options);
  verb.footer("Example:\n  perdure runs stream run_06bq2mtf8k3v1c9h5e7n4x0a2 lines --follow");
  verb.callback([options, &console, &exit_status] { exit_status = stream(*options, console); });
}

}  // namespace perdure::cli
