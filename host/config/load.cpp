#include <toml++/toml.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include "host/config/config.h"
#include "host/config/key_form.h"
#include "host/config/keys.h"
#include "host/config/places.h"
#include "host/config/plugin_table.h"
#include "host/os/cgroup.h"
#include "store/model/nearest.h"

namespace perdure::config {
namespace {

using store::Result;
using store::Status;

std::vector<std::string_view> sections() {
  std::vector<std::string_view> names{"plugins"};
  for (const Key& key : keys()) {
    if (std::ranges::find(names, key.section) == names.end()) names.push_back(key.section);
  }
  return names;
}

std::vector<std::string_view> names_in(std::string_view section) {
  std::vector<std::string_view> names;
  for (const Key& key : keys()) {
    if (key.section == section) names.push_back(key.name);
  }
  return names;
}

std::string nearest_of(std::string_view name, std::span<const std::string_view> known) {
  return "; did you mean " + std::string(store::nearest_name(name, known)) + "?";
}

std::string listed(const std::vector<std::string_view>& names) {
  std::string out;
  for (const auto name : names) out.append(out.empty() ? "" : ", ").append(name);
  return out;
}

// Gathers values from one source after the other, and everything that is wrong with them.
class Loader {
 public:
  explicit Loader(const Sources& sources) : sources_(sources) {
    loaded_.config.host.data = default_data_directory(sources.environment);
    loaded_.config.host.plugins = default_plugin_directory();
    loaded_.config.host.memory = os::usable_memory();
    loaded_.config.host.concurrency = std::max<std::uint64_t>(8, 4ULL * std::thread::hardware_concurrency());
    for (const Key& key : keys()) loaded_.origins[key.full_name()] = "default";
  }

  Result<Loaded> load() {
    if (sources_.file) {
      if (const Status read = read_file(*sources_.file); !read) return read;
    }
    for (const Key& key : keys()) {
      const auto text = sources_.environment ? sources_.environment(std::string(key.variable)) : std::nullopt;
      if (text && !text->empty()) set(key, *text, std::string(key.variable));
    }
    for (const Flag& flag : sources_.flags) {
      const Key* key = find_key(flag.key);
      if (key != nullptr) set(*key, flag.text, std::string(key->flag));
    }
    if (!errors_.empty()) {
      std::string all;
      for (const std::string& error : errors_) all += (all.empty() ? "" : "\n") + error;
      return Status::invalid(all);
    }
    loaded_.shown = shown();
    return std::move(loaded_);
  }

 private:
  void set(const Key& key, std::string_view text, const std::string& origin) {
    const Status status = set_from_text(key, loaded_.config, text);
    if (!status) {
      errors_.push_back(origin + ": " + status.message());
      return;
    }
    loaded_.origins[key.full_name()] = origin;
  }

  std::string where(const toml::source_region& region) const {
    return *sources_.file + ":" + std::to_string(region.begin.line);
  }

  Status read_file(const std::string& file) {
    std::error_code ignored;
    std::ifstream in(file, std::ios::binary);
    if (!in.is_open() || std::filesystem::is_directory(file, ignored)) {
      return Status::io("cannot read the configuration file " + file);
    }
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    toml::table table;
    try {
      table = toml::parse(text, file);
    } catch (const toml::parse_error& error) {
      errors_.push_back(where(error.source()) + ": not TOML: " + std::string(error.description()));
      return Status::ok();
    }
    for (const auto& [name, node] : table) read_section(name, node);
    return Status::ok();
  }

  void read_section(const toml::key& name, const toml::node& node) {
    const auto known = sections();
    const std::string section(name.str());
    if (std::ranges::find(known, name.str()) == known.end()) {
      const bool is_table = node.is_table();
      errors_.push_back(where(name.source()) + ": unknown " +
                        (is_table ? "section [" + section + "]" : "key " + section) +
                        (is_table ? nearest_of(name.str(), known) : "; keys belong into a section") +
                        " (there are: " + listed(known) + ")");
      return;
    }
    const auto* table = node.as_table();
    if (table == nullptr) {
      errors_.push_back(where(name.source()) + ": " + section + ": expected a section, [" + section + "]");
      return;
    }
    for (const auto& [key, value] : *table) {
      if (section == "plugins") {
        read_plugin(key, value);
      } else {
        read_key(section, key, value);
      }
    }
  }

  void read_plugin(const toml::key& name, const toml::node& node) {
    const std::string path = "plugins." + std::string(name.str());
    const auto* table = node.as_table();
    if (table == nullptr) {
      errors_.push_back(where(name.source()) + ": " + path + ": expected a table, [" + path +
                        "], of the plugin's name");
      return;
    }
    loaded_.config.plugins[std::string(name.str())] =
        plugin_json(*table, *sources_.file, path, sources_.environment, errors_);
    std::ostringstream as_toml;
    as_toml << toml::table{{"plugins", toml::table{{name.str(), *table}}}};
    plugin_tables_ += "\n# " + where(name.source()) + "\n" + as_toml.str() + "\n";
  }

  void read_key(const std::string& section, const toml::key& name, const toml::node& node) {
    const std::string full_name = section + "." + std::string(name.str());
    const Key* key = find_key(full_name);
    const std::string origin = where(name.source());
    if (key == nullptr) {
      const auto known = names_in(section);
      errors_.push_back(origin + ": unknown key " + full_name + nearest_of(name.str(), known) + " ([" + section +
                        "] has: " + listed(known) + ")");
      return;
    }
    Status status = Status::invalid("expected " + expectation(*key) + ", got " + type_name(node));
    if (const auto* number = node.as_integer()) {
      status = set_from_number(*key, loaded_.config, number->get());
    } else if (const auto* on = node.as_boolean(); on != nullptr && key->kind == Kind::kSwitch) {
      status = set_from_text(*key, loaded_.config, on->get() ? "true" : "false");
    } else if (const auto* list = node.as_array(); list != nullptr && is_list(key->kind)) {
      status = read_names(*key, *list);
    } else if (const auto* text = node.as_string(); text != nullptr && takes_text(key->kind)) {
      const auto expanded = expand(text->get(), sources_.environment);
      status = expanded ? set_from_text(*key, loaded_.config, from_file(*key, expanded.value())) : expanded.status();
    }
    if (!status) {
      errors_.push_back(origin + ": " + full_name + ": " + status.message());
      return;
    }
    loaded_.origins[full_name] = origin;
  }

  static bool takes_text(Kind kind) {
    return kind != Kind::kCount && kind != Kind::kMost && kind != Kind::kSwitch && !is_list(kind);
  }

  Status read_names(const Key& key, const toml::array& list) {
    std::vector<std::string> names;
    for (const toml::node& each : list) {
      const auto* text = each.as_string();
      if (text == nullptr)
        return Status::invalid("expected " + expectation(key) + ", got " + type_name(each) + " in it");
      const bool path = key.kind == Kind::kKeys && key_form(text->get()) == KeyForm::kFile;
      names.push_back(path ? beside_file(text->get()) : text->get());
    }
    return set_names(key, loaded_.config, std::move(names));
  }

  // A path in the file is relative to the file.
  [[nodiscard]] std::string from_file(const Key& key, const std::string& text) const {
    return key.kind == Kind::kPath ? beside_file(text) : text;
  }
  [[nodiscard]] std::string beside_file(const std::string& text) const {
    if (text.empty()) return text;
    return (std::filesystem::path(*sources_.file).parent_path() / text).string();
  }

  static std::string type_name(const toml::node& node) {
    if (node.is_boolean()) return "a boolean";
    if (node.is_string()) return "text";
    if (node.is_integer()) return "a number";
    if (node.is_floating_point()) return "a fraction";
    if (node.is_array()) return "an array";
    if (node.is_table()) return "a table";
    return "a date or time";
  }

  std::string shown() {
    std::string out;
    std::string_view section;
    for (const Key& key : keys()) {
      if (key.section != section) {
        out += (out.empty() ? "[" : "\n[") + std::string(key.section) + "]\n";
        section = key.section;
      }
      out +=
          std::string(key.name) + " = " + show(key, loaded_.config) + "  # " + loaded_.origins[key.full_name()] + "\n";
    }
    return out + plugin_tables_;
  }

  const Sources& sources_;
  Loaded loaded_;
  std::vector<std::string> errors_;
  std::string plugin_tables_;
};

}  // namespace

Result<Loaded> load(const Sources& sources) { return Loader(sources).load(); }

std::optional<std::string> process_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::vector<std::string> unknown_variables(const std::vector<std::string>& names) {
  std::vector<std::string_view> known{"PERDURE_CONFIG", "PERDURE_URL", "PERDURE_API_KEY"};
  for (const Key& key : keys()) known.push_back(key.variable);
  std::vector<std::string> found;
  for (const std::string& name : names) {
    if (!name.starts_with("PERDURE_") || std::ranges::find(known, name) != known.end()) continue;
    found.push_back("the environment variable " + name + " means nothing to Perdure" + nearest_of(name, known));
  }
  return found;
}

}  // namespace perdure::config
