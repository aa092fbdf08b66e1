// perdure tasks list|get: what can be triggered now.
#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "host/cli/client.h"
#include "host/cli/run_text.h"
#include "host/cli/table.h"
#include "host/cli/verbs.h"

namespace perdure::cli {
namespace {

struct Options : ClientOptions {
  std::string id;
};

int list(const Options& options, Console& console) {
  Client client(console, options);
  const auto answer = client.get("/perdure/v1/tasks");
  if (!answer) return client.report();
  Table table({"TASK", "PLUGIN", "DESCRIPTION"});
  for (const JsonView& task : JsonView(*answer)["data"].items()) {
    if (options.json) {
      console.out << task.raw() << "\n";
    } else {
      table.add({{task["id"].text(), Style::kBold}, {task["plugin"].text()}, {task["description"].text()}});
    }
  }
  if (options.json) return kDone;
  if (!table.empty()) {
    table.print(console);
  } else if (console.out_is_terminal) {
    console.out
        << "No tasks: put a plugin into the host's plugin directory; `perdure plugins list` says what is there.\n";
  }
  return kDone;
}

int get(const Options& options, Console& console) {
  Client client(console, options);
  const auto answer = client.get("/perdure/v1/tasks/" + percent_encoded(options.id));
  if (!answer) return client.report();
  const JsonView task(*answer);
  if (options.json) {
    console.out << indented(task.raw()) << "\n";
    return kDone;
  }
  const bool color = color_out(console);
  for (const auto& [name, value] : task.members()) {
    if (!value) continue;
    const bool deep = value.raw().starts_with('{') || value.raw().starts_with('[');
    console.out << styled(color, Style::kDim, printable(name)) << (deep ? "\n" : "  ")
                << printable(deep ? indented(value.raw()) : value.text()) << "\n";
  }
  return kDone;
}

}  // namespace

void add_tasks(CLI::App& parent, Console& console, int& exit_status) {
  CLI::App& tasks = *parent.add_subcommand("tasks", "List and show the tasks that can be triggered");
  tasks.require_subcommand(1);
  add_tasks_list(tasks, console, exit_status);
  add_tasks_get(tasks, console, exit_status);
}

void add_tasks_list(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = *parent.add_subcommand("list", "List the tasks that the loaded plugins offer");
  add_client_options(verb, *options);
  verb.footer("Example:\n  perdure tasks list");
  verb.callback([options, &console, &exit_status] { exit_status = list(*options, console); });
}

void add_tasks_get(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = *parent.add_subcommand("get", "Show a task: its options, payload schema, plugin");
  verb.add_option("TASK", options->id, "The task's id")->required();
  add_client_options(verb, *options);
  verb.footer("Example:\n  perdure tasks get hello-world --json");
  verb.callback([options, &console, &exit_status] { exit_status = get(*options, console); });
}

}  // namespace perdure::cli
