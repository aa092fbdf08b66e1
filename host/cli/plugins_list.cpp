// perdure plugins list: the files in the host's plugin directory and what became of them.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <ostream>

#include "host/cli/client.h"
#include "host/cli/run_text.h"
#include "host/cli/table.h"
#include "host/cli/verbs.h"

namespace perdure::cli {
namespace {

int list(const ClientOptions& options, Console& console) {
  Client client(console, options);
  const auto answer = client.get("/perdure/v1/plugins");
  if (!answer) return client.report();
  Table table({"PLUGIN", "VERSION", "NUMBER", "STATE", "TASKS", "FILE", "WHY"});
  for (const JsonView& plugin : JsonView(*answer)["data"].items()) {
    if (options.json) {
      console.out << plugin.raw() << "\n";
      continue;
    }
    std::string state = plugin["state"].text();
    std::string why = plugin["reason"].text();
    why.resize(std::min(why.find('\n'), why.size()));  // without the backtrace of a crash
    for (const JsonView& held : plugin["quarantine"].items()) {
      state = "quarantine";
      why += (why.empty() ? "" : "; ") + held["task"].text() + ": " + held["reason"].text();
    }
    for (const JsonView& warning : plugin["warnings"].items()) why += (why.empty() ? "" : "; ") + warning.text();
    table.add({{plugin["name"].text(), Style::kBold},
               {plugin["version"].text()},
               {plugin["versionNumber"].text()},
               {state, state == "serving"                            ? Style::kGreen
                       : state == "refused" || state == "quarantine" ? Style::kRed
                                                                     : Style::kDim},
               {std::to_string(plugin["tasks"].items().size())},
               {plugin["file"].text()},
               {why}});
  }
  if (options.json) return kDone;
  if (!table.empty()) {
    table.print(console);
  } else if (console.out_is_terminal) {
    console.out << "No plugins: put one into the host's plugin directory (see `perdure serve --print-config`).\n";
  }
  return kDone;
}

}  // namespace

CLI::App& plugins_of(CLI::App& parent) {
  const auto there = parent.get_subcommands([](const CLI::App* verb) { return verb->get_name() == "plugins"; });
  if (!there.empty()) return *there.front();
  CLI::App& plugins = *parent.add_subcommand("plugins", "List the host's plugins, check a plugin file");
  plugins.require_subcommand(1);
  return plugins;
}

void add_plugins_list(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<ClientOptions>();
  CLI::App& verb = *plugins_of(parent).add_subcommand("list", "List the plugins of the host, and why one is refused");
  add_client_options(verb, *options);
  verb.footer("Example:\n  perdure plugins list");
  verb.callback([options, &console, &exit_status] { exit_status = list(*options, console); });
}

}  // namespace perdure::cli
