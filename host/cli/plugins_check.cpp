// perdure plugins check FILE: loads a plugin as a host would and says what it offers, or exactly why it is refused.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <ostream>
#include <sstream>

#include "host/catalog/plugin_cache.h"
#include "host/catalog/task_table.h"
#include "host/cli/executables.h"
#include "host/cli/json_view.h"
#include "host/cli/run_text.h"
#include "host/cli/verbs.h"
#include "host/process/supervisor.h"
#include "store/model/duration.h"
#include "store/model/task_options.h"
#include "store/model/timetable.h"

namespace perdure::cli {
namespace {

namespace fs = std::filesystem;
using process::Manifest;
using store::Result;
using store::Status;

struct Options {
  std::string file;
  bool json = false;
};

// A directory that is gone when this is.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::error_code failed;
    std::string path = (fs::temp_directory_path(failed) / "perdure-check-XXXXXX").string();
    if (!failed && ::mkdtemp(path.data()) != nullptr) path_ = path;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  [[nodiscard]] const fs::path& path() const { return path_; }  // empty: none could be made

 private:
  fs::path path_;
};

// What a host would know of the plugin after loading it.
struct Checked {
  Manifest manifest;
  std::vector<catalog::Task> tasks;
};

Result<Checked> load(const fs::path& file) {
  std::error_code failed;
  if (!fs::exists(file, failed)) return Status::not_found("there is no such file");
  const auto zygote = zygote_executable();
  if (!zygote) return zygote.status();
  const TemporaryDirectory cache;
  if (cache.path().empty()) return Status::io("no temporary directory could be made for a private copy of it");
  const auto copy = catalog::cache_plugin(file, cache.path());
  if (!copy) return copy.status();

  process::SupervisorOptions options;
  options.zygote_executable = zygote.value();
  if (const auto own = own_executable()) options.backtrace_executable = own.value();
  options.spares = 0;
  boost::asio::io_context io(1);
  process::Supervisor supervisor(io, options);
  std::optional<Result<Manifest>> loaded;
  supervisor.load(copy->version, copy->path.string(), fs::absolute(file).parent_path().string(),
                  [&](Result<Manifest> manifest) {
                    loaded = std::move(manifest);
                    io.stop();
                  });
  io.run();
  if (!loaded) return Status::io("the zygote gave no answer");
  if (!*loaded) return loaded->status();
  auto tasks = catalog::read_tasks(loaded->value(), copy->version);
  if (!tasks) return tasks.status();
  return Checked{std::move(loaded->value()), std::move(tasks.value())};
}

void print_json(Console& console, const std::string& file, const Checked& checked) {
  const Manifest& manifest = checked.manifest;
  std::string out = "{\"file\":" + json_string(file) + ",\"accepted\":true,\"plugin\":" + json_string(manifest.plugin) +
                    ",\"version\":" + json_string(manifest.version) +
                    ",\"isolation\":" + json_string(manifest.isolation);
  if (!manifest.isolation_reason.empty()) out += ",\"isolationReason\":" + json_string(manifest.isolation_reason);
  const auto list = [&out](const char* name, const std::vector<std::string>& texts) {
    out += std::string(",\"") + name + "\":[";
    for (const std::string& text : texts) out += (out.ends_with('[') ? "" : ",") + json_string(text);
    out += "]";
  };
  list("warnings", manifest.warnings);
  out += ",\"tasks\":[";
  for (const catalog::Task& task : checked.tasks) {
    out += (out.ends_with('[') ? "" : ",") + std::string("{\"id\":") + json_string(task.id.text());
    if (!task.options.document.empty()) out += ",\"options\":" + task.options.document;
    list("hooks", task.hooks);
    out += "}";
  }
  console.out << indented(out + "]}") << "\n";
}

void print_people(Console& console, const Checked& checked) {
  const Manifest& manifest = checked.manifest;
  const bool color = color_out(console);
  std::ostream& out = console.out;
  out << styled(color, Style::kBold, printable(manifest.plugin + " " + manifest.version))
      << " is accepted: " << checked.tasks.size() << (checked.tasks.size() == 1 ? " task" : " tasks") << ", isolation "
      << manifest.isolation
      << (manifest.isolation_reason.empty() ? "" : " (" + printable(manifest.isolation_reason) + ")") << "\n";
  for (const std::string& warning : manifest.warnings) {
    out << styled(color, Style::kYellow, "warning:") << " " << printable(warning) << "\n";
  }
  for (const catalog::Task& task : checked.tasks) {
    const store::TaskOptions& options = task.options;
    out << "\n" << styled(color, Style::kBold, printable(task.id.text()));
    if (!options.description.empty()) out << "  " << printable(options.description);
    out << "\n";
    const auto line = [&](std::string_view name, const std::string& value) {
      if (!value.empty()) {
        out << "  " << styled(color, Style::kDim, fmt::format("{:<12}", name)) << " " << printable(value) << "\n";
      }
    };
    const store::RetryPolicy& retry = options.retry;
    line("attempts", retry.max_attempts == 1 ? std::string("1")
                                             : fmt::format("{}, {} apart, times {} up to {}", retry.max_attempts,
                                                           short_duration(retry.min_timeout.count()), retry.factor,
                                                           short_duration(retry.max_timeout.count())));
    line("queue", options.queue.empty() ? "" : options.queue.text());
    line("concurrency", options.concurrency_limit ? std::to_string(*options.concurrency_limit) : "");
    line("rate", options.rate_limit ? fmt::format("{} in {}", options.rate_limit->limit,
                                                  short_duration(options.rate_limit->period.count()))
                                    : "");
    line("machine", options.machine);
    line("max duration", options.max_duration ? store::format_duration(*options.max_duration) : "");
    line("ttl", options.ttl ? store::format_duration(*options.ttl) : "");
    line("recycled", options.recycle_after > 1 ? fmt::format("after {} attempts", options.recycle_after) : "");
    if (options.cron) {
      const store::Result<store::Timetable> times = store::Timetable::parse(*options.cron);
      line("schedule", options.cron->pattern + ", " + options.cron->timezone +
                           (times ? " (" + times->pattern().description() + ")" : ""));
    }
    std::string hooks;
    for (const std::string& hook : task.hooks) hooks += (hooks.empty() ? "" : ", ") + hook;
    line("hooks", hooks);
    line("payload", options.payload_schema);
  }
}

int refuse(Console& console, const Options& options, const std::string& why) {
  if (options.json) {
    const std::string out =
        "{\"file\":" + json_string(options.file) + ",\"accepted\":false,\"reason\":" + json_string(why) + "}";
    console.out << indented(out) << "\n";
  } else {
    std::istringstream lines(why);
    std::string line;
    std::getline(lines, line);
    console.err << styled(color_err(console), Style::kRed, printable(options.file) + " is refused:") << " "
                << printable(line) << "\n";
    while (std::getline(lines, line)) console.err << "  " << printable(line) << "\n";
  }
  return kFailed;
}

int check(const Options& options, Console& console) {
  const auto checked = load(options.file);
  if (!checked) return refuse(console, options, checked.status().message());
  if (options.json) {
    print_json(console, options.file, checked.value());
  } else {
    print_people(console, checked.value());
  }
  return kDone;
}

}  // namespace

void add_plugins_check(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = *plugins_of(parent).add_subcommand("check", "Load a plugin file as a host would; no host is needed");
  verb.add_option("FILE", options->file, "The shared object")->required();
  verb.add_flag("--json", options->json, "Print one JSON document");
  verb.footer("Status 0: accepted; 1: refused, and why.\n\nExample:\n  perdure plugins check ./build/greetings.so");
  verb.callback([options, &console, &exit_status] { exit_status = check(*options, console); });
}

}  // namespace perdure::cli
