#include "host/config/plugin_table.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <sstream>

namespace perdure::config {
namespace {

namespace json = boost::json;
using store::Status;

struct Conversion {
  const std::string& file;
  const Environment& environment;
  std::vector<std::string>& errors;

  void wrong(const toml::node& node, const std::string& path, const std::string& what) {
    errors.push_back(file + ":" + std::to_string(node.source().begin.line) + ": " + path + ": " + what);
  }

  json::value convert(const toml::node& node, const std::string& path) {
    if (const auto* table = node.as_table()) return object(*table, path);
    if (const auto* array = node.as_array()) {
      json::array out;
      for (std::size_t i = 0; i < array->size(); ++i) {
        out.push_back(convert(*array->get(i), path + "[" + std::to_string(i) + "]"));
      }
      return out;
    }
    if (const auto* text = node.as_string()) {
      auto expanded = expand(text->get(), environment);
      if (expanded) return json::value(json::string(expanded.value()));
      wrong(node, path, expanded.status().message());
      return nullptr;
    }
    if (const auto* number = node.as_integer()) return number->get();
    if (const auto* number = node.as_floating_point()) {
      if (std::isfinite(number->get())) return number->get();
      wrong(node, path, "a plugin's table becomes JSON, which has neither infinity nor nan");
      return nullptr;
    }
    if (const auto* flag = node.as_boolean()) return flag->get();
    std::ostringstream text;  // dates and times: as TOML writes them
    node.visit([&](const auto& value) {
      if constexpr (toml::is_date<decltype(value)> || toml::is_time<decltype(value)> ||
                    toml::is_date_time<decltype(value)>) {
        text << value.get();
      }
    });
    return json::value(json::string(text.str()));
  }

  json::object object(const toml::table& table, const std::string& path) {
    json::object out;
    for (const auto& [key, value] : table) {
      out[std::string_view(key)] = convert(value, path + "." + std::string(key.str()));
    }
    return out;
  }
};

}  // namespace

store::Result<std::string> expand(std::string_view text, const Environment& environment) {
  std::string out;
  while (!text.empty()) {
    const auto dollar = text.find("${");
    if (dollar == std::string_view::npos) return out.append(text);
    if (dollar > 0 && text[dollar - 1] == '$') {
      out.append(text.substr(0, dollar - 1)).append("${");
      text.remove_prefix(dollar + 2);
      continue;
    }
    const auto close = text.find('}', dollar);
    const auto name = text.substr(dollar + 2, close == std::string_view::npos ? close : close - dollar - 2);
    if (close == std::string_view::npos || name.empty()) {
      return Status::invalid("a reference to the environment is written ${NAME}; write $${ for a literal ${");
    }
    const auto value = environment ? environment(std::string(name)) : std::nullopt;
    if (!value) {
      return Status::invalid("the environment variable " + std::string(name) +
                             " is not set; set it for the host, or write $${ for a literal ${");
    }
    out.append(text.substr(0, dollar)).append(*value);
    text.remove_prefix(close + 1);
  }
  return out;
}

std::string plugin_json(const toml::table& table, const std::string& file, const std::string& path,
                        const Environment& environment, std::vector<std::string>& errors) {
  return json::serialize(Conversion{file, environment, errors}.object(table, path));
}

}  // namespace perdure::config
