// perdure plugins rollback NAME and perdure plugins release NAME: what people do about a version that turned out bad.
#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "host/cli/client.h"
#include "host/cli/run_text.h"
#include "host/cli/verbs.h"

namespace perdure::cli {
namespace {

struct Options : ClientOptions {
  std::string plugin, to;
};

std::string path_of(const Options& options, const char* action) {
  return "/perdure/v1/plugins/" + percent_encoded(options.plugin) + "/" + action;
}

int roll_back(const Options& options, Console& console) {
  Client client(console, options);
  const std::string body = options.to.empty() ? "{}" : "{\"to\":" + json_string(options.to) + "}";
  const auto answer = client.post(path_of(options, "rollback"), body);
  if (!answer) return client.report();
  const JsonView version(*answer);
  if (options.json) {
    console.out << indented(version.raw()) << "\n";
  } else {
    console.out << printable(version["name"].text() + " " + version["versionNumber"].text())
                << " serves from now on, until its file changes\n";
  }
  return kDone;
}

int release(const Options& options, Console& console) {
  Client client(console, options);
  const auto answer = client.post(path_of(options, "release"), "");
  if (!answer) return client.report();
  const JsonView released(*answer);
  if (options.json) {
    console.out << indented(released.raw()) << "\n";
    return kDone;
  }
  const auto tasks = released["released"].items();
  for (const JsonView& task : tasks) console.out << printable(task.text()) << " is released: its runs go on\n";
  if (tasks.empty()) {
    console.out << "No task of " << printable(options.plugin) << " was held; what is refused of it is loaded again.\n";
  }
  return kDone;
}

CLI::App& verb_for_plugin(CLI::App& parent, const char* name, const char* what, Options& options) {
  CLI::App& verb = *plugins_of(parent).add_subcommand(name, what);
  verb.add_option("NAME", options.plugin, "The plugin, by its name or its file's")->required();
  add_client_options(verb, options);
  return verb;
}

}  // namespace

void add_plugins_control(CLI::App& parent, Console& console, int& exit_status) {
  auto back = std::make_shared<Options>();
  CLI::App& rollback = verb_for_plugin(parent, "rollback", "Let the version before serve again", *back);
  rollback.add_option("--to", back->to, "That version instead: its number, or the beginning of its content hash");
  rollback.footer(
      "Runs that began on the present version stay on it. The next change of the plugin's file ends the rollback.\n\n"
      "Example:\n  perdure plugins rollback greetings --to 20261123.2");
  rollback.callback([back, &console, &exit_status] { exit_status = roll_back(*back, console); });

  auto held = std::make_shared<Options>();
  CLI::App& verb =
      verb_for_plugin(parent, "release", "End a plugin's quarantine, or load again what is refused", *held);
  verb.footer("Example:\n  perdure plugins release greetings");
  verb.callback([held, &console, &exit_status] { exit_status = release(*held, console); });
}

}  // namespace perdure::cli
