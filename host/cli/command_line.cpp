#include "host/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <ostream>

namespace perdure::cli {
namespace {

// The verb that was reached when reading stopped: "runs list".
const CLI::App* deepest(const CLI::App* app, std::string& name) {
  for (const auto inner = app->get_subcommands(); !inner.empty();) {
    name += " " + inner.front()->get_name();
    return deepest(inner.front(), name);
  }
  return app;
}

}  // namespace

std::span<const AddVerb> client_verbs() {
  static constexpr std::array<AddVerb, 4> kVerbs{add_trigger, add_runs, add_tasks, add_plugins_list};
  return kVerbs;
}

int run(std::vector<std::string> arguments, Console& console, std::span<const AddVerb> verbs) {
  CLI::App app("Perdure: a host for durable tasks written in native code", "perdure");
  app.set_version_flag("--version", "perdure " PERDURE_VERSION);
  app.require_subcommand(1);
  app.footer(
      "perdure VERB --help says more, with an example. Exit status: 0 done, 1 the run or the request failed, "
      "2 wrong usage, 3 no host reachable.");
  int exit_status = kDone;
  for (const AddVerb add : verbs) add(app, console, exit_status);
  std::ranges::reverse(arguments);  // as CLI11 wants them
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::CallForVersion& version) {
    console.out << version.what() << "\n";
  } catch (const CLI::Success&) {  // --help
    std::string name = "perdure";
    console.out << deepest(&app, name)->help(name);
  } catch (const CLI::ParseError& error) {
    std::string name = "perdure";
    deepest(&app, name);
    console.err << styled(color_err(console), Style::kRed, "perdure:") << " " << printable(error.what()) << "\nSee `"
                << name << " --help`.\n";
    return kWrongUsage;
  }
  console.out.flush();
  return exit_status;
}

}  // namespace perdure::cli
