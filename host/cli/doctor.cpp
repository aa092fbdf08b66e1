// perdure doctor: whether a host can work here, and work well, with the configuration it would have.
#include "host/cli/doctor.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <ostream>

#include "host/cli/configuration.h"
#include "host/cli/json_view.h"
#include "host/cli/table.h"
#include "host/cli/verbs.h"

namespace perdure::cli {
namespace {

struct Options {
  std::string config;
  std::map<std::string, std::string> values;
  bool json = false;
};

std::string_view word(Grade grade) {
  switch (grade) {
    case Grade::kGood:
      return "ok";
    case Grade::kWarning:
      return "warning";
    case Grade::kBad:
      return "bad";
  }
  return "";
}

Style style_of(Grade grade) {
  return grade == Grade::kGood ? Style::kGreen : grade == Grade::kWarning ? Style::kYellow : Style::kRed;
}

void print_json(const Findings& findings, bool sound, Console& console) {
  std::string json = std::string("{\"ok\":") + (sound ? "true" : "false") + ",\"checks\":[";
  for (const Finding& each : findings) {
    if (&each != &findings.front()) json += ',';
    json += "{\"subject\":" + json_string(each.subject) + ",\"grade\":\"" + std::string(word(each.grade)) +
            "\",\"found\":" + json_string(each.found);
    if (!each.advice.empty()) json += ",\"advice\":" + json_string(each.advice);
    json += '}';
  }
  console.out << indented(json + "]}") << "\n";
}

void print(const Findings& findings, Console& console) {
  Table table({"SUBJECT", "", "FOUND"});
  for (const Finding& each : findings) {
    table.add({{each.subject, Style::kBold}, {std::string(word(each.grade)), style_of(each.grade)}, {each.found}});
    if (!each.advice.empty()) table.add({{""}, {""}, {"-> " + each.advice}});
  }
  table.print(console);
}

int examine(const Options& options, Console& console) {
  Findings findings;
  const auto loaded = config::load(configuration_sources(options.config, options.values, console));
  if (!loaded) {
    findings.push_back(
        {"configuration", Grade::kBad, loaded.status().message(), "correct it; nothing else was looked at"});
  } else {
    const config::Config& config = loaded->config;
    examine_data(config, findings);
    examine_space(config, findings);
    examine_store(config, console, findings);
    examine_plugins(config, findings);
    examine_memory(config, findings);
    examine_limits(config, findings);
    examine_processes(findings);
  }
  const bool sound = std::ranges::none_of(findings, [](const Finding& each) { return each.grade == Grade::kBad; });
  if (options.json) {
    print_json(findings, sound, console);
  } else {
    print(findings, console);
  }
  return sound ? kDone : kFailed;
}

}  // namespace

void add_doctor(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = *parent.add_subcommand("doctor", "Check whether a host can work here, and work well");
  verb.add_option("--plugins", options->values["host.plugins"], "The plugin directory")->type_name("DIR");
  verb.add_option("--data", options->values["host.data"], "The data directory")->type_name("DIR");
  verb.add_option("--config", options->config, "The configuration, found as by `perdure serve`")->type_name("FILE");
  verb.add_flag("--json", options->json, "Print one JSON document");
  verb.footer(
      "Looks at the configuration that `perdure serve` would have, and at the host that runs on it, if one does.\n"
      "Status 0: nothing is bad (there may be warnings), 1: something is.\n\n"
      "Example:\n  perdure doctor --data ./data --plugins ./plugins");
  verb.callback([options, &console, &exit_status] { exit_status = examine(*options, console); });
}

}  // namespace perdure::cli
