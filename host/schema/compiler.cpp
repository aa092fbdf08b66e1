#include "host/schema/compiler.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <utility>

#include "host/schema/values.h"

namespace perdure::schema {
namespace {

namespace json = boost::json;
using store::Status;

constexpr std::size_t kMostNodes = 50'000;
constexpr int kDeepest = 64;

constexpr std::pair<std::string_view, std::uint8_t> kKindNames[] = {
    {"null", kNull},     {"boolean", kBoolean}, {"object", kObject}, {"array", kArray}, {"number", kNumber | kInteger},
    {"string", kString}, {"integer", kInteger}};

// What would change the meaning of a schema if it were ignored.
constexpr std::pair<std::string_view, std::string_view> kUnsupported[] = {
    {"unevaluatedProperties", "use additionalProperties, beside properties"},
    {"unevaluatedItems", "use items"},
    {"$dynamicRef", "use $ref"},
    {"$recursiveRef", "use $ref"}};

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

std::uint8_t kind_named(const json::value& name) {
  if (!name.is_string()) return 0;
  const auto* const found =
      std::ranges::find(kKindNames, view(name.get_string()), &std::pair<std::string_view, std::uint8_t>::first);
  return found == std::end(kKindNames) ? std::uint8_t{0} : found->second;
}

// "~1" is "/" and "~0" is "~" in a part of a JSON pointer, after "%xx" of the reference has become a byte.
std::string unescaped(std::string_view part) {
  std::string text;
  for (std::size_t i = 0; i < part.size(); i++) {
    const std::string hex(part.substr(i + 1, 2));
    if (part[i] == '%' && hex.size() == 2 && hex.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos) {
      text += static_cast<char>(std::stoi(hex, nullptr, 16));
      i += 2;
    } else {
      text += part[i];
    }
  }
  std::string out;
  for (std::size_t i = 0; i < text.size(); i++) {
    const bool escape = text[i] == '~' && i + 1 < text.size() && (text[i + 1] == '0' || text[i + 1] == '1');
    out += escape ? (text[++i] == '0' ? '~' : '/') : text[i];
  }
  return out;
}

}  // namespace

store::Result<std::vector<Node>> Compiler::compile() {
  find_names(document_, "", 0);
  node_of(document_, "");
  while (status_ && !unfinished_.empty()) {
    const auto [schema, at] = unfinished_.back();
    unfinished_.pop_back();
    const NodeId id = by_place_.at(at);
    Node node;
    if (schema->is_bool()) {
      node.allows = schema->get_bool();
    } else if (schema->is_object()) {
      fill(schema->get_object(), at, node);
    } else {
      fail(at, "must be an object, true or false, not " + shown(*schema));
    }
    nodes_[id] = std::move(node);
  }
  if (status_) refuse_endless();
  if (!status_) return status_;
  return std::move(nodes_);
}

void Compiler::fail(const std::string& at, const std::string& why) {
  if (status_) status_ = Status::invalid("payloadSchema" + at + ' ' + why);
}

// The number of the node for `schema`, which is compiled later.
NodeId Compiler::node_of(const Value& schema, const std::string& at) {
  const auto [found, fresh] = by_place_.try_emplace(at, static_cast<NodeId>(nodes_.size()));
  if (!fresh) return found->second;
  if (nodes_.size() == kMostNodes) fail(at, "is one schema too many: there may be " + std::to_string(kMostNodes));
  nodes_.emplace_back();
  places_.push_back(at);
  unfinished_.emplace_back(&schema, at);
  return found->second;
}

void Compiler::fill(const Object& schema, const std::string& at, Node& node) {
  if (const Value* target = schema.if_contains("$ref")) return reference(*target, at, node);  // draft 7: and no other
  for (const auto& [keyword, instead] : kUnsupported) {
    if (schema.contains(keyword)) fail(at + '/' + std::string(keyword), "is not supported: " + std::string(instead));
  }
  values(schema, at, node);
  numbers(schema, at, node);
  texts(schema, at, node);
  arrays(schema, at, node);
  objects(schema, at, node);
  dependencies(schema, at, node);
  combinations(schema, at, node);
}

void Compiler::values(const Object& schema, const std::string& at, Node& node) {
  if (const Value* type = schema.if_contains("type")) {
    const auto add = [&](const Value& name, const std::string& where) {
      const std::uint8_t kind = kind_named(name);
      if (kind == 0) {
        fail(where, "must be one of null, boolean, object, array, number, integer and string, not " + shown(name));
      }
      node.kinds |= kind;
    };
    if (const json::array* list = type->if_array()) {
      for (std::size_t i = 0; i < list->size(); i++) add((*list)[i], at + "/type/" + std::to_string(i));
      if (list->empty()) fail(at + "/type", "must name at least one type");
    } else {
      add(*type, at + "/type");
    }
  }
  if (const Value* constant = schema.if_contains("const")) node.constant = *constant;
  if (const Value* list = schema.if_contains("enum")) {
    if (!list->is_array()) return fail(at + "/enum", "must be an array, not " + shown(*list));
    node.enumeration = list->get_array();
  }
}

void Compiler::numbers(const Object& schema, const std::string& at, Node& node) {
  const auto number = [&](std::string_view keyword) -> const Value* {
    const Value* found = schema.if_contains(keyword);
    if (found == nullptr || found->is_number()) return found;
    fail(at + '/' + std::string(keyword), "must be a number, not " + shown(*found));
    return nullptr;
  };
  const auto bound = [&](std::string_view inclusive, std::string_view exclusive, bool lower) {
    std::optional<Bound> result;
    if (const Value* limit = number(inclusive)) result = Bound{*limit, true};
    if (const Value* limit = number(exclusive)) {
      const int order = result ? compare_numbers(*limit, result->limit) : 0;
      if (!result || order == 0 || (order > 0) == lower) result = Bound{*limit, false};
    }
    return result;
  };
  node.minimum = bound("minimum", "exclusiveMinimum", true);
  node.maximum = bound("maximum", "exclusiveMaximum", false);
  if (const Value* divisor = number("multipleOf")) {
    node.multiple_of = divisor->to_number<double>();
    if (!(*node.multiple_of > 0)) fail(at + "/multipleOf", "must be greater than 0, not " + shown(*divisor));
  }
}

void Compiler::texts(const Object& schema, const std::string& at, Node& node) {
  node.min_length = count(schema, "minLength", at);
  node.max_length = count(schema, "maxLength", at);
  const Value* text = schema.if_contains("pattern");
  if (text == nullptr) return;
  if (!text->is_string()) return fail(at + "/pattern", "must be a string, not " + shown(*text));
  const std::string words(view(text->get_string()));
  if (std::optional<Pattern> made = pattern(words, at + "/pattern")) node.pattern.emplace(std::move(*made), words);
}

void Compiler::arrays(const Object& schema, const std::string& at, Node& node) {
  node.min_items = count(schema, "minItems", at);
  node.max_items = count(schema, "maxItems", at);
  node.contains = below(schema, "contains", at);
  node.min_contains = count(schema, "minContains", at);
  node.max_contains = count(schema, "maxContains", at);
  if (const Value* unique = schema.if_contains("uniqueItems")) {
    if (!unique->is_bool()) return fail(at + "/uniqueItems", "must be true or false, not " + shown(*unique));
    node.unique_items = unique->get_bool();
  }
  const Value* items = schema.if_contains("items");
  if (schema.contains("prefixItems")) {  // later drafts
    node.first_items = list_below(schema, "prefixItems", at);
    node.items = below(schema, "items", at);
  } else if (items != nullptr && items->is_array()) {
    node.first_items = list_below(schema, "items", at);
    node.items = below(schema, "additionalItems", at);
  } else {
    node.items = below(schema, "items", at);
  }
}

void Compiler::objects(const Object& schema, const std::string& at, Node& node) {
  node.min_members = count(schema, "minProperties", at);
  node.max_members = count(schema, "maxProperties", at);
  node.other_members = below(schema, "additionalProperties", at);
  node.member_names = below(schema, "propertyNames", at);
  if (const Value* required = schema.if_contains("required")) node.required = names(*required, at + "/required");
  for (const std::string_view keyword : {"properties", "patternProperties"}) {
    const Value* members = schema.if_contains(keyword);
    if (members == nullptr) continue;
    const std::string place = at + '/' + std::string(keyword);
    if (!members->is_object()) return fail(place, "must be an object, not " + shown(*members));
    for (const auto& [name, member] : members->get_object()) {
      const std::string text(name.data(), name.size());
      const std::string where = place + '/' + escaped(text);
      const NodeId id = node_of(member, where);
      if (keyword == "properties") {
        node.members.emplace(text, id);
      } else if (std::optional<Pattern> made = pattern(text, where)) {
        node.pattern_members.push_back({std::move(*made), text, id});
      }
    }
  }
}

// "dependencies" of draft 7 is either of the later two, member by member.
void Compiler::dependencies(const Object& schema, const std::string& at, Node& node) {
  for (const std::string_view keyword : {"dependencies", "dependentRequired", "dependentSchemas"}) {
    const Value* members = schema.if_contains(keyword);
    if (members == nullptr) continue;
    const std::string place = at + '/' + std::string(keyword);
    if (!members->is_object()) return fail(place, "must be an object, not " + shown(*members));
    for (const auto& [name, needs] : members->get_object()) {
      const std::string text(name.data(), name.size());
      const std::string where = place + '/' + escaped(text);
      if (keyword != "dependentSchemas" && (needs.is_array() || keyword == "dependentRequired")) {
        node.required_with.emplace_back(text, names(needs, where));
      } else {
        node.fits_with.emplace_back(text, node_of(needs, where));
      }
    }
  }
}

void Compiler::combinations(const Object& schema, const std::string& at, Node& node) {
  node.all_of = list_below(schema, "allOf", at);
  node.any_of = list_below(schema, "anyOf", at);
  node.one_of = list_below(schema, "oneOf", at);
  node.none_of = below(schema, "not", at);
  node.condition = below(schema, "if", at);
  if (!node.condition) return;
  node.when_true = below(schema, "then", at);
  node.when_false = below(schema, "else", at);
}

std::optional<NodeId> Compiler::below(const Object& schema, std::string_view keyword, const std::string& at) {
  const Value* found = schema.if_contains(keyword);
  if (found == nullptr) return std::nullopt;
  return node_of(*found, at + '/' + std::string(keyword));
}

std::vector<NodeId> Compiler::list_below(const Object& schema, std::string_view keyword, const std::string& at) {
  std::vector<NodeId> ids;
  const Value* found = schema.if_contains(keyword);
  if (found == nullptr) return ids;
  const std::string place = at + '/' + std::string(keyword);
  const json::array* list = found->if_array();
  if (list == nullptr || (list->empty() && keyword != "items")) {
    fail(place, "must be an array of at least one schema, not " + shown(*found));
    return ids;
  }
  for (std::size_t i = 0; i < list->size(); i++) ids.push_back(node_of((*list)[i], place + '/' + std::to_string(i)));
  return ids;
}

std::optional<std::size_t> Compiler::count(const Object& schema, std::string_view keyword, const std::string& at) {
  const Value* found = schema.if_contains(keyword);
  if (found == nullptr) return std::nullopt;
  constexpr double kMost = 9007199254740992.0;
  const double number = found->is_number() ? found->to_number<double>() : -1;
  if (number < 0 || number > kMost || number != std::trunc(number)) {
    fail(at + '/' + std::string(keyword), "must be a whole number of at least 0, not " + shown(*found));
    return std::nullopt;
  }
  return static_cast<std::size_t>(number);
}

std::vector<std::string> Compiler::names(const Value& list, const std::string& at) {
  std::vector<std::string> texts;
  if (!list.is_array()) {
    fail(at, "must be an array of names, not " + shown(list));
    return texts;
  }
  for (const Value& each : list.get_array()) {
    if (!each.is_string()) {
      fail(at, "must hold names only, not " + shown(each));
      break;
    }
    texts.emplace_back(view(each.get_string()));
  }
  return texts;
}

std::optional<Pattern> Compiler::pattern(std::string_view text, const std::string& at) {
  store::Result<Pattern> made = Pattern::compile(text);
  if (made) return std::move(*made);
  fail(at, "is no regular expression that can be used: " + made.status().message());
  return std::nullopt;
}

// Schemas that have names of their own ("$id", "$anchor") can be referred to by these.
void Compiler::find_names(const Value& schema, const std::string& at, int depth) {
  if (depth > kDeepest) return fail("", "is nested more than " + std::to_string(kDeepest) + " deep");
  if (const json::array* list = schema.if_array()) {
    for (std::size_t i = 0; i < list->size(); i++) find_names((*list)[i], at + '/' + std::to_string(i), depth + 1);
    return;
  }
  const json::object* object = schema.if_object();
  if (object == nullptr) return;
  for (const auto& [key, value] : *object) {
    const std::string_view name(key.data(), key.size());
    if ((name == "$id" || name == "$anchor") && value.is_string()) {
      by_name_.emplace((name == "$anchor" ? "#" : "") + std::string(view(value.get_string())), at);
    }
    if (name != "enum" && name != "const") find_names(value, at + '/' + escaped(name), depth + 1);
  }
}

void Compiler::reference(const Value& target, const std::string& at, Node& node) {
  if (!target.is_string()) return fail(at + "/$ref", "must be a string, not " + shown(target));
  const std::string text(view(target.get_string()));
  std::string place;
  const Value* schema = resolve(text, place);
  if (schema == nullptr) {
    return fail(at + "/$ref", "refers to " + shown(target) +
                                  ", which is no place in this schema; references go to such places, as in "
                                  "\"#/definitions/name\"");
  }
  node.reference = node_of(*schema, place);
}

// What `target` means, and its pointer; null when there is no such place.
const boost::json::value* Compiler::resolve(std::string_view target, std::string& at) {
  if (const auto named = by_name_.find(std::string(target)); named != by_name_.end()) {
    target = named->second;
  } else if (target.starts_with('#') && (target.size() == 1 || target[1] == '/')) {
    target.remove_prefix(1);
  } else {
    return nullptr;
  }
  const Value* value = &document_;
  at.clear();
  while (!target.empty()) {
    target.remove_prefix(1);
    const std::size_t end = std::min(target.find('/'), target.size());
    const std::string part = unescaped(target.substr(0, end));
    target.remove_prefix(end);
    at += '/' + escaped(part);
    if (const json::object* object = value->if_object()) {
      value = object->if_contains(part);
    } else if (const json::array* list = value->if_array(); list != nullptr && !part.empty() && part.size() < 9 &&
                                                            part.find_first_not_of("0123456789") == std::string::npos) {
      value = list->if_contains(std::stoul(part));
    } else {
      value = nullptr;
    }
    if (value == nullptr) return nullptr;
  }
  return value;
}

// A schema that leads back to itself without going into the value would be checked for ever.
void Compiler::refuse_endless() {
  enum class Mark : std::uint8_t { kNew, kOpen, kDone };
  std::vector<Mark> marks(nodes_.size(), Mark::kNew);
  const auto same_value = [](const Node& node) {
    std::vector<NodeId> next;
    for (const auto* list : {&node.all_of, &node.any_of, &node.one_of})
      next.insert(next.end(), list->begin(), list->end());
    for (const auto& one : {node.reference, node.none_of, node.condition, node.when_true, node.when_false}) {
      if (one) next.push_back(*one);
    }
    for (const auto& [name, id] : node.fits_with) next.push_back(id);
    return next;
  };
  for (NodeId root = 0; root < nodes_.size(); root++) {
    if (marks[root] != Mark::kNew) continue;
    std::vector<std::pair<NodeId, std::vector<NodeId>>> path;
    const auto enter = [&](NodeId id) {
      marks[id] = Mark::kOpen;
      path.emplace_back(id, same_value(nodes_[id]));
    };
    enter(root);
    while (!path.empty()) {
      auto& [id, rest] = path.back();
      if (rest.empty()) {
        marks[id] = Mark::kDone;
        path.pop_back();
        continue;
      }
      const NodeId next = rest.back();
      rest.pop_back();
      if (marks[next] == Mark::kOpen) return fail(places_[next], "refers to itself without end");
      if (marks[next] == Mark::kNew) enter(next);
    }
  }
}

}  // namespace perdure::schema
