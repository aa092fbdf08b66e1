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

// "global on_complete" of a plugin that has such hooks, "of audit" of one around whose tasks another's stand.
std::string hooks_in_force(const JsonView& plugin) {
  std::string own, others;
  for (const JsonView& hook : plugin["globalHooks"].items()) own += (own.empty() ? "global " : ", ") + hook.text();
  for (const JsonView& other : plugin["surroundedBy"].items()) others += (others.empty() ? "of " : ", ") + other.text();
  return own + (own.empty() || others.empty() ? "" : "; ") + others;
}

int list(const ClientOptions& options, Console& console) {
  Client client(console, options);
  const auto answer = client.get("/perdure/v1/plugins");
  if (!answer) return client.report();
  const std::vector<JsonView> plugins = JsonView(*answer)["data"].items();
  const bool hooks = std::ranges::any_of(plugins, [](const JsonView& each) { return !hooks_in_force(each).empty(); });
  std::vector<std::string> columns{"PLUGIN", "VERSION", "NUMBER", "STATE", "TASKS"};
  if (hooks) columns.emplace_back("HOOKS");
  columns.insert(columns.end(), {"FILE", "WHY"});
  Table table(columns);
  for (const JsonView& plugin : plugins) {
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
    std::vector<Cell> row{{plugin["name"].text(), Style::kBold},
                          {plugin["version"].text()},
                          {plugin["versionNumber"].text()},
                          {state, state == "serving"                            ? Style::kGreen
                                  : state == "refused" || state == "quarantine" ? Style::kRed
                                                                                : Style::kDim},
                          {std::to_string(plugin["tasks"].items().size())}};
    if (hooks) row.push_back({hooks_in_force(plugin)});
    row.push_back({plugin["file"].text()});
    row.push_back({why});
    table.add(std::move(row));
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
