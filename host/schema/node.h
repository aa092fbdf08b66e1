// A compiled schema: nodes that refer to each other by number, each holding the keywords of one schema that can forbid
// something. Plain data, made by the compiler and read by the evaluation.
#pragma once

#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "host/schema/pattern.h"

namespace perdure::schema {

using NodeId = std::uint32_t;

/// Bits of the kinds of a JSON value.
enum Kinds : std::uint8_t {
  kNull = 1,
  kBoolean = 2,
  kObject = 4,
  kArray = 8,
  kNumber = 16,
  kString = 32,
  kInteger = 64,  // a number without a fraction; kNumber includes it
};

struct Bound {
  boost::json::value limit;  // a number, kept exactly
  bool inclusive = true;
};

struct PatternMember {
  Pattern pattern;
  std::string text;
  NodeId node;
};

struct Node {
  bool allows = true;  // false: nothing fits; then nothing else matters
  std::optional<NodeId> reference;

  std::uint8_t kinds = 0;  // Kinds; 0: any
  std::optional<boost::json::value> constant;
  std::optional<boost::json::array> enumeration;

  std::optional<Bound> minimum, maximum;
  std::optional<double> multiple_of;
  std::optional<std::size_t> min_length, max_length;
  std::optional<std::pair<Pattern, std::string>> pattern;

  std::vector<NodeId> first_items;  // of the first elements, one each
  std::optional<NodeId> items;      // of the further ones
  std::optional<NodeId> contains;
  std::optional<std::size_t> min_contains, max_contains;
  std::optional<std::size_t> min_items, max_items;
  bool unique_items = false;

  std::unordered_map<std::string, NodeId> members;
  std::vector<PatternMember> pattern_members;
  std::optional<NodeId> other_members;
  std::optional<NodeId> member_names;
  std::vector<std::string> required;
  std::vector<std::pair<std::string, std::vector<std::string>>> required_with;  // when there is such a member
  std::vector<std::pair<std::string, NodeId>> fits_with;                        // likewise
  std::optional<std::size_t> min_members, max_members;

  std::vector<NodeId> all_of, any_of, one_of;
  std::optional<NodeId> none_of, condition, when_true, when_false;
};

}  // namespace perdure::schema
