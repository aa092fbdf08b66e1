#include "host/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <ostream>
#include <string>
#include <vector>

namespace perdure::cli {
namespace {

// The verb that was reached when reading stopped, and the words before it: "perdure runs" for "runs list".
struct Reached {
  const CLI::App* verb;
  std::string before;
};

Reached reached(const CLI::App& app) {
  Reached at{&app, ""};
  for (auto inner = app.get_subcommands(); !inner.empty(); inner = at.verb->get_subcommands()) {
    at.before += (at.before.empty() ? "" : " ") + at.verb->get_name();
    at.verb = inner.front();
  }
  return at;
}

// What was wrong, in CLI11's words but where it only says that a verb is missing.
std::string complaint(const CLI::App& at, const CLI::ParseError& error) {
  const std::vector<const CLI::App*> verbs =
      at.get_subcommands([](const CLI::App* each) { return !each->get_group().empty(); });
  if (verbs.empty() || dynamic_cast<const CLI::RequiredError*>(&error) == nullptr) return error.what();
  const std::vector<std::string> unknown = at.remaining();
  std::string text = unknown.empty() ? "a verb is missing:" : "there is no verb \"" + unknown.front() + "\", only";
  for (const CLI::App* each : verbs) text += (each == verbs.front() ? " " : ", ") + each->get_name();
  return text;
}

// No argument is empty: an unset shell variable is not taken for an option that was left out.
void refuse_empty_values(CLI::App& app) {
  const auto check = [](const std::string& given) { return given.empty() ? "its value is empty" : std::string(); };
  for (CLI::Option* option : app.get_options()) {
    if (option->get_expected_max() > 0) option->check(check);
  }
  for (CLI::App* verb : app.get_subcommands({})) refuse_empty_values(*verb);
}

}  // namespace

std::span<const AddVerb> client_verbs() {
  static constexpr std::array kVerbs{add_trigger,     add_runs,  add_bulk,      add_batches, add_queues,      add_keys,
                                     add_idempotency, add_tasks, add_schedules, add_tokens,  add_plugins_list};
  return kVerbs;
}

int run(std::vector<std::string> arguments, Console& console, std::span<const AddVerb> verbs) {
  CLI::App app("Perdure: a host for durable tasks written in native code", "perdure");
  app.set_version_flag("--version", "perdure " PERDURE_VERSION);
  app.require_subcommand(1);
  app.get_formatter()->label("SUBCOMMAND", "VERB");
  app.get_formatter()->label("Subcommands", "Verbs");
  app.get_formatter()->label("TEXT", "");
  app.footer(
      "perdure VERB --help says more, with an example. Exit status: 0 done, 1 the run or the request failed, "
      "2 wrong usage, 3 no host reachable.");
  int exit_status = kDone;
  for (const AddVerb add : verbs) add(app, console, exit_status);
  refuse_empty_values(app);
  std::ranges::reverse(arguments);  // as CLI11 wants them
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::CallForVersion& version) {
    console.out << version.what() << "\n";
  } catch (const CLI::Success&) {  // --help
    const Reached at = reached(app);
    console.out << at.verb->help(at.before);
  } catch (const CLI::ParseError& error) {
    const Reached at = reached(app);
    console.err << styled(color_err(console), Style::kRed, "perdure:") << " " << printable(complaint(*at.verb, error))
                << "\nSee `" << (at.before.empty() ? "" : at.before + " ") << at.verb->get_name() << " --help`.\n";
    return kWrongUsage;
  }
  if (!console.out.flush()) {
    console.err << "perdure: the output could not be written\n";
    return kFailed;
  }
  return exit_status;
}

}  // namespace perdure::cli
