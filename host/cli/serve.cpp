// perdure serve: runs a host in the foreground until it is told to stop.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>
#include <string_view>

#include "host/cli/configuration.h"
#include "host/cli/serve_host.h"
#include "host/cli/verbs.h"
#include "host/telemetry/log.h"

namespace perdure::cli {
namespace {

struct Options {
  std::string config;
  std::map<std::string, std::string> values;  // by key, such as "host.listen"
  bool print_config = false;
  bool repair = false;
};

std::vector<std::string> variable_names() {
  std::vector<std::string> names;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    names.emplace_back(text.substr(0, text.find('=')));
  }
  return names;
}

int complain(Console& console, const std::string& why) {
  console.err << styled(color_err(console), Style::kRed, "perdure:") << " " << printable(why) << "\n";
  return kWrongUsage;
}

int serve(const Options& options, Console& console) {
  const config::Sources sources = configuration_sources(options.config, options.values, console);
  const auto loaded = config::load(sources);
  if (!loaded) return complain(console, loaded.status().message());
  if (options.print_config) {
    console.out << "# " << (sources.file ? "with " + *sources.file : std::string("no perdure.toml was found")) << "\n\n"
                << loaded->shown;
    return kDone;
  }
  const auto log = telemetry::log_options(loaded->config.telemetry.level, loaded->config.telemetry.format);
  if (!log) return complain(console, log.status().message());
  telemetry::set_up(log.value());
  for (const std::string& warning : config::unknown_variables(variable_names())) telemetry::log().warn("{}", warning);
  if (sources.file) telemetry::log().info("configuration: {}", *sources.file);
  return serve_host(loaded->config, options.repair, console);
}

}  // namespace

void add_serve(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = *parent.add_subcommand("serve", "Run the host");
  const auto value = [&](const char* flag, const char* key, const char* type, const char* what) {
    verb.add_option(flag, options->values[key], what)->type_name(type);
  };
  value("--plugins", "host.plugins", "DIR", "Where plugins are dropped");
  value("--data", "host.data", "DIR", "Where runs, keys and copies of plugins are kept");
  value("--listen", "host.listen", "ADDR:PORT", "Where clients come; loopback unless a key is configured");
  value("--concurrency", "host.concurrency", "N", "Attempts executing at once");
  value("--memory", "host.memory", "BYTES", "Memory of all attempts' machines together, such as 8GiB");
  value("--drain-timeout", "host.drain_timeout", "TIME", "How long attempts may go on after SIGTERM");
  value("--drain", "host.drain", "HOW", "What then: leave them to the next host, cancel them, or wait, however long");
  value("--log-level", "telemetry.level", "LEVEL", "trace, debug, info, warn or error");
  value("--log-format", "telemetry.format", "FORMAT", "auto, text or json");
  verb.add_option("--config", options->config, "The configuration [PERDURE_CONFIG, else perdure.toml, if there is one]")
      ->type_name("FILE");
  verb.add_flag("--print-config", options->print_config, "Print the effective configuration and where it came from");
  verb.add_flag("--repair", options->repair, "Open a damaged store up to the damage, losing what came after it");
  verb.footer(
      "Flags win over the environment (PERDURE_LISTEN, …), which wins over perdure.toml.\n"
      "The data directory is /var/lib/perdure for root, else ~/.local/state/perdure, unless named.\n"
      "SIGTERM ends the host once its attempts have ended or its patience has; a second one at once. Status 0: all "
      "had\n"
      "ended, 4: some go on without a host and are the next one's, 1: some were cut off (their runs are queued again) "
      "or\n"
      "the host could not start, 74: the store is damaged.\n\n"
      "Example:\n  perdure serve --plugins ./plugins --data ./data");
  verb.callback([options, &console, &exit_status] { exit_status = serve(*options, console); });
}

}  // namespace perdure::cli
