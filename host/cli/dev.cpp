// perdure dev DIR: builds a plugin's project whenever its sources change, lets a host serve what was built, and follows
// the plugin's runs.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <ostream>
#include <system_error>

#include "host/cli/client.h"
#include "host/cli/dev_host.h"
#include "host/cli/dev_session.h"
#include "host/cli/json_view.h"
#include "host/cli/verbs.h"

namespace perdure::cli {
namespace {

namespace fs = std::filesystem;

struct Options : ClientOptions {
  std::string directory = ".";
  std::string plugins;
  std::string build;
  std::string listen;
};

int complain(Console& console, const std::string& what, int exit_status) {
  console.err << styled(color_err(console), Style::kRed, "perdure:") << " " << printable(what) << "\n";
  return exit_status;
}

// A host that is there: one that was named, or that answers where one usually does. It may be our own of an earlier
// time, whose key is in the project.
std::unique_ptr<Client> find_host(const ClientOptions& given, const fs::path& project, Console& console,
                                  std::optional<std::string>& status) {
  auto client = std::make_unique<Client>(console, given);
  status = client->get("/perdure/v1/status");
  ClientOptions own = given;
  own.data = (project / ".perdure/data").string();
  std::error_code ignored;
  if (!status && given.data.empty() && !client->broke_off() && fs::exists(own.data + "/secret", ignored)) {
    auto ours = std::make_unique<Client>(console, own);
    if ((status = ours->get("/perdure/v1/status"))) return ours;
  }
  return client;
}

int dev(const Options& options, Console& console) {
  std::error_code failed;
  DevProject project;
  project.directory = fs::canonical(options.directory, failed);
  if (failed || !fs::is_directory(project.directory, failed)) {
    return complain(console, options.directory + " is no directory; name a plugin's project", kWrongUsage);
  }
  project.build = options.build;

  DevHost own;
  std::unique_ptr<Client> client;
  std::optional<std::string> status;
  if (options.listen.empty()) {
    client = find_host(options, project.directory, console, status);
    const bool named = !options.url.empty() || console.environment("PERDURE_URL").has_value();
    if (!status && (named || !client->broke_off())) return client->report();
  }
  if (status) {
    project.plugins = options.plugins.empty() ? JsonView(*status)["plugins"].text() : options.plugins;
    if (project.plugins.empty())
      return complain(console, "the host does not say where plugins go: --plugins DIR", kFailed);
    if (!fs::is_directory(project.plugins, failed)) {
      return complain(console,
                      project.plugins.string() +
                          " is no directory here; perdure dev works on the machine of the host, whose plugin directory "
                          "it writes to",
                      kFailed);
    }
    console.out << "plugins go to " << printable(project.plugins.string()) << "\n";
  } else {
    hold_stop_signals();
    const std::string listen = options.listen.empty() ? "127.0.0.1:3030" : options.listen;
    if (const store::Status started = own.start(project.directory, listen); !started) {
      return complain(console, started.message(), kFailed);
    }
    project.plugins = options.plugins.empty() ? own.plugins() : fs::path(options.plugins);
    ClientOptions ours;
    ours.url = own.url();
    ours.data = own.data();
    client = std::make_unique<Client>(console, ours);
    console.out << "started a host at " << own.url() << "; in another terminal: perdure trigger TASK --wait --url "
                << own.url() << " --data " << printable(own.data()) << "\n";
  }
  console.out.flush();
  return dev_session(project, *client, own, console);
}

}  // namespace

void add_dev(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = *parent.add_subcommand("dev", "Build and reload a plugin whenever its sources change");
  verb.add_option("DIR", options->directory, "The plugin's project, as `perdure new` makes one [.]");
  verb.add_option("--plugins", options->plugins, "Where plugins go, instead of the host's own plugin directory")
      ->type_name("DIR");
  verb.add_option("--build", options->build,
                  "The shell command that builds it, in DIR, instead of CMake into DIR/build")
      ->type_name("COMMAND");
  CLI::Option* const listen =
      verb.add_option("--listen", options->listen, "Start a host for this at ADDR:PORT, whether one runs or not")
          ->type_name("ADDR:PORT");
  add_client_options(verb, *options);
  verb.remove_option(verb.get_option("--json"));
  listen->excludes(verb.get_option("--url"))->excludes(verb.get_option("--data"));
  verb.footer(
      "Every file *.so below DIR that is a plugin is put into the plugin directory of the host, which reloads it, and\n"
      "the log and the end of each run of its tasks is shown. A build that fails, or a plugin that is refused, "
      "changes\n"
      "nothing: what served goes on serving. Where no host runs, one is started, with its data in DIR/.perdure, and\n"
      "ended with this. Ctrl-C ends.\n\n"
      "Examples:\n"
      "  perdure dev my-plugin\n"
      "  perdure dev --build 'cargo build' --plugins /opt/plugins");
  verb.callback([options, &console, &exit_status] { exit_status = dev(*options, console); });
}

}  // namespace perdure::cli
