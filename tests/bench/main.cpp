// perdure-bench: measures the product beside the bare limits of the machine, in one run, and prints one table.
// Machines are noisy: probes that are compared are taken in turn and their medians are shown; only ratios count.
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>

#include "tests/bench/cases.h"
#include "tests/bench/clock.h"
#include "tests/bench/limits/http.h"
#include "tests/bench/process.h"

namespace {

namespace fs = std::filesystem;
using namespace perdure::bench;

// A fresh directory for all data, on the disk that is to be measured; gone with the object.
class Scratch {
 public:
  explicit Scratch(const std::string& parent) : path_((fs::absolute(parent) / "perdure-bench.XXXXXX").string()) {
    if (mkdtemp(path_.data()) == nullptr) die("creating " + path_);
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::string bin = own_directory();
  Settings settings;
  std::vector<std::string> only;
  std::string json;
  std::string parent = ".";
  std::string playground = bin + "/../plugins/playground.so";
  int repetitions = 3;
  unsigned short constant_port = 0;
  settings.product.perdure = bin + "/perdure";

  CLI::App app{
      "Measures perdure beside the bare limits of this machine and prints one table.\n"
      "Example: perdure-bench --only e2e --only latency --json bench.json"};
  app.add_option("--seconds", settings.seconds, "about that long for each timed figure")->capture_default_str();
  app.add_option("--runs", settings.runs, "runs of an end-to-end figure")->capture_default_str();
  app.add_option("--many", settings.many, "runs in the store where it is to have very many")->capture_default_str();
  app.add_option("--repetitions", repetitions, "how often each is measured; the median counts")->capture_default_str();
  app.add_option("--only", only,
                 "fork, zygote, rocks, engine, http, e2e, recycle, latency, enqueue, batch, claim, timers, finished, "
                 "queued, waiting or evicted; may be repeated");
  app.add_option("--json", json, "also write the table as a JSON document to this file");
  app.add_option("--dir", parent, "where the data lies: the disk under it is measured")->capture_default_str();
  app.add_option("--perdure", settings.product.perdure, "the product's executable");
  app.add_option("--playground", playground, "the playground plugin");
  app.add_option("--serve-constant", constant_port, "only be the constant HTTP server, on this port")->group("");
  CLI11_PARSE(app, argc, argv);
  if (constant_port != 0) {
    serve_constant(constant_port);
    return 0;
  }

  const Scratch scratch(parent);
  settings.dir = scratch.path();
  settings.own_executable = bin + "/perdure-bench";
  settings.zygote = {bin + "/perdure-bench-zygote", bin + "/perdure-bench-echo.so"};
  settings.product.plugins = scratch.path() + "/plugins";
  fs::create_directory(settings.product.plugins);
  std::error_code missing;
  fs::copy_file(playground, settings.product.plugins + "/playground.so", missing);

  std::vector<Case> all = cases(settings);
  for (Case& each : scale_cases(settings)) all.push_back(std::move(each));
  for (const std::string& name : only) {
    if (std::ranges::find(all, name, &Case::name) == all.end()) {
      std::fprintf(stderr, "perdure-bench: there is no case \"%s\"; see --help\n", name.c_str());
      return 2;
    }
  }
  std::map<std::string, std::vector<double>> samples;
  for (const Case& each : all) {
    if (!only.empty() && std::ranges::find(only, each.name) == only.end()) continue;
    for (int i = 0; i < repetitions; ++i) {
      for (const auto& probe : each.probes) {
        for (const auto& [key, value] : probe()) {
          samples[key].push_back(value);
          std::fprintf(stderr, "%s %d/%d: %s = %.6g\n", each.name.c_str(), i + 1, repetitions, key.c_str(), value);
        }
      }
    }
  }
  Figures figures;
  for (const auto& [key, values] : samples) figures[key] = median(values);

  std::vector<Row> lines = rows();
  for (Row& each : scale_rows()) lines.push_back(std::move(each));
  const std::string where = machine(settings.dir);
  std::printf("%s\n\n%s", where.c_str(), table(lines, figures).c_str());
  if (!json.empty()) {
    std::ofstream out(json);
    out << document(lines, figures, where);
    if (!out.flush()) die("writing " + json);
  }
  return 0;
}
