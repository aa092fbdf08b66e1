// perdure new NAME: writes a plugin's project, that builds, tests and loads as it is.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <ostream>
#include <system_error>

#include "host/cli/scaffold.h"
#include "host/cli/verbs.h"
#include "host/config/places.h"

namespace perdure::cli {
namespace {

namespace fs = std::filesystem;
using store::Result;
using store::Status;

struct Options {
  std::string name;
  std::string directory;
  bool c = false;
  bool rust = false;
};

// Where Perdure is installed, when this executable is in an installed place.
std::string installed_prefix() {
  const fs::path prefix = fs::path(config::executable_directory()).parent_path();
  std::error_code ignored;
  return fs::exists(prefix / "include/perdure/plugin.h", ignored) ? prefix.string() : std::string();
}

Status write(const fs::path& directory, const std::vector<ScaffoldFile>& files) {
  std::error_code failed;
  if (fs::exists(directory, failed) && !fs::is_directory(directory, failed)) {
    return Status::conflict(directory.string() + " is there and is no directory; choose another by --directory");
  }
  fs::create_directories(directory, failed);
  if (failed) return Status::io(directory.string() + " could not be made: " + failed.message());
  const bool empty = fs::is_empty(directory, failed);
  if (failed) return Status::io(directory.string() + " could not be read: " + failed.message());
  if (!empty) {
    return Status::conflict(directory.string() +
                            " is not empty, and nothing in it is overwritten; choose another directory by --directory");
  }
  for (const ScaffoldFile& file : files) {
    const fs::path path = directory / file.path;
    std::ofstream out(path, std::ios::binary);
    out << file.text;
    if (!out.flush()) return Status::io(path.string() + " could not be written");
  }
  return Status::ok();
}

int complain(Console& console, const std::string& why, int status) {
  console.err << styled(color_err(console), Style::kRed, "perdure:") << " " << printable(why) << "\n";
  return status;
}

int make(const Options& options, Console& console) {
  if (const Status named = check_project_name(options.name); !named) {
    return complain(console, named.message(), kWrongUsage);
  }
  const Language language = options.c ? Language::kC : options.rust ? Language::kRust : Language::kCpp;
  const std::string directory = options.directory.empty() ? options.name : options.directory;
  const std::string prefix = installed_prefix();
  const auto files = scaffold(language, options.name, prefix.empty() ? "/opt/perdure" : prefix);
  if (const Status written = write(directory, files); !written) return complain(console, written.message(), kFailed);

  console.out << "made " << styled(color_out(console), Style::kBold, printable(directory)) << "\n";
  for (const ScaffoldFile& file : files) console.out << "  " << file.path << "\n";
  if (prefix.empty()) {
    console.err << styled(color_err(console), Style::kYellow, "note:")
                << " this perdure is not an installed one, and the project needs one to build against: cmake --install "
                   "BUILD --prefix /opt/perdure\n";
  }
  console.out << "\nnext:\n  cd " << printable(directory)
              << "\n  cmake -S . -B build && cmake --build build\n  ctest --test-dir build\n"
                 "  perdure serve --plugins build/plugins --data data\n";
  return kDone;
}

}  // namespace

void add_new(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = *parent.add_subcommand("new", "Write a plugin's project: a task, its test, how both are built");
  verb.add_option("NAME", options->name, "The plugin's name, and its first task's")->required();
  verb.add_option("--directory", options->directory, "Where to write it [./NAME]; made, or empty")->type_name("DIR");
  CLI::Option* const c = verb.add_flag("--c", options->c, "In C instead of C++");
  verb.add_flag("--rust", options->rust, "In Rust, without crates")->excludes(c);
  verb.footer(
      "The project's README.md says how to build, test, load and hot-reload it.\n\n"
      "Example:\n  perdure new my-plugin && cd my-plugin");
  verb.callback([options, &console, &exit_status] { exit_status = make(*options, console); });
}

}  // namespace perdure::cli
