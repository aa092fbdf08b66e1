#include "host/catalog/schema_changes.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <string_view>

namespace perdure::catalog {
namespace {

namespace json = boost::json;

constexpr int kDeepest = 64;  // of nested schemas

// Words that only describe; they allow and forbid nothing.
constexpr std::array<std::string_view, 7> kDescriptions{"title",    "description", "default", "examples",
                                                        "$comment", "$schema",     "$id"};

constexpr std::array<std::string_view, 5> kLower{"minimum", "exclusiveMinimum", "minLength", "minItems",
                                                 "minProperties"};
constexpr std::array<std::string_view, 5> kUpper{"maximum", "exclusiveMaximum", "maxLength", "maxItems",
                                                 "maxProperties"};
// What is compared by its meaning.
constexpr std::array<std::string_view, 16> kRead{
    "type",      "required",      "properties", "additionalProperties", "items",    "enum",
    "minimum",   "maximum",       "minLength",  "exclusiveMinimum",     "minItems", "exclusiveMaximum",
    "maxLength", "minProperties", "maxItems",   "maxProperties"};

class Comparison {
 public:
  std::vector<std::string> take() { return std::move(found_); }

  // `path`: of what the schemas describe, such as payload.items[]
  void compare(const json::value& before, const json::value& after, const std::string& path, int depth = 0) {
    if (before == after || depth > kDeepest) return;
    if (!before.is_object() || !after.is_object()) {  // true allows all, false nothing
      if (after.is_bool() && after.get_bool()) return;
      return found(path, "is described otherwise");
    }
    const json::object& was = before.get_object();
    const json::object& is = after.get_object();
    types(was, is, path);
    required(was, is, path);
    members(was, is, path, depth);
    bounds(was, is, path);
    enumeration(was, is, path);
    if (const json::value* items = is.if_contains("items")) {
      const json::value* items_before = was.if_contains("items");
      compare(items_before == nullptr ? json::value(json::object()) : *items_before, *items, path + "[]", depth + 1);
    }
    others(was, is, path);
  }

 private:
  void found(const std::string& path, const std::string& what) { found_.push_back(path + " " + what); }

  static std::vector<std::string> type_names(const json::object& schema) {
    std::vector<std::string> names;
    const json::value* type = schema.if_contains("type");
    if (type == nullptr) return names;
    if (type->is_string()) names.emplace_back(type->get_string());
    if (type->is_array()) {
      for (const json::value& each : type->get_array()) {
        if (each.is_string()) names.emplace_back(each.get_string());
      }
    }
    return names;
  }

  void types(const json::object& was, const json::object& is, const std::string& path) {
    const std::vector<std::string> now = type_names(is);
    if (now.empty()) return;
    const std::vector<std::string> then = type_names(was);
    if (then.empty()) return found(path, "must be of type " + now.front());
    for (const std::string& type : then) {
      const bool still = std::ranges::find(now, type) != now.end() ||
                         (type == "integer" && std::ranges::find(now, "number") != now.end());
      if (!still) found(path, "may no longer be of type " + type);
    }
  }

  static bool names(const json::object& schema, std::string_view keyword, const json::value& value) {
    const json::value* list = schema.if_contains(keyword);
    return list != nullptr && list->is_array() &&
           std::ranges::find(list->get_array(), value) != list->get_array().end();
  }

  void required(const json::object& was, const json::object& is, const std::string& path) {
    const json::value* now = is.if_contains("required");
    if (now == nullptr || !now->is_array()) return;
    for (const json::value& member : now->get_array()) {
      if (member.is_string() && !names(was, "required", member)) {
        found(path + "." + std::string(member.get_string()), "is required");
      }
    }
  }

  void members(const json::object& was, const json::object& is, const std::string& path, int depth) {
    const json::object none;
    const auto of = [&none](const json::object& schema) -> const json::object& {
      const json::value* properties = schema.if_contains("properties");
      return properties != nullptr && properties->is_object() ? properties->get_object() : none;
    };
    const auto closed = [](const json::object& schema) {
      const json::value* additional = schema.if_contains("additionalProperties");
      return additional != nullptr && additional->is_bool() && !additional->get_bool();
    };
    for (const auto& member : of(was)) {
      const json::value* now = of(is).if_contains(member.key());
      const std::string name = path + "." + std::string(member.key());
      if (now != nullptr) {
        compare(member.value(), *now, name, depth + 1);
      } else if (closed(is)) {
        found(name, "is no longer allowed");
      }
    }
    if (closed(is) && !closed(was)) found(path, "may have no other members any more");
  }

  void bounds(const json::object& was, const json::object& is, const std::string& path) {
    const auto tighter = [&](std::string_view keyword, bool lower) {
      const json::value* now = is.if_contains(keyword);
      if (now == nullptr || !now->is_number()) return;
      const json::value* then = was.if_contains(keyword);
      const double limit = now->to_number<double>();
      const bool narrower = then == nullptr || !then->is_number() ||
                            (lower ? limit > then->to_number<double>() : limit < then->to_number<double>());
      if (narrower) found(path, "has " + std::string(keyword) + " " + json::serialize(*now));
    };
    for (const std::string_view keyword : kLower) tighter(keyword, true);
    for (const std::string_view keyword : kUpper) tighter(keyword, false);
  }

  void enumeration(const json::object& was, const json::object& is, const std::string& path) {
    if (!is.contains("enum")) return;
    const json::value* then = was.if_contains("enum");
    if (then == nullptr || !then->is_array()) return found(path, "must be one of an enumeration");
    for (const json::value& value : then->get_array()) {
      if (!names(is, "enum", value)) found(path, "may no longer be " + json::serialize(value));
    }
  }

  // Keywords that nothing above reads.
  void others(const json::object& was, const json::object& is, const std::string& path) {
    for (const auto& keyword : is) {
      const std::string_view word(keyword.key().data(), keyword.key().size());
      if (std::ranges::find(kRead, word) != kRead.end()) continue;
      if (std::ranges::find(kDescriptions, word) != kDescriptions.end()) continue;
      const json::value* then = was.if_contains(keyword.key());
      if (then == nullptr || *then != keyword.value()) {
        found(path, "has another \"" + std::string(keyword.key()) + "\"");
      }
    }
  }

  std::vector<std::string> found_;
};

json::value parsed(const std::string& schema) {
  boost::system::error_code failed;
  json::value value = json::parse(schema.empty() ? "true" : schema, failed);
  return failed ? json::value(true) : value;
}

}  // namespace

std::vector<std::string> narrowed(const Tasks& before, const Tasks& after) {
  std::vector<std::string> changes;
  for (const auto& [id, task] : before) {
    const auto now = after.find(id);
    if (now == after.end()) {
      changes.push_back("The task '" + id.text() +
                        "' is gone: runs of it that are queued wait until a plugin offers it again.");
      continue;
    }
    const std::string& schema = now->second.options.payload_schema;
    if (schema.empty() || schema == task.options.payload_schema) continue;
    Comparison comparison;
    const json::value then = parsed(task.options.payload_schema);
    comparison.compare(then.is_bool() ? json::value(json::object()) : then, parsed(schema), "payload");
    for (const std::string& change : comparison.take()) {
      changes.push_back("The task '" + id.text() + "' takes less than before: " + change +
                        ". Runs triggered before may fail.");
    }
  }
  return changes;
}

}  // namespace perdure::catalog
