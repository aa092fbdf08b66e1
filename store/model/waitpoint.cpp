#include "store/model/waitpoint.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "store/model/timestamp.h"

namespace perdure::store {
namespace {

namespace json = boost::json;

constexpr std::size_t kShown = 10;  // runs and tokens

}  // namespace

Status check_wait(std::string_view name, const Wait& wait, bool has_time) {
  if (name.empty() || name.size() > kLongestWaitName) {
    return Status::invalid("a wait's name has 1 to " + std::to_string(kLongestWaitName) + " bytes");
  }
  if (wait.members.empty() || wait.members.size() > kMostWaitpoints) {
    return Status::invalid("a wait is for 1 to " + std::to_string(kMostWaitpoints) +
                           " times, runs and tokens, not for " + std::to_string(wait.members.size()));
  }
  const auto is_time = [](const Waitpoint& each) { return each.kind == WaitpointKind::kTime; };
  if (std::ranges::any_of(wait.members, is_time) != has_time) {
    return Status::invalid("a wait has a time when it is for one");
  }
  for (const Waitpoint& each : wait.members) {
    const bool good = each.kind == WaitpointKind::kRun     ? is_run_id(each.run.text())
                      : each.kind == WaitpointKind::kToken ? is_token_id(each.token.text())
                                                           : true;
    if (good) continue;
    const std::string& id = each.kind == WaitpointKind::kRun ? each.run.text() : each.token.text();
    return Status::invalid("\"" + id.substr(0, 100) + "\" is no id of a run or a token to wait for");
  }
  return Status::ok();
}

std::string wait_event_data(std::string_view name, const Wait& wait, std::optional<Time> until) {
  json::object data{{"name", name}};
  if (wait.members.size() > 1) data["mode"] = wait.mode == WaitMode::kAny ? "any" : "all";
  json::array runs, tokens;
  for (const Waitpoint& each : wait.members) {
    if (runs.size() + tokens.size() == kShown) break;
    if (each.kind == WaitpointKind::kRun) runs.push_back(json::string(each.run.text()));
    if (each.kind == WaitpointKind::kToken) tokens.push_back(json::string(each.token.text()));
  }
  if (!runs.empty()) data["runs"] = std::move(runs);
  if (!tokens.empty()) data["tokens"] = std::move(tokens);
  if (wait.members.size() > 1) data["count"] = wait.members.size();
  if (until) data["until"] = format_time(*until);
  return json::serialize(data);
}

}  // namespace perdure::store
