#include "host/api/router.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <utility>

#include "host/api/errors.h"

namespace perdure::api {
namespace {

struct Entry {
  Method method;
  std::span<const std::string_view> path;  // "*" stands for any one segment: the route's arguments
  Route route;
};

constexpr std::array<std::string_view, 5> kTrigger{"api", "v1", "tasks", "*", "trigger"};
constexpr std::array<std::string_view, 4> kRetrieve{"api", "v3", "runs", "*"};
constexpr std::array<std::string_view, 3> kList{"api", "v1", "runs"};
constexpr std::array<std::string_view, 5> kCancel{"api", "v2", "runs", "*", "cancel"};
constexpr std::array<std::string_view, 5> kReplay{"api", "v1", "runs", "*", "replay"};
constexpr std::array<std::string_view, 5> kReschedule{"api", "v1", "runs", "*", "reschedule"};
constexpr std::array<std::string_view, 5> kResetKey{"api", "v1", "idempotencyKeys", "*", "reset"};
constexpr std::array<std::string_view, 3> kBatches{"api", "v3", "batches"};
constexpr std::array<std::string_view, 5> kBatchItems{"api", "v3", "batches", "*", "items"};
constexpr std::array<std::string_view, 4> kBatch{"api", "v2", "batches", "*"};
constexpr std::array<std::string_view, 3> kBulkActions{"api", "v1", "bulk-actions"};
constexpr std::array<std::string_view, 4> kBulkAction{"api", "v1", "bulk-actions", "*"};
constexpr std::array<std::string_view, 5> kBulkAbort{"api", "v1", "bulk-actions", "*", "abort"};
constexpr std::array<std::string_view, 5> kMetadata{"api", "v1", "runs", "*", "metadata"};
constexpr std::array<std::string_view, 5> kTags{"api", "v1", "runs", "*", "tags"};
constexpr std::array<std::string_view, 3> kQueues{"api", "v1", "queues"};
constexpr std::array<std::string_view, 4> kQueue{"api", "v1", "queues", "*"};
constexpr std::array<std::string_view, 5> kPauseQueue{"api", "v1", "queues", "*", "pause"};
constexpr std::array<std::string_view, 6> kOverrideQueue{"api", "v1", "queues", "*", "concurrency", "override"};
constexpr std::array<std::string_view, 6> kResetQueue{"api", "v1", "queues", "*", "concurrency", "reset"};
constexpr std::array<std::string_view, 5> kQueueKeys{"perdure", "v1", "queues", "*", "keys"};
constexpr std::array<std::string_view, 5> kRealtimeStream{"realtime", "v1", "streams", "*", "*"};
constexpr std::array<std::string_view, 4> kRun{"perdure", "v1", "runs", "*"};
constexpr std::array<std::string_view, 5> kLogs{"perdure", "v1", "runs", "*", "logs"};
constexpr std::array<std::string_view, 5> kTrace{"perdure", "v1", "runs", "*", "trace"};
constexpr std::array<std::string_view, 5> kStack{"perdure", "v1", "runs", "*", "stack"};
constexpr std::array<std::string_view, 5> kStart{"perdure", "v1", "runs", "*", "start"};
constexpr std::array<std::string_view, 5> kChildren{"perdure", "v1", "runs", "*", "children"};
constexpr std::array<std::string_view, 5> kStreams{"perdure", "v1", "runs", "*", "streams"};
constexpr std::array<std::string_view, 6> kStream{"perdure", "v1", "runs", "*", "streams", "*"};
constexpr std::array<std::string_view, 3> kTasks{"perdure", "v1", "tasks"};
constexpr std::array<std::string_view, 4> kTask{"perdure", "v1", "tasks", "*"};
constexpr std::array<std::string_view, 3> kPlugins{"perdure", "v1", "plugins"};
constexpr std::array<std::string_view, 5> kRollback{"perdure", "v1", "plugins", "*", "rollback"};
constexpr std::array<std::string_view, 5> kRelease{"perdure", "v1", "plugins", "*", "release"};
constexpr std::array<std::string_view, 3> kStatus{"perdure", "v1", "status"};
constexpr std::array<std::string_view, 3> kSchedules{"api", "v1", "schedules"};
constexpr std::array<std::string_view, 4> kSchedule{"api", "v1", "schedules", "*"};
constexpr std::array<std::string_view, 5> kActivate{"api", "v1", "schedules", "*", "activate"};
constexpr std::array<std::string_view, 5> kDeactivate{"api", "v1", "schedules", "*", "deactivate"};
constexpr std::array<std::string_view, 3> kTimezones{"api", "v1", "timezones"};
constexpr std::array<std::string_view, 3> kLongSchedules{"perdure", "v1", "schedules"};
constexpr std::array<std::string_view, 4> kLongSchedule{"perdure", "v1", "schedules", "*"};
constexpr std::array<std::string_view, 5> kUpcoming{"perdure", "v1", "schedules", "*", "upcoming"};
constexpr std::array<std::string_view, 5> kBackfill{"perdure", "v1", "schedules", "*", "backfill"};
constexpr std::array<std::string_view, 3> kPreview{"perdure", "v1", "upcoming"};
constexpr std::array<std::string_view, 1> kHealth{"healthz"};
constexpr std::array<std::string_view, 1> kReadiness{"readyz"};

constexpr std::array kRoutes{
    Entry{Method::kPost, kTrigger, trigger_task},
    Entry{Method::kGet, kRetrieve, retrieve_run},
    Entry{Method::kGet, kList, list_runs},
    Entry{Method::kPost, kCancel, cancel_run},
    Entry{Method::kPost, kReplay, replay_run},
    Entry{Method::kPost, kReschedule, reschedule_run},
    Entry{Method::kPost, kResetKey, reset_idempotency_key},
    Entry{Method::kPost, kBatches, create_batch},
    Entry{Method::kPost, kBatchItems, add_batch_items},
    Entry{Method::kGet, kBatch, show_batch},
    Entry{Method::kPost, kBulkActions, begin_bulk_action},
    Entry{Method::kGet, kBulkActions, list_bulk_actions},
    Entry{Method::kGet, kBulkAction, show_bulk_action},
    Entry{Method::kPost, kBulkAbort, abort_bulk_action},
    Entry{Method::kGet, kMetadata, show_metadata},
    Entry{Method::kPut, kMetadata, change_metadata},
    Entry{Method::kPost, kTags, add_tags},
    Entry{Method::kGet, kQueues, list_queues},
    Entry{Method::kGet, kQueue, show_queue},
    Entry{Method::kPost, kPauseQueue, pause_queue},
    Entry{Method::kPost, kOverrideQueue, override_queue},
    Entry{Method::kPost, kResetQueue, reset_queue},
    Entry{Method::kGet, kQueueKeys, list_queue_keys},
    Entry{Method::kGet, kRealtimeStream, follow_stream},
    Entry{Method::kGet, kRun, show_run},
    Entry{Method::kGet, kChildren, list_children},
    Entry{Method::kGet, kStreams, list_streams},
    Entry{Method::kGet, kStream, show_stream},
    Entry{Method::kGet, kLogs, show_logs},
    Entry{Method::kGet, kTrace, show_trace},
    Entry{Method::kGet, kStack, show_stack},
    Entry{Method::kGet, kStart, show_start},
    Entry{Method::kGet, kTasks, list_tasks},
    Entry{Method::kGet, kTask, show_task},
    Entry{Method::kGet, kPlugins, list_plugins},
    Entry{Method::kPost, kRollback, roll_back_plugin},
    Entry{Method::kPost, kRelease, release_plugin},
    Entry{Method::kGet, kStatus, show_status},
    Entry{Method::kGet, kSchedules, list_schedules},
    Entry{Method::kPost, kSchedules, create_schedule},
    Entry{Method::kGet, kSchedule, retrieve_schedule},
    Entry{Method::kPut, kSchedule, update_schedule},
    Entry{Method::kDelete, kSchedule, delete_schedule},
    Entry{Method::kPost, kActivate, activate_schedule},
    Entry{Method::kPost, kDeactivate, deactivate_schedule},
    Entry{Method::kGet, kTimezones, list_timezones},
    Entry{Method::kGet, kLongSchedules, list_schedules_at_length},
    Entry{Method::kGet, kLongSchedule, show_schedule},
    Entry{Method::kGet, kUpcoming, show_upcoming},
    Entry{Method::kPost, kBackfill, backfill_schedule},
    Entry{Method::kGet, kPreview, preview_upcoming},
    Entry{Method::kGet, kHealth, show_health},
    Entry{Method::kGet, kReadiness, show_readiness},
};

bool matches(std::span<const std::string_view> pattern, const std::vector<std::string>& path) {
  return std::ranges::equal(pattern, path, [](std::string_view expected, const std::string& segment) {
    return expected == "*" ? !segment.empty() : expected == segment;
  });
}

bool needs_key(const Request& request) {
  if (std::ranges::equal(request.path, kTimezones)) return false;  // clients ask without one
  return !request.path.empty() &&
         (request.path[0] == "api" || request.path[0] == "perdure" || request.path[0] == "realtime");
}

// What a POST may carry: nothing, or JSON.
bool is_json_type(std::string_view type) {
  type = type.substr(0, type.find(';'));
  while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
  const auto same = [](std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x + 32 : x) == y; });
  };
  return same(type, "application/json") || type.ends_with("+json");
}

bool is_ndjson_type(std::string_view type) {
  type = type.substr(0, type.find(';'));
  while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
  return type == "application/x-ndjson" || type == "application/ndjson" || type == "application/jsonl";
}

}  // namespace

bool Router::takes_items(const std::vector<std::string>& path) { return matches(kBatchItems, path); }

Router::Router(Api& api) : api_(api), guard_(api.options.key, api.options.host_names) {}

std::variant<Route, Response> Router::admit(Request& request) const {
  if (std::optional<Response> refusal = guard_.check_host(request)) return std::move(*refusal);
  if (needs_key(request)) {
    if (std::optional<Response> refusal = guard_.check_key(request)) return std::move(*refusal);
  }
  const Method method = request.method == Method::kHead ? Method::kGet : request.method;
  std::string allowed;
  for (const Entry& entry : kRoutes) {
    if (!matches(entry.path, request.path)) continue;
    if (entry.method != method) {
      if (!allowed.empty()) allowed += ", ";
      allowed += entry.method == Method::kGet ? "GET, HEAD" : std::string(method_name(entry.method));
      continue;
    }
    std::string* argument = &request.argument;
    for (std::size_t i = 0; i < entry.path.size(); ++i) {
      if (entry.path[i] == "*") *std::exchange(argument, &request.second_argument) = request.path[i];
    }
    const std::string* const type = request.header("content-type");
    if (method == Method::kPost && entry.route == trigger_task && type != nullptr && !is_json_type(*type)) {
      return error_response(415,
                            "the body must be JSON: send \"content-type: application/json\", not \"" + *type + "\"");
    }
    if (entry.route == add_batch_items && type != nullptr && !is_ndjson_type(*type)) {
      return error_response(
          415,
          "the items of a batch are lines of JSON: send \"content-type: application/x-ndjson\", not \"" + *type + "\"");
    }
    return entry.route;
  }
  if (!allowed.empty()) {
    Response response = error_response(405, "this path answers " + allowed + " only");
    response.headers.push_back({"allow", allowed});
    return response;
  }
  return error_response(404, "there is nothing at " + request.target.substr(0, request.target.find('?')));
}

}  // namespace perdure::api
