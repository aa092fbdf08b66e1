#include "host/cli/scaffold.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "host/cli/scaffold_templates.h"

namespace perdure::cli {
namespace {

using store::Status;

// What is different from one language to the next.
struct Traits {
  std::string_view spoken;     // as people write it
  std::string_view folder;     // of its templates
  std::string_view extension;  // of the plugin's source
  std::string_view test;       // the template of its test
  std::string_view also;       // what more the README says is there
};

const Traits& traits_of(Language language) {
  static constexpr Traits kCpp{"C++", "cpp", ".cpp", "cpp/plugin_test.cpp", ""};
  static constexpr Traits kC{"C", "c", ".c", "plugin_test.cpp", ""};
  static constexpr Traits kRust{"Rust", "rust", ".rs", "plugin_test.cpp",
                                ", and `perdure.rs` what\n`perdure/plugin.h` says, in Rust"};
  return language == Language::kCpp ? kCpp : language == Language::kC ? kC : kRust;
}

// What the README ends with.
std::string_view further_reading(Language language) {
  switch (language) {
    case Language::kCpp:
      return "`<perdure/task.hpp>` has all that a task can be given, and `<perdure/testing.hpp>` how a test plays the "
             "host.";
    case Language::kC:
      return "`<perdure/plugin.h>` has all that a task can be given. The test is the only part in C++, and needs "
             "Boost's headers;\nwithout it: `cmake -S . -B build -DBUILD_TESTING=OFF`.";
    case Language::kRust:
      return "`<perdure/plugin.h>` has all that a task can be given. The test is the only part in C++, and needs "
             "Boost's headers;\nwithout it: `cmake -S . -B build -DBUILD_TESTING=OFF`. A panic is a crash of its "
             "attempt.";
  }
  std::abort();
}

std::string_view template_named(const std::string& file) {
  const auto templates = scaffold_templates();
  const auto found = std::ranges::find(templates, file, &ScaffoldTemplate::file);
  if (found == templates.end()) std::abort();  // the build left it out
  return found->text;
}

using Words = std::vector<std::pair<std::string_view, std::string>>;

std::string filled(std::string_view text, const Words& words) {
  std::string out;
  while (!text.empty()) {
    auto at = text.size();
    const std::pair<std::string_view, std::string>* next = nullptr;
    for (const auto& word : words) {
      const auto found = text.find(word.first);
      if (found < at) at = found, next = &word;
    }
    out += text.substr(0, at);
    if (next == nullptr) break;
    out += next->second;
    text.remove_prefix(at + next->first.size());
  }
  return out;
}

}  // namespace

Status check_project_name(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto may_follow = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  if (name.empty() || name.size() > 128 || !is_letter(name.front()) || !std::ranges::all_of(name, may_follow)) {
    return Status::invalid("\"" + std::string(name) + "\" cannot be a plugin's name; use a letter and then up to 127 " +
                           "letters, digits, \"_\" and \"-\", as in my-plugin");
  }
  // What CMake and rustc keep for themselves.
  static constexpr std::array<std::string_view, 13> kTaken{
      "all",     "alloc",          "clean",      "core",          "edit_cache", "help", "install",
      "package", "package_source", "proc_macro", "rebuild_cache", "std",        "test"};
  if (std::ranges::find(kTaken, name) != kTaken.end()) {
    return Status::invalid("\"" + std::string(name) + "\" cannot be a plugin's name, because the build has a meaning " +
                           "for it; say my-" + std::string(name) + ", for example");
  }
  return Status::ok();
}

std::vector<ScaffoldFile> scaffold(Language language, const std::string& name, const std::string& prefix) {
  const Traits& traits = traits_of(language);
  const std::string folder(traits.folder);
  const std::string source = name + std::string(traits.extension);
  const Words words{{"{{name}}", name},
                    {"{{version}}", PERDURE_SCAFFOLD_VERSION},
                    {"{{prefix}}", prefix},
                    {"{{language}}", std::string(traits.spoken)},
                    {"{{source}}", source},
                    {"{{also}}", std::string(traits.also)},
                    {"{{more}}", std::string(further_reading(language))}};
  std::vector<ScaffoldFile> files;
  const auto add = [&](const std::string& path, const std::string& from) {
    files.push_back({path, filled(template_named(from), words)});
  };
  add("README.md", "README.md");
  add("CMakeLists.txt", folder + "/CMakeLists.txt");
  add(source, folder + "/plugin" + std::string(traits.extension));
  if (language == Language::kRust) add("perdure.rs", "rust/perdure.rs");
  add(name + "_test.cpp", std::string(traits.test));
  add(".gitignore", "gitignore");
  return files;
}

}  // namespace perdure::cli
