// From the JSON of a schema to nodes. Used once for each schema; single-threaded.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "host/schema/node.h"
#include "store/model/status.h"

namespace perdure::schema {

class Compiler {
 public:
  explicit Compiler(const boost::json::value& document) : document_(document) {}
  /// The nodes; the document's own is the first.
  store::Result<std::vector<Node>> compile();

 private:
  using Object = boost::json::object;
  using Value = boost::json::value;

  NodeId node_of(const Value& schema, const std::string& at);
  void fill(const Object& schema, const std::string& at, Node& node);
  void values(const Object& schema, const std::string& at, Node& node);
  void numbers(const Object& schema, const std::string& at, Node& node);
  void texts(const Object& schema, const std::string& at, Node& node);
  void arrays(const Object& schema, const std::string& at, Node& node);
  void objects(const Object& schema, const std::string& at, Node& node);
  void dependencies(const Object& schema, const std::string& at, Node& node);
  void combinations(const Object& schema, const std::string& at, Node& node);
  void reference(const Value& target, const std::string& at, Node& node);

  std::optional<NodeId> below(const Object& schema, std::string_view keyword, const std::string& at);
  std::vector<NodeId> list_below(const Object& schema, std::string_view keyword, const std::string& at);
  std::optional<std::size_t> count(const Object& schema, std::string_view keyword, const std::string& at);
  std::vector<std::string> names(const Value& list, const std::string& at);
  std::optional<Pattern> pattern(std::string_view text, const std::string& at);
  void find_names(const Value& schema, const std::string& at, int depth);
  void refuse_endless();
  const Value* resolve(std::string_view target, std::string& at);
  void fail(const std::string& at, const std::string& why);

  const Value& document_;
  std::vector<Node> nodes_;
  std::vector<std::string> places_;             // of nodes_
  std::map<std::string, NodeId> by_place_;      // nodes begun, by their pointers
  std::map<std::string, std::string> by_name_;  // "#name" and ids: their pointers
  std::vector<std::pair<const Value*, std::string>> unfinished_;
  store::Status status_;
};

}  // namespace perdure::schema
