#include <array>

#include "host/api/openapi.h"

namespace perdure::api {
namespace {

constexpr std::string_view kListFilters =
    "filter[status] filter[taskIdentifier] filter[tag] filter[version] filter[queue] filter[machine] filter[schedule] "
    "filter[batch] filter[bulkAction] filter[isTest] filter[createdAt][from] filter[createdAt][to] "
    "filter[createdAt][period] "
    "page[size] page[after] page[before]";
constexpr std::string_view kPages = "page perPage";
constexpr std::string_view kShape = "offset=-1 handle live cursor skipColumns";

constexpr Method kGet = Method::kGet, kPost = Method::kPost, kPut = Method::kPut, kDelete = Method::kDelete;

constexpr std::array kOperations{
    // Triggering
    Operation{kPost, "/api/v1/tasks/{task}/trigger", "Triggered", "Creates a run; answered once it is durable.", "",
              R"({"payload":{"name":"Ada"},"options":{"tags":["user:1"],"ttl":"1h"}})"},
    Operation{kPost, "/api/v1/idempotencyKeys/{key}/reset", "Id", "Frees an idempotency key of a task.", "",
              R"({"taskIdentifier":"echo"})"},
    Operation{kPost, "/api/v3/batches", "BatchCreated", "Makes a batch that waits for its items.", "",
              R"({"runCount":1,"idempotencyKey":"night"})", 202},
    Operation{kPost, "/api/v3/batches/{batch}/items", "ItemsTaken",
              "Its items, one in each line; with the last its runs come to be.", "",
              R"({"index":0,"task":"echo","payload":1})", 200, "application/x-ndjson"},
    Operation{kGet, "/api/v2/batches/{batch}", "Batch", "How far a batch is."},
    Operation{kGet, "/api/v1/batches/{batch}/results", "BatchResults",
              "What came of its runs that have ended, in the items' order."},
    // Runs
    Operation{kGet, "/api/v3/runs/{run}", "Run", "A run with its payload and its output or error."},
    Operation{kGet, "/api/v1/runs", "RunPage", "Runs, newest first, in pages.", kListFilters},
    Operation{kGet, "/api/v1/projects/{project}/runs", "RunPage", "The same.", kListFilters},
    Operation{kPost, "/api/v2/runs/{run}/cancel", "Id", "Ends a run; one that has ended is left as it is."},
    Operation{kPost, "/api/v1/runs/{run}/replay", "Triggered", "Makes another run like it, changed as the body says.",
              "", R"({"tags":["again"]})"},
    Operation{kPost, "/api/v1/runs/{delayed}/reschedule", "Run", "Moves the end of a run's delay.", "",
              R"({"delay":"2h"})"},
    Operation{kGet, "/api/v1/runs/{run}/metadata", "Metadata", "What the run says of itself."},
    Operation{kPut, "/api/v1/runs/{run}/metadata", "Metadata", "Replaces or changes it.", "",
              R"({"operations":[{"type":"increment","key":"n","value":1}]})"},
    Operation{kPost, "/api/v1/runs/{run}/tags", "Message", "Adds tags.", "", R"({"tags":["late"]})"},
    Operation{kGet, "/api/v1/runs/{finished}/result", "Result", "What came of a run; 404 while nothing has."},
    Operation{kGet, "/api/v1/runs/{run}/events", "Events", "What happened in it, as spans."},
    Operation{kGet, "/api/v1/runs/{run}/trace", "Trace", "The same as a tree; flat with a page size.", "page[size]"},
    Operation{kPost, "/api/v1/bulk-actions", "Id", "Cancels or replays many runs, in the background.", "",
              R"({"action":"cancel","filter":{"tag":"user:1"},"name":"user 1 left"})", 202},
    Operation{kGet, "/api/v1/bulk-actions", "BulkActionPage", "Bulk actions, newest first, in pages.",
              "page[size] page[after] page[before]"},
    Operation{kGet, "/api/v1/bulk-actions/{bulk}", "BulkAction", "How far a bulk action is."},
    Operation{kPost, "/api/v1/bulk-actions/{bulk}/abort", "Id", "Ends a bulk action after the runs that it is at."},
    // Large payloads
    Operation{kPut, "/api/v2/packets/{packet}", "Upload",
              "Where a large payload is to be uploaded to, before its trigger."},
    Operation{kGet, "/api/v1/packets/{packet}", "Download", "Where an uploaded payload can be downloaded."},
    Operation{kGet, "/api/v1/runs/{run}/packets/{field}", "Download",
              "Where a run's payload or output can be downloaded."},
    Operation{kPut, "/packets/{address}", "Nothing", "Uploads; without a key, by a signed address.",
              "expires=1795710762707 signature=5dbee0819b5a8a16", R"({"json":{"name":"Ada"}})"},
    Operation{kGet, "/packets/{address}", "any", "Downloads, likewise.",
              "expires=1795710762707 signature=5dbee0819b5a8a16"},
    // Live
    Operation{kGet, "/realtime/v1/runs/{run}", "[ShapeMessage]", "A run live, by long polling.", kShape},
    Operation{kGet, "/realtime/v1/runs", "[ShapeMessage]", "All runs that have these tags live.",
              "tags=user:1 createdAt offset=-1 handle live cursor skipColumns"},
    Operation{kGet, "/realtime/v1/batches/{batch}", "[ShapeMessage]", "All runs of a batch live.", kShape},
    Operation{kGet, "/realtime/v1/streams/{finished}/{stream}", "", "A stream of a run, as server-sent events."},
    // Keys
    Operation{kPost, "/api/v1/auth/jwt/claims", "Claims", "What public access tokens begin with."},
    Operation{kPost, "/api/v1/auth/public-tokens", "PublicToken", "A public access token, made by the host.", "",
              R"({"scopes":["read:tags:user:1"],"expirationTime":"1h"})"},
    Operation{kGet, "/perdure/v1/keys", "KeyPage", "The keys besides the root key."},
    Operation{kPost, "/perdure/v1/keys", "NewKey", "Makes a key; the only time that it is shown.", "",
              R"({"name":"dashboard","scopes":["read"]})"},
    Operation{kDelete, "/perdure/v1/keys/{api_key}", "Key", "Revokes a key, at once."},
    Operation{kPost, "/perdure/v1/keys/root/rotate", "RootKey",
              "Makes a new root key; the old one is accepted for the grace.", "", R"({"grace":"24h"})"},
    Operation{kGet, "/api/v1/whoami", "WhoAmI", "Whose key this is."},
    Operation{kGet, "/api/v2/whoami", "WhoAmI", "The same."},
    // Variables of attempts
    Operation{kGet, "/api/v1/projects/{project}/envvars/{environment}", "[Variable]",
              "The environment variables of attempts, as a list."},
    Operation{kPost, "/api/v1/projects/{project}/envvars/{environment}", "Success",
              "Sets one, for attempts that begin from then on.", "",
              R"({"name":"API_URL","value":"https://api.example","isSecret":false})"},
    Operation{kPost, "/api/v1/projects/{project}/envvars/{environment}/import", "Success", "Sets many, all or none.",
              "", R"({"variables":{"REGION":"eu"},"override":true})"},
    Operation{kGet, "/api/v1/projects/{project}/envvars/{environment}/{variable}", "Variable",
              "One of them; a secret one without its value."},
    Operation{kPut, "/api/v1/projects/{project}/envvars/{environment}/{variable}", "Success", "Another value.", "",
              R"({"value":"x"})"},
    Operation{kDelete, "/api/v1/projects/{project}/envvars/{environment}/{variable}", "Success", "Takes it away."},
    // Queues
    Operation{kGet, "/api/v1/queues", "QueuePage", "Queues by name.", kPages},
    Operation{kGet, "/api/v1/queues/{queue}", "Queue", "One queue, by id, or by name with its type.", "type"},
    Operation{kPost, "/api/v1/queues/{queue}/pause", "Queue", "Pauses a queue, or lets it go on.", "",
              R"({"type":"id","action":"pause"})"},
    Operation{kPost, "/api/v1/queues/{queue}/concurrency/override", "Queue", "Another limit, until the reset.", "",
              R"({"type":"id","concurrencyLimit":3})"},
    Operation{kPost, "/api/v1/queues/{queue}/concurrency/reset", "Queue", "The declared limit again.", "",
              R"({"type":"id"})"},
    Operation{kGet, "/perdure/v1/queues/{queue}/keys", "QueueKeys", "How many runs each concurrency key has.",
              "type after limit"},
    // Schedules
    Operation{kGet, "/api/v1/schedules", "SchedulePage", "Schedules, in pages.", kPages},
    Operation{kPost, "/api/v1/schedules", "Schedule", "Makes a schedule, or changes the one of that key.", "",
              R"({"task":"echo","cron":"*/5 * * * *","deduplicationKey":"every-five"})"},
    Operation{kGet, "/api/v1/schedules/{schedule}", "Schedule", "One schedule."},
    Operation{kPut, "/api/v1/schedules/{schedule}", "Schedule", "Changes it; what is left out is as by default.", "",
              R"({"task":"echo","cron":"0 3 * * *"})"},
    Operation{kDelete, "/api/v1/schedules/{schedule}", "Id", "Deletes it; its runs stay."},
    Operation{kPost, "/api/v1/schedules/{schedule}/activate", "Schedule", "Lets it fire."},
    Operation{kPost, "/api/v1/schedules/{schedule}/deactivate", "Schedule", "Lets it fire no more."},
    Operation{kGet, "/api/v1/timezones", "Timezones", "The names of time zones; without a key.", "excludeUtc"},
    Operation{kGet, "/perdure/v1/schedules", "LongSchedulePage", "Schedules with their options and last runs.", kPages},
    Operation{kGet, "/perdure/v1/schedules/{schedule}", "LongSchedule", "One of them."},
    Operation{kGet, "/perdure/v1/schedules/{schedule}/upcoming", "Upcoming", "When it is due next.", "count"},
    Operation{kPost, "/perdure/v1/schedules/{schedule}/backfill", "Backfill",
              "Makes runs for due times that have none.", "",
              R"({"from":"2026-11-01T00:00:00Z","to":"2026-11-01T01:00:00Z"})"},
    Operation{kGet, "/perdure/v1/upcoming", "Upcoming", "Due times of a pattern that is no schedule yet.",
              "cron=0+1+*+*+* timezone count"},
    // Waitpoint tokens
    Operation{kPost, "/api/v1/waitpoints/tokens", "NewWaitpoint", "Makes a token that runs can wait for.", "",
              R"({"timeout":"1h","tags":["approval"]})"},
    Operation{kGet, "/api/v1/waitpoints/tokens", "WaitpointPage", "Tokens, newest first, in pages.",
              "filter[status] filter[tags] filter[id] filter[idempotencyKey] filter[createdAt][from] "
              "filter[createdAt][to] filter[createdAt][period] page[size] page[after] page[before]"},
    Operation{kGet, "/api/v1/waitpoints/tokens/{waitpoint}", "Waitpoint", "A token, and what it was completed with."},
    Operation{kPost, "/api/v1/waitpoints/tokens/{waitpoint}/complete", "Success",
              "Completes it; it keeps its first value.", "", R"({"data":{"approved":true}})"},
    Operation{kPost, "/api/v1/waitpoints/tokens/{waitpoint}/callback/{hash}", "Success",
              "The same without a key, by its url.", "", R"({"approved":true})"},
    // Perdure's own
    Operation{kGet, "/perdure/v1/runs/{run}", "LongRun", "A run with its attempts and all its details.", "wait"},
    Operation{kGet, "/perdure/v1/runs/{run}/children", "Children", "The runs that it triggered.", "after limit"},
    Operation{kGet, "/perdure/v1/runs/{run}/streams", "Streams", "Its streams."},
    Operation{kGet, "/perdure/v1/runs/{run}/streams/{stream}", "Chunks", "Chunks of a stream.", "after limit follow"},
    Operation{kGet, "/perdure/v1/runs/{run}/logs", "Logs", "What it logged.", "after limit follow"},
    Operation{kGet, "/perdure/v1/runs/{run}/trace", "Transitions", "Every transition of the run."},
    Operation{kGet, "/perdure/v1/runs/{executing}/stack", "Stack", "Where its threads are now."},
    Operation{kGet, "/perdure/v1/runs/{executing}/start", "Start",
              "What an attempt was started with, configuration and all.", "attempt"},
    Operation{kGet, "/perdure/v1/tasks", "TaskPage", "The tasks that can be triggered."},
    Operation{kGet, "/perdure/v1/tasks/{task}", "Task", "One of them."},
    Operation{kGet, "/perdure/v1/plugins", "PluginPage", "What is loaded, held or refused, and why."},
    Operation{kPost, "/perdure/v1/plugins/{plugin}/rollback", "Plugin", "Lets the version before it serve.", "", "{}"},
    Operation{kPost, "/perdure/v1/plugins/{plugin}/release", "Released",
              "Ends a quarantine; tries again what was refused."},
    Operation{kGet, "/perdure/v1/status", "Status", "How the host is."},
    Operation{kGet, "/perdure/v1/openapi.json", "object", "This document."},
    Operation{kGet, "/healthz", "Health", "The process answers; without a key."},
    Operation{kGet, "/readyz", "Health", "It can take triggers; without a key."},
};

}  // namespace

std::span<const Operation> operations() { return kOperations; }

}  // namespace perdure::api
