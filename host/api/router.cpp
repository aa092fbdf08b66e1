#include "host/api/router.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <utility>

#include "host/api/access.h"
#include "host/api/content_coding.h"
#include "host/api/errors.h"

namespace perdure::api {
namespace {

struct Entry {
  Method method;
  std::span<const std::string_view> path;  // "*" stands for any one segment: the route's arguments
  Route route;
  Access access;
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
constexpr std::array<std::string_view, 5> kBatchResults{"api", "v1", "batches", "*", "results"};
constexpr std::array<std::string_view, 3> kBulkActions{"api", "v1", "bulk-actions"};
constexpr std::array<std::string_view, 4> kBulkAction{"api", "v1", "bulk-actions", "*"};
constexpr std::array<std::string_view, 5> kBulkAbort{"api", "v1", "bulk-actions", "*", "abort"};
constexpr std::array<std::string_view, 5> kMetadata{"api", "v1", "runs", "*", "metadata"};
constexpr std::array<std::string_view, 5> kResult{"api", "v1", "runs", "*", "result"};
constexpr std::array<std::string_view, 5> kEvents{"api", "v1", "runs", "*", "events"};
constexpr std::array<std::string_view, 5> kPublicTrace{"api", "v1", "runs", "*", "trace"};
constexpr std::array<std::string_view, 5> kTags{"api", "v1", "runs", "*", "tags"};
constexpr std::array<std::string_view, 4> kWaitpoints{"api", "v1", "waitpoints", "tokens"};
constexpr std::array<std::string_view, 5> kWaitpoint{"api", "v1", "waitpoints", "tokens", "*"};
constexpr std::array<std::string_view, 6> kCompleteWaitpoint{"api", "v1", "waitpoints", "tokens", "*", "complete"};
constexpr std::array<std::string_view, 7> kCallWaitpointBack{"api", "v1", "waitpoints", "tokens", "*", "callback", "*"};
constexpr std::array<std::string_view, 3> kQueues{"api", "v1", "queues"};
constexpr std::array<std::string_view, 4> kQueue{"api", "v1", "queues", "*"};
constexpr std::array<std::string_view, 5> kPauseQueue{"api", "v1", "queues", "*", "pause"};
constexpr std::array<std::string_view, 6> kOverrideQueue{"api", "v1", "queues", "*", "concurrency", "override"};
constexpr std::array<std::string_view, 6> kResetQueue{"api", "v1", "queues", "*", "concurrency", "reset"};
constexpr std::array<std::string_view, 5> kQueueKeys{"perdure", "v1", "queues", "*", "keys"};
constexpr std::array<std::string_view, 5> kTokenClaims{"api", "v1", "auth", "jwt", "claims"};
constexpr std::array<std::string_view, 4> kPublicTokens{"api", "v1", "auth", "public-tokens"};
constexpr std::array<std::string_view, 3> kOpenApi{"perdure", "v1", "openapi.json"};
constexpr std::array<std::string_view, 3> kKeys{"perdure", "v1", "keys"};
constexpr std::array<std::string_view, 4> kKey{"perdure", "v1", "keys", "*"};
constexpr std::array<std::string_view, 5> kRotate{"perdure", "v1", "keys", "root", "rotate"};
constexpr std::array<std::string_view, 4> kRealtimeRun{"realtime", "v1", "runs", "*"};
constexpr std::array<std::string_view, 4> kRealtimeBatch{"realtime", "v1", "batches", "*"};
constexpr std::array<std::string_view, 3> kRealtimeRuns{"realtime", "v1", "runs"};
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
constexpr std::array<std::string_view, 4> kUploads{"api", "v2", "packets", "*"};
constexpr std::array<std::string_view, 4> kPackets{"api", "v1", "packets", "*"};
constexpr std::array<std::string_view, 6> kRunPackets{"api", "v1", "runs", "*", "packets", "*"};
constexpr std::array<std::string_view, 2> kPacket{"packets", "*"};
constexpr std::array<std::string_view, 5> kProjectRuns{"api", "v1", "projects", "*", "runs"};
constexpr std::array<std::string_view, 6> kVariables{"api", "v1", "projects", "*", "envvars", "*"};
constexpr std::array<std::string_view, 7> kImport{"api", "v1", "projects", "*", "envvars", "*", "import"};
constexpr std::array<std::string_view, 7> kVariable{"api", "v1", "projects", "*", "envvars", "*", "*"};
constexpr std::array<std::string_view, 3> kWhoAmI1{"api", "v1", "whoami"};
constexpr std::array<std::string_view, 3> kWhoAmI2{"api", "v2", "whoami"};
constexpr std::array<std::string_view, 1> kHealth{"healthz"};
constexpr std::array<std::string_view, 1> kReadiness{"readyz"};

constexpr std::array kRoutes{
    Entry{Method::kPost, kTrigger, trigger_task, Access::kTriggerTask},
    Entry{Method::kGet, kRetrieve, retrieve_run, Access::kReadRun},
    Entry{Method::kGet, kList, list_runs, Access::kReadRuns},
    Entry{Method::kGet, kProjectRuns, list_runs, Access::kReadRuns},
    Entry{Method::kPost, kCancel, cancel_run, Access::kWriteRun},
    Entry{Method::kPost, kReplay, replay_run, Access::kTrigger},
    Entry{Method::kPost, kReschedule, reschedule_run, Access::kTrigger},
    Entry{Method::kPost, kResetKey, reset_idempotency_key, Access::kTrigger},
    Entry{Method::kPost, kBatches, create_batch, Access::kTriggerBatch},
    Entry{Method::kPost, kBatchItems, add_batch_items, Access::kTriggerBatch},
    Entry{Method::kGet, kBatch, show_batch, Access::kReadBatch},
    Entry{Method::kGet, kBatchResults, show_batch_results, Access::kReadBatch},
    Entry{Method::kPost, kBulkActions, begin_bulk_action, Access::kTrigger},
    Entry{Method::kGet, kBulkActions, list_bulk_actions, Access::kRead},
    Entry{Method::kGet, kBulkAction, show_bulk_action, Access::kRead},
    Entry{Method::kPost, kBulkAbort, abort_bulk_action, Access::kTrigger},
    Entry{Method::kGet, kMetadata, show_metadata, Access::kRead},
    Entry{Method::kPut, kMetadata, change_metadata, Access::kTrigger},
    Entry{Method::kGet, kResult, show_result, Access::kRead},
    Entry{Method::kGet, kEvents, show_events, Access::kRead},
    Entry{Method::kGet, kPublicTrace, show_public_trace, Access::kRead},
    Entry{Method::kPost, kTags, add_tags, Access::kTrigger},
    Entry{Method::kPost, kTokenClaims, show_token_claims, Access::kAnyKey},
    Entry{Method::kPost, kPublicTokens, make_public_token, Access::kAnyKey},
    Entry{Method::kGet, kOpenApi, show_openapi, Access::kAnyKey},
    Entry{Method::kGet, kKeys, list_keys, Access::kAdmin},
    Entry{Method::kPost, kKeys, create_key, Access::kAdmin},
    Entry{Method::kDelete, kKey, revoke_key, Access::kAdmin},
    Entry{Method::kPost, kRotate, rotate_root_key, Access::kAdmin},
    Entry{Method::kPost, kWaitpoints, create_waitpoint, Access::kTrigger},
    Entry{Method::kGet, kWaitpoints, list_waitpoints, Access::kRead},
    Entry{Method::kGet, kWaitpoint, retrieve_waitpoint, Access::kRead},
    Entry{Method::kPost, kCompleteWaitpoint, complete_waitpoint, Access::kCompleteWaitpoint},
    Entry{Method::kPost, kCallWaitpointBack, call_waitpoint_back, Access::kOpen},
    Entry{Method::kGet, kQueues, list_queues, Access::kRead},
    Entry{Method::kGet, kQueue, show_queue, Access::kRead},
    Entry{Method::kPost, kPauseQueue, pause_queue, Access::kAdmin},
    Entry{Method::kPost, kOverrideQueue, override_queue, Access::kAdmin},
    Entry{Method::kPost, kResetQueue, reset_queue, Access::kAdmin},
    Entry{Method::kGet, kQueueKeys, list_queue_keys, Access::kRead},
    Entry{Method::kGet, kRealtimeRun, subscribe_run, Access::kReadRun},
    Entry{Method::kGet, kRealtimeBatch, subscribe_batch, Access::kReadBatch},
    Entry{Method::kGet, kRealtimeRuns, subscribe_tags, Access::kReadTags},
    Entry{Method::kGet, kRealtimeStream, follow_stream, Access::kReadRun},
    Entry{Method::kGet, kRun, show_run, Access::kRead},
    Entry{Method::kGet, kChildren, list_children, Access::kRead},
    Entry{Method::kGet, kStreams, list_streams, Access::kRead},
    Entry{Method::kGet, kStream, show_stream, Access::kRead},
    Entry{Method::kGet, kLogs, show_logs, Access::kRead},
    Entry{Method::kGet, kTrace, show_trace, Access::kRead},
    Entry{Method::kGet, kStack, show_stack, Access::kRead},
    Entry{Method::kGet, kStart, show_start, Access::kAdmin},
    Entry{Method::kGet, kTasks, list_tasks, Access::kRead},
    Entry{Method::kGet, kTask, show_task, Access::kRead},
    Entry{Method::kGet, kPlugins, list_plugins, Access::kRead},
    Entry{Method::kPost, kRollback, roll_back_plugin, Access::kAdmin},
    Entry{Method::kPost, kRelease, release_plugin, Access::kAdmin},
    Entry{Method::kGet, kStatus, show_status, Access::kRead},
    Entry{Method::kGet, kSchedules, list_schedules, Access::kRead},
    Entry{Method::kPost, kSchedules, create_schedule, Access::kAdmin},
    Entry{Method::kGet, kSchedule, retrieve_schedule, Access::kRead},
    Entry{Method::kPut, kSchedule, update_schedule, Access::kAdmin},
    Entry{Method::kDelete, kSchedule, delete_schedule, Access::kAdmin},
    Entry{Method::kPost, kActivate, activate_schedule, Access::kAdmin},
    Entry{Method::kPost, kDeactivate, deactivate_schedule, Access::kAdmin},
    Entry{Method::kGet, kTimezones, list_timezones, Access::kOpen},
    Entry{Method::kGet, kLongSchedules, list_schedules_at_length, Access::kRead},
    Entry{Method::kGet, kLongSchedule, show_schedule, Access::kRead},
    Entry{Method::kGet, kUpcoming, show_upcoming, Access::kRead},
    Entry{Method::kPost, kBackfill, backfill_schedule, Access::kTrigger},
    Entry{Method::kGet, kPreview, preview_upcoming, Access::kRead},
    Entry{Method::kPut, kUploads, prepare_upload, Access::kTrigger},
    Entry{Method::kGet, kPackets, find_packet, Access::kRead},
    Entry{Method::kGet, kRunPackets, find_run_packet, Access::kReadRun},
    Entry{Method::kPut, kPacket, upload_packet, Access::kSigned},
    Entry{Method::kGet, kPacket, download_packet, Access::kSigned},
    Entry{Method::kGet, kVariables, list_variables, Access::kAdmin},
    Entry{Method::kPost, kVariables, create_variable, Access::kAdmin},
    Entry{Method::kPost, kImport, import_variables, Access::kAdmin},
    Entry{Method::kGet, kVariable, show_variable, Access::kAdmin},
    Entry{Method::kPut, kVariable, update_variable, Access::kAdmin},
    Entry{Method::kDelete, kVariable, delete_variable, Access::kAdmin},
    Entry{Method::kGet, kWhoAmI1, who_am_i, Access::kAnyKey},
    Entry{Method::kGet, kWhoAmI2, who_am_i, Access::kAnyKey},
    Entry{Method::kGet, kHealth, show_health, Access::kOpen},
    Entry{Method::kGet, kReadiness, show_readiness, Access::kOpen},
};

bool matches(std::span<const std::string_view> pattern, const std::vector<std::string>& path) {
  return std::ranges::equal(pattern, path, [](std::string_view expected, const std::string& segment) {
    return expected == "*" ? !segment.empty() : expected == segment;
  });
}

bool needs_a_key(Access access) { return access != Access::kOpen && access != Access::kSigned; }

bool is_for_keys(const Request& request) {
  return !request.path.empty() &&
         (request.path[0] == "api" || request.path[0] == "perdure" || request.path[0] == "realtime");
}

// The routes at a path: the one of the method that is asked for, and what the path answers to.
struct Found {
  const Entry* entry = nullptr;
  std::string allowed;        // methods, as in the header of that name; empty: there is nothing at the path
  bool for_browsers = false;  // a page of another origin may ask for it; without `entry`, for something here
  bool open = true;           // nothing that is here takes a key; meaningful without `entry`
};

Found find(const Request& request) {
  const Method method = request.method == Method::kHead ? Method::kGet : request.method;
  Found found;
  for (const Entry& entry : kRoutes) {
    if (!matches(entry.path, request.path)) continue;
    if (entry.method == method) {
      found.entry = &entry;
      found.for_browsers = is_for_browsers(entry.access);
      return found;
    }
    found.for_browsers = found.for_browsers || is_for_browsers(entry.access);
    found.open = found.open && !needs_a_key(entry.access);
    if (!found.allowed.empty()) found.allowed += ", ";
    found.allowed += entry.method == Method::kGet ? "GET, HEAD" : std::string(method_name(entry.method));
  }
  return found;
}

// What clients of the public contract may look for in vain has a sentence of its own.
std::string nothing_at(const Request& request) {
  const std::vector<std::string>& path = request.path;
  if (path.size() >= 3 && path[0] == "api" && path[2] == "concurrency-limits") {
    return "this host has no named concurrency limits: limit queues, and divide them by options.concurrencyKey";
  }
  return "there is nothing at " + request.target.substr(0, request.target.find('?'));
}

// What a browser wants to know before it lets a page of another origin send a request with a key.
Response preflight(const Request& request, const std::string& allowed) {
  Response response{.status = 204, .content_type = ""};
  response.headers = {{"access-control-allow-methods", allowed}, {"access-control-max-age", "600"}};
  if (const std::string* const headers = request.header("access-control-request-headers")) {
    response.headers.push_back({"access-control-allow-headers", *headers});
  }
  return response;
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

// What is compressed costs more than it took to send: who has no key is to send it as it is.
std::optional<Response> refuse_coding(const Request& request, bool has_key) {
  const ContentCoding coding = content_coding_of(request);
  if (coding == ContentCoding::kIdentity || (coding == ContentCoding::kGzip && has_key)) return std::nullopt;
  Response response = error_response(
      415, has_key ? "a body may be sent as it is or with \"content-encoding: gzip\", and in no other coding"
                   : "without a key a body must be sent as it is, without content-encoding");
  response.headers.push_back({"accept-encoding", has_key ? "gzip" : "identity"});
  return response;
}

}  // namespace

std::vector<RouteName> route_names() {
  std::vector<RouteName> names;
  for (const Entry& entry : kRoutes) {
    RouteName name{entry.method, ""};
    for (const std::string_view part : entry.path) name.path.append("/").append(part);
    names.push_back(std::move(name));
  }
  return names;
}

bool Router::takes_items(const std::vector<std::string>& path) { return matches(kBatchItems, path); }

bool Router::is_from_a_page(const Request& request) {
  return request.header("origin") != nullptr && find(request).for_browsers;
}

Router::Router(Api& api) : api_(api), guard_(api.keys, api.options.host_names) {}

std::variant<Route, Response> Router::admit(Request& request) const {
  if (std::optional<Response> refusal = guard_.check_host(request)) return std::move(*refusal);
  const Found found = find(request);
  if (std::optional<Response> refusal = guard_.check_origin(request, found.for_browsers)) return std::move(*refusal);
  request.from_a_page = found.for_browsers && request.header("origin") != nullptr;
  if (request.from_a_page && request.method == Method::kOptions) return preflight(request, found.allowed);

  const bool other_method = found.entry == nullptr && !found.allowed.empty();
  const bool needs_key = found.entry != nullptr ? needs_a_key(found.entry->access)
                         : other_method         ? !found.open
                                                : is_for_keys(request);
  if (needs_key) {
    if (std::optional<Response> refusal = guard_.check_key(request)) return std::move(*refusal);
  }
  if (other_method) {
    Response response = error_response(405, "this path answers " + found.allowed + " only");
    response.headers.push_back({"allow", found.allowed});
    return response;
  }
  if (found.entry == nullptr) {
    return error_response(404, nothing_at(request));
  }
  const Entry& entry = *found.entry;
  std::string* argument = &request.argument;
  for (std::size_t i = 0; i < entry.path.size(); ++i) {
    if (entry.path[i] == "*") *std::exchange(argument, &request.second_argument) = request.path[i];
  }
  if (std::optional<Response> refusal = refuse_access(request, entry.access)) return std::move(*refusal);
  if (entry.method != Method::kGet) {
    if (std::optional<Response> refusal = refuse_coding(request, needs_key)) return std::move(*refusal);
  }
  const std::string* const type = request.header("content-type");
  if (entry.method == Method::kPost && entry.route == trigger_task && type != nullptr && !is_json_type(*type)) {
    return error_response(415, "the body must be JSON: send \"content-type: application/json\", not \"" + *type + "\"");
  }
  if (entry.route == add_batch_items && type != nullptr && !is_ndjson_type(*type)) {
    return error_response(
        415,
        "the items of a batch are lines of JSON: send \"content-type: application/x-ndjson\", not \"" + *type + "\"");
  }
  return entry.route;
}

}  // namespace perdure::api
