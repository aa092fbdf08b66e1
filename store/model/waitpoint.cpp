#include "store/model/waitpoint.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "store/model/timestamp.h"

namespace perdure::store {
namespace {

namespace json = boost::json;

constexpr std::size_t kRunsShown = 10;

}  // namespace

Status check_wait(std::string_view name, const Wait& wait, bool has_time) {
  if (name.empty() || name.size() > kLongestWaitName) {
    return Status::invalid("a wait's name has 1 to " + std::to_string(kLongestWaitName) + " bytes");
  }
  if (wait.members.empty() || wait.members.size() > kMostWaitpoints) {
    return Status::invalid("a wait is for 1 to " + std::to_string(kMostWaitpoints) + " times and runs, not for " +
                           std::to_string(wait.members.size()));
  }
  const auto is_time = [](const Waitpoint& each) { return each.kind == WaitpointKind::kTime; };
  if (std::ranges::any_of(wait.members, is_time) != has_time) {
    return Status::invalid("a wait has a time when it is for one");
  }
  for (const Waitpoint& each : wait.members) {
    if (each.kind == WaitpointKind::kRun && !is_run_id(each.run.text())) {
      return Status::invalid("\"" + each.run.text().substr(0, 100) + "\" is no id of a run to wait for");
    }
  }
  return Status::ok();
}

std::string wait_event_data(std::string_view name, const Wait& wait, std::optional<Time> until) {
  json::object data{{"name", name}};
  if (wait.members.size() > 1) data["mode"] = wait.mode == WaitMode::kAny ? "any" : "all";
  json::array runs;
  for (const Waitpoint& each : wait.members) {
    if (each.kind == WaitpointKind::kRun && runs.size() < kRunsShown) runs.push_back(json::string(each.run.text()));
  }
  if (!runs.empty()) data["runs"] = std::move(runs);
  if (wait.members.size() > 1) data["count"] = wait.members.size();
  if (until) data["until"] = format_time(*until);
  return json::serialize(data);
}

}  // namespace perdure::store
