#include "host/schema/evaluation.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "host/schema/code_points.h"
#include "host/schema/values.h"
#include "store/model/nearest.h"

namespace perdure::schema {
namespace {

namespace json = boost::json;

constexpr int kDeepest = 1000;               // of nodes inside each other; payloads have 128 levels at most
constexpr std::uint64_t kStepsPerNode = 40;  // as long as so many of a pattern's
constexpr std::size_t kMostListed = 8;

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }
std::string_view view(const json::string_view& text) { return {text.data(), text.size()}; }

std::uint8_t kinds_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return kNull;
    case json::kind::bool_:
      return kBoolean;
    case json::kind::object:
      return kObject;
    case json::kind::array:
      return kArray;
    case json::kind::string:
      return kString;
    default:
      return is_integer(value) ? kNumber | kInteger : kNumber;
  }
}

std::string kinds_in_words(std::uint8_t kinds) {
  constexpr std::pair<std::uint8_t, std::string_view> kWords[] = {
      {kString, "a string"}, {kInteger, "an integer"}, {kNumber, "a number"}, {kBoolean, "true or false"},
      {kArray, "an array"},  {kObject, "an object"},   {kNull, "null"}};
  if ((kinds & kNumber) != 0) kinds = static_cast<std::uint8_t>(kinds & ~kInteger);
  std::string words;
  for (const auto& [kind, word] : kWords) {
    if ((kinds & kind) != 0) words += (words.empty() ? "" : " or ") + std::string(word);
  }
  return words;
}

std::string plural(std::size_t count, const std::string& thing) {
  return std::to_string(count) + ' ' + thing + (count == 1 ? "" : "s");
}

std::string one_of_in_words(const json::array& values) {
  std::string words;
  for (std::size_t i = 0; i < values.size() && i < kMostListed; i++) words += (i == 0 ? "" : ", ") + shown(values[i]);
  return words + (values.size() > kMostListed ? " and others" : "");
}

bool is_multiple(double number, double of) {
  const double quotient = number / of;
  if (!std::isfinite(quotient)) return false;
  // Decimal fractions are not exact, so neither is this; numbers as large as to have no fraction are multiples.
  return std::abs(quotient - std::round(quotient)) <= 1e-9 * std::max(1.0, std::abs(quotient));
}

}  // namespace

std::string Evaluation::Place::pointer() const {
  if (outer == nullptr) return {};
  return outer->pointer() + '/' + (member.data() != nullptr ? escaped(member) : std::to_string(index));
}

std::size_t Evaluation::Place::depth() const { return outer == nullptr ? 0 : 1 + outer->depth(); }

bool Evaluation::fits(const Value& value) { return check(0, value, Place{}); }

Fault Evaluation::fault() const {
  if (is_over() || !finding_) {
    return {"",
            "cannot be checked in reasonable time: the task's schema compares too much (nested anyOf or oneOf, "
            "uniqueItems, patterns) for a payload as large as this"};
  }
  const Finding& found = *finding_;
  return {found.pointer, found.expected.empty() ? found.what : "must be " + found.expected + ", not " + found.instead};
}

bool Evaluation::wrong(const Place& place, const std::string& what) {
  if (explains_) finding_ = Finding{place.pointer(), place.depth(), what, {}, {}};
  return false;
}

bool Evaluation::wrong_kind(const Place& place, const std::string& expected, const std::string& instead) {
  if (explains_) finding_ = Finding{place.pointer(), place.depth(), {}, expected, instead};
  return false;
}

bool Evaluation::tried(NodeId id, const Value& value, const Place& place) {
  const bool explains = std::exchange(explains_, false);
  const bool fits = check(id, value, place);
  explains_ = explains;
  return fits;
}

bool Evaluation::check(NodeId id, const Value& value, const Place& place) {
  if (!work_.take(kStepsPerNode) || too_deep_) return false;
  if (depth_ == kDeepest) {
    too_deep_ = true;
    return false;
  }
  ++depth_;
  const bool fits = check_node(nodes_[id], value, place);
  --depth_;
  return fits && !is_over();
}

bool Evaluation::check_node(const Node& node, const Value& value, const Place& place) {
  if (!node.allows) return wrong(place, "must not be there: the schema allows nothing here");
  if (node.reference) return check(*node.reference, value, place);
  if (!check_values(node, value, place)) return false;
  switch (value.kind()) {
    case json::kind::object:
      if (!check_object(node, value.get_object(), place)) return false;
      break;
    case json::kind::array:
      if (!check_array(node, value.get_array(), place)) return false;
      break;
    case json::kind::string:
      if (!check_text(node, view(value.get_string()), place)) return false;
      break;
    case json::kind::null:
    case json::kind::bool_:
      break;
    default:
      if (!check_number(node, value, place)) return false;
  }
  return check_combinations(node, value, place);
}

bool Evaluation::check_values(const Node& node, const Value& value, const Place& place) {
  if (node.kinds != 0 && (node.kinds & kinds_of(value)) == 0) {
    return wrong_kind(place, kinds_in_words(node.kinds), shown(value));
  }
  if (node.constant && !equal(*node.constant, value, work_)) {
    return wrong(place, "must be " + shown(*node.constant) + ", not " + shown(value));
  }
  if (!node.enumeration) return true;
  const auto same = [&](const Value& each) { return equal(each, value, work_); };
  if (std::ranges::any_of(*node.enumeration, same)) return true;
  return wrong(place, "must be one of " + one_of_in_words(*node.enumeration) + ", not " + shown(value));
}

bool Evaluation::check_number(const Node& node, const Value& value, const Place& place) {
  if (const auto& bound = node.minimum) {
    const int order = compare_numbers(value, bound->limit);
    if (order < 0 || (order == 0 && !bound->inclusive)) {
      return wrong(place, std::string("must be ") + (bound->inclusive ? "at least " : "greater than ") +
                              shown(bound->limit) + ", not " + shown(value));
    }
  }
  if (const auto& bound = node.maximum) {
    const int order = compare_numbers(value, bound->limit);
    if (order > 0 || (order == 0 && !bound->inclusive)) {
      return wrong(place, std::string("must be ") + (bound->inclusive ? "at most " : "less than ") +
                              shown(bound->limit) + ", not " + shown(value));
    }
  }
  if (node.multiple_of && !is_multiple(value.to_number<double>(), *node.multiple_of)) {
    return wrong(place, "must be a multiple of " + shown(*node.multiple_of) + ", not " + shown(value));
  }
  return true;
}

bool Evaluation::check_text(const Node& node, std::string_view text, const Place& place) {
  if (node.min_length || node.max_length) {
    work_.take(text.size() / 64);
    const std::size_t length = count_code_points(text);
    if (node.min_length && length < *node.min_length) {
      return wrong(place,
                   "must have at least " + plural(*node.min_length, "character") + ", not " + std::to_string(length));
    }
    if (node.max_length && length > *node.max_length) {
      return wrong(place,
                   "must have at most " + plural(*node.max_length, "character") + ", not " + std::to_string(length));
    }
  }
  if (node.pattern && !node.pattern->first.is_in(text, work_)) {
    return wrong(place, "must match the pattern " + node.pattern->second + ", which " +
                            shown(json::string(json::string_view(text.data(), text.size()))) + " does not");
  }
  return true;
}

bool Evaluation::check_array(const Node& node, const json::array& list, const Place& place) {
  if (node.min_items && list.size() < *node.min_items) {
    return wrong(place,
                 "must have at least " + plural(*node.min_items, "element") + ", not " + std::to_string(list.size()));
  }
  if (node.max_items && list.size() > *node.max_items) {
    return wrong(place,
                 "must have at most " + plural(*node.max_items, "element") + ", not " + std::to_string(list.size()));
  }
  for (std::size_t i = 0; i < list.size(); i++) {
    const bool first = i < node.first_items.size();
    if (!first && !node.items) break;
    if (!check(first ? node.first_items[i] : *node.items, list[i], Place{&place, {}, i})) return false;
  }
  if (node.contains && !check_contains(node, list, place)) return false;
  return !node.unique_items || check_unique(list, place);
}

bool Evaluation::check_contains(const Node& node, const json::array& list, const Place& place) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < list.size(); i++) count += tried(*node.contains, list[i], Place{&place, {}, i}) ? 1 : 0;
  const std::size_t least = node.min_contains.value_or(1);
  if (count < least) {
    return wrong(place, "must contain at least " + plural(least, "element") +
                            " that the schema's \"contains\" describes, not " + std::to_string(count));
  }
  if (node.max_contains && count > *node.max_contains) {
    return wrong(place, "must contain at most " + plural(*node.max_contains, "element") +
                            " that the schema's \"contains\" describes, not " + std::to_string(count));
  }
  return true;
}

bool Evaluation::check_unique(const json::array& list, const Place& place) {
  std::unordered_multimap<std::size_t, std::size_t> seen;
  for (std::size_t i = 0; i < list.size(); i++) {
    const std::size_t key = hash(list[i], work_);
    const auto [begin, end] = seen.equal_range(key);
    for (auto other = begin; other != end; ++other) {
      if (!equal(list[other->second], list[i], work_)) continue;
      return wrong(Place{&place, {}, i},
                   "must differ from every other element; element " + std::to_string(other->second) + " is the same");
    }
    seen.emplace(key, i);
    if (work_.is_over()) return false;
  }
  return true;
}

bool Evaluation::check_object(const Node& node, const json::object& object, const Place& place) {
  for (const std::string& name : node.required) {
    if (!object.contains(name)) return wrong(Place{&place, name}, "is missing");
  }
  for (const auto& [name, others] : node.required_with) {
    if (!object.contains(name)) continue;
    for (const std::string& other : others) {
      if (!object.contains(other)) return wrong(Place{&place, other}, "is missing; it belongs to " + name);
    }
  }
  if (node.min_members && object.size() < *node.min_members) {
    return wrong(
        place, "must have at least " + plural(*node.min_members, "member") + ", not " + std::to_string(object.size()));
  }
  if (node.max_members && object.size() > *node.max_members) {
    return wrong(place,
                 "must have at most " + plural(*node.max_members, "member") + ", not " + std::to_string(object.size()));
  }
  return check_members(node, object, place);
}

bool Evaluation::check_members(const Node& node, const json::object& object, const Place& place) {
  if (node.members.empty() && node.pattern_members.empty() && !node.other_members && !node.member_names) return true;
  for (const auto& member : object) {
    if (!work_.take(kStepsPerNode)) return false;
    const std::string name(view(member.key()));
    const Place inside{&place, name};
    if (node.member_names && !tried(*node.member_names, json::string(member.key()), inside)) {
      return wrong(inside, "has a name that the schema's \"propertyNames\" does not allow");
    }
    bool described = false;
    if (const auto known = node.members.find(name); known != node.members.end()) {
      described = true;
      if (!check(known->second, member.value(), inside)) return false;
    }
    for (const PatternMember& each : node.pattern_members) {
      if (!each.pattern.is_in(name, work_)) continue;
      described = true;
      if (!check(each.node, member.value(), inside)) return false;
    }
    if (described || !node.other_members) continue;
    if (!nodes_[*node.other_members].allows) {
      if (!explains_) return false;
      std::vector<std::string_view> known;
      for (const auto& each : node.members) known.emplace_back(each.first);
      const std::string nearest(store::nearest_name(name, known));
      return wrong(inside, "is no member that is allowed here" +
                               (nearest.empty() ? std::string() : "; the nearest one that is: " + nearest));
    }
    if (!check(*node.other_members, member.value(), inside)) return false;
  }
  return true;
}

bool Evaluation::check_combinations(const Node& node, const Value& value, const Place& place) {
  for (const NodeId each : node.all_of) {
    if (!check(each, value, place)) return false;
  }
  if (!node.any_of.empty() && !check_any_of(node, value, place)) return false;
  if (!node.one_of.empty() && !check_one_of(node, value, place)) return false;
  if (node.none_of && tried(*node.none_of, value, place)) {
    return wrong(place, "must not be what the schema's \"not\" describes");
  }
  if (node.condition) {
    const auto& then = tried(*node.condition, value, place) ? node.when_true : node.when_false;
    if (then && !check(*then, value, place)) return false;
  }
  for (const auto& [name, id] : node.fits_with) {
    const json::object* object = value.if_object();
    if (object != nullptr && object->contains(name) && !check(id, value, place)) return false;
  }
  return true;
}

bool Evaluation::check_any_of(const Node& node, const Value& value, const Place& place) {
  std::vector<Finding> findings;
  for (const NodeId each : node.any_of) {
    if (check(each, value, place)) return true;
    if (is_over()) return false;
    if (explains_ && finding_) findings.push_back(std::move(*finding_));
  }
  join(std::move(findings), place);
  return false;
}

bool Evaluation::check_one_of(const Node& node, const Value& value, const Place& place) {
  std::vector<Finding> findings;
  std::vector<std::size_t> fitting;
  for (std::size_t i = 0; i < node.one_of.size(); i++) {
    if (check(node.one_of[i], value, place)) {
      fitting.push_back(i + 1);
    } else if (explains_ && finding_) {
      findings.push_back(std::move(*finding_));
    }
    if (is_over()) return false;
  }
  if (fitting.size() == 1) return true;
  if (fitting.size() > 1) {
    return wrong(place, "must fit exactly one of " + std::to_string(node.one_of.size()) +
                            " alternatives, but fits number " + std::to_string(fitting[0]) + " and number " +
                            std::to_string(fitting[1]));
  }
  join(std::move(findings), place);
  return false;
}

// Says why none of several alternatives fits: what is wrong deepest inside of one, because that one was meant; else
// what all of them expected.
void Evaluation::join(std::vector<Finding> alternatives, const Place& place) {
  if (!explains_ || alternatives.empty()) return;
  const auto deepest = std::ranges::max_element(alternatives, {}, &Finding::depth);
  const std::size_t here = place.depth();
  if (deepest->depth > here || alternatives.size() == 1) {
    finding_ = std::move(*deepest);
    return;
  }
  std::string expected, instead;
  for (const Finding& each : alternatives) {
    instead = each.instead.empty() ? instead : each.instead;
    if (each.expected.empty() || expected.find(each.expected) != std::string::npos) continue;
    expected += (expected.empty() ? "" : " or ") + each.expected;
  }
  const bool all_kinds = std::ranges::none_of(alternatives, [](const Finding& each) { return each.expected.empty(); });
  if (all_kinds) {
    (void)wrong_kind(place, expected, instead);
    return;
  }
  // The one of the value's own kind was meant.
  const auto meant = std::ranges::find_if(alternatives, [](const Finding& each) { return each.expected.empty(); });
  finding_ = std::move(*meant);
  if (!expected.empty()) finding_->what += " (or be " + expected + ")";
}

}  // namespace perdure::schema
