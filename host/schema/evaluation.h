// One check of one value against compiled nodes. Single use; single-threaded.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/schema/node.h"
#include "host/schema/schema.h"
#include "host/schema/work.h"

namespace perdure::schema {

class Evaluation {
 public:
  /// `explains`: fault() says what was wrong; costs more where something is.
  Evaluation(const std::vector<Node>& nodes, std::uint64_t most_steps, bool explains)
      : nodes_(nodes), work_(most_steps), explains_(explains) {}

  /// Whether `value` fits the first node.
  bool fits(const boost::json::value& value);
  /// Why not.
  [[nodiscard]] Fault fault() const;
  /// It could not be finished within the steps: nothing is known.
  [[nodiscard]] bool is_over() const { return work_.is_over() || too_deep_; }

 private:
  using Value = boost::json::value;
  // Where the value is: a chain on the stack, spelled out only when something is wrong.
  struct Place {
    const Place* outer = nullptr;
    std::string_view member;
    std::size_t index = 0;  // when there is no member
    [[nodiscard]] std::string pointer() const;
    [[nodiscard]] std::size_t depth() const;
  };
  struct Finding {
    std::string pointer;
    std::size_t depth = 0;
    std::string what;      // complete, unless:
    std::string expected;  // "a string": the value's kind is wrong, and this was expected
    std::string instead;   // then: what it is
  };

  bool check(NodeId id, const Value& value, const Place& place);
  bool check_node(const Node& node, const Value& value, const Place& place);
  bool check_values(const Node& node, const Value& value, const Place& place);
  bool check_number(const Node& node, const Value& value, const Place& place);
  bool check_text(const Node& node, std::string_view text, const Place& place);
  bool check_array(const Node& node, const boost::json::array& list, const Place& place);
  bool check_contains(const Node& node, const boost::json::array& list, const Place& place);
  bool check_unique(const boost::json::array& list, const Place& place);
  bool check_object(const Node& node, const boost::json::object& object, const Place& place);
  bool check_members(const Node& node, const boost::json::object& object, const Place& place);
  bool check_combinations(const Node& node, const Value& value, const Place& place);
  bool check_any_of(const Node& node, const Value& value, const Place& place);
  bool check_one_of(const Node& node, const Value& value, const Place& place);

  /// The check of something whose outcome decides, and whose faults are nobody's.
  bool tried(NodeId id, const Value& value, const Place& place);
  /// Notes what is wrong, when that is wanted. Always false, to be returned.
  bool wrong(const Place& place, const std::string& what);
  bool wrong_kind(const Place& place, const std::string& expected, const std::string& instead);
  void join(std::vector<Finding> alternatives, const Place& place);

  const std::vector<Node>& nodes_;
  Work work_;
  bool explains_;
  bool too_deep_ = false;
  int depth_ = 0;
  std::optional<Finding> finding_;
};

}  // namespace perdure::schema
