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
constexpr std::string_view kShape = "offset handle live cursor skipColumns";

constexpr Method kGet = Method::kGet, kPost = Method::kPost, kPut = Method::kPut, kDelete = Method::kDelete;

constexpr std::array kOperations{
    // Triggering
    Operation{kPost, "/api/v1/tasks/{task}/trigger", "Creates a run; answered once it is durable.", "",
              R"({"payload":{"name":"Ada"},"options":{"tags":["user:1"],"ttl":"1h"}})"},
    Operation{kPost, "/api/v1/idempotencyKeys/{key}/reset", "Frees an idempotency key of a task.", "",
              R"({"taskIdentifier":"echo"})"},
    Operation{kPost, "/api/v3/batches", "Makes a batch that waits for its items.", "",
              R"({"runCount":1,"idempotencyKey":"night"})", 202},
    Operation{kPost, "/api/v3/batches/{batch}/items", "Its items, one in each line; with the last its runs come to be.",
              "", R"({"index":0,"task":"echo","payload":1})", 200, "application/x-ndjson"},
    Operation{kGet, "/api/v2/batches/{batch}", "How far a batch is."},
    Operation{kGet, "/api/v1/batches/{batch}/results", "What came of its runs that have ended, in the items' order."},
    // Runs
    Operation{kGet, "/api/v3/runs/{run}", "A run with its payload and its output or error."},
    Operation{kGet, "/api/v1/runs", "Runs, newest first, in pages.", kListFilters},
    Operation{kPost, "/api/v2/runs/{run}/cancel", "Ends a run; one that has ended is left as it is."},
    Operation{kPost, "/api/v1/runs/{run}/replay", "Makes another run like it, changed as the body says.", "",
              R"({"tags":["again"]})"},
    Operation{kPost, "/api/v1/runs/{delayed}/reschedule", "Moves the end of a run's delay.", "", R"({"delay":"2h"})"},
    Operation{kGet, "/api/v1/runs/{run}/metadata", "What the run says of itself."},
    Operation{kPut, "/api/v1/runs/{run}/metadata", "Replaces or changes it.", "",
              R"({"operations":[{"type":"increment","key":"n","value":1}]})"},
    Operation{kPost, "/api/v1/runs/{run}/tags", "Adds tags.", "", R"({"tags":["late"]})"},
    Operation{kGet, "/api/v1/runs/{finished}/result", "What came of a run; 404 while nothing has."},
    Operation{kGet, "/api/v1/runs/{run}/events", "What happened in it, as spans."},
    Operation{kGet, "/api/v1/runs/{run}/trace", "The same as a tree; flat with a page size.", "page[size]"},
    Operation{kPost, "/api/v1/bulk-actions", "Cancels or replays many runs, in the background.", "",
              R"({"action":"cancel","filter":{"tag":"user:1"},"name":"user 1 left"})", 202},
    Operation{kGet, "/api/v1/bulk-actions", "Bulk actions, newest first, in pages.",
              "page[size] page[after] page[before]"},
    Operation{kGet, "/api/v1/bulk-actions/{bulk}", "How far a bulk action is."},
    Operation{kPost, "/api/v1/bulk-actions/{bulk}/abort", "Ends a bulk action after the runs that it is at."},
    // Large payloads
    Operation{kPut, "/api/v2/packets/{packet}", "Where a large payload is to be uploaded to, before its trigger."},
    Operation{kGet, "/api/v1/packets/{packet}", "Where an uploaded payload can be downloaded."},
    Operation{kGet, "/api/v1/runs/{run}/packets/{field}", "Where a run's payload or output can be downloaded."},
    Operation{kPut, "/packets/{address}", "Uploads; without a key, by a signed address.", "expires signature",
              R"({"json":{"name":"Ada"}})"},
    Operation{kGet, "/packets/{address}", "Downloads, likewise.", "expires signature"},
    // Live
    Operation{kGet, "/realtime/v1/runs/{run}", "A run live, by long polling.", kShape},
    Operation{kGet, "/realtime/v1/runs", "All runs that have these tags live.",
              "tags createdAt offset handle live cursor skipColumns"},
    Operation{kGet, "/realtime/v1/batches/{batch}", "All runs of a batch live.", kShape},
    Operation{kGet, "/realtime/v1/streams/{finished}/{stream}", "A stream of a run, as server-sent events."},
    // Keys
    Operation{kPost, "/api/v1/auth/jwt/claims", "What public access tokens begin with."},
    Operation{kPost, "/api/v1/auth/public-tokens", "A public access token, made by the host.", "",
              R"({"scopes":["read:tags:user:1"],"expirationTime":"1h"})"},
    Operation{kGet, "/perdure/v1/keys", "The keys besides the root key."},
    Operation{kPost, "/perdure/v1/keys", "Makes a key; the only time that it is shown.", "",
              R"({"name":"dashboard","scopes":["read"]})"},
    Operation{kDelete, "/perdure/v1/keys/{api_key}", "Revokes a key, at once."},
    Operation{kPost, "/perdure/v1/keys/root/rotate", "Makes a new root key; the old one is accepted for the grace.", "",
              R"({"grace":"24h"})"},
    // Queues
    Operation{kGet, "/api/v1/queues", "Queues by name.", kPages},
    Operation{kGet, "/api/v1/queues/{queue}", "One queue, by id, or by name with its type.", "type"},
    Operation{kPost, "/api/v1/queues/{queue}/pause", "Pauses a queue, or lets it go on.", "",
              R"({"type":"id","action":"pause"})"},
    Operation{kPost, "/api/v1/queues/{queue}/concurrency/override", "Another limit, until the reset.", "",
              R"({"type":"id","concurrencyLimit":3})"},
    Operation{kPost, "/api/v1/queues/{queue}/concurrency/reset", "The declared limit again.", "", R"({"type":"id"})"},
    Operation{kGet, "/perdure/v1/queues/{queue}/keys", "How many runs each concurrency key has.", "type after limit"},
    // Schedules
    Operation{kGet, "/api/v1/schedules", "Schedules, in pages.", kPages},
    Operation{kPost, "/api/v1/schedules", "Makes a schedule, or changes the one of that key.", "",
              R"({"task":"echo","cron":"*/5 * * * *","deduplicationKey":"every-five"})"},
    Operation{kGet, "/api/v1/schedules/{schedule}", "One schedule."},
    Operation{kPut, "/api/v1/schedules/{schedule}", "Changes it; what is left out is as by default.", "",
              R"({"task":"echo","cron":"0 3 * * *"})"},
    Operation{kDelete, "/api/v1/schedules/{schedule}", "Deletes it; its runs stay."},
    Operation{kPost, "/api/v1/schedules/{schedule}/activate", "Lets it fire."},
    Operation{kPost, "/api/v1/schedules/{schedule}/deactivate", "Lets it fire no more."},
    Operation{kGet, "/api/v1/timezones", "The names of time zones; without a key.", "excludeUtc"},
    Operation{kGet, "/perdure/v1/schedules", "Schedules with their options and last runs.", kPages},
    Operation{kGet, "/perdure/v1/schedules/{schedule}", "One of them."},
    Operation{kGet, "/perdure/v1/schedules/{schedule}/upcoming", "When it is due next.", "count"},
    Operation{kPost, "/perdure/v1/schedules/{schedule}/backfill", "Makes runs for due times that have none.", "",
              R"({"from":"2026-11-01T00:00:00Z","to":"2026-11-01T01:00:00Z"})"},
    Operation{kGet, "/perdure/v1/upcoming", "Due times of a pattern that is no schedule yet.", "cron timezone count"},
    // Waitpoint tokens
    Operation{kPost, "/api/v1/waitpoints/tokens", "Makes a token that runs can wait for.", "",
              R"({"timeout":"1h","tags":["approval"]})"},
    Operation{kGet, "/api/v1/waitpoints/tokens", "Tokens, newest first, in pages.",
              "filter[status] filter[tags] filter[id] filter[idempotencyKey] filter[createdAt][from] "
              "filter[createdAt][to] filter[createdAt][period] page[size] page[after] page[before]"},
    Operation{kGet, "/api/v1/waitpoints/tokens/{waitpoint}", "A token, and what it was completed with."},
    Operation{kPost, "/api/v1/waitpoints/tokens/{waitpoint}/complete", "Completes it; it keeps its first value.", "",
              R"({"data":{"approved":true}})"},
    Operation{kPost, "/api/v1/waitpoints/tokens/{waitpoint}/callback/{hash}", "The same without a key, by its url.", "",
              R"({"approved":true})"},
    // Perdure's own
    Operation{kGet, "/perdure/v1/runs/{run}", "A run with its attempts and all its details.", "wait"},
    Operation{kGet, "/perdure/v1/runs/{run}/children", "The runs that it triggered.", "after limit"},
    Operation{kGet, "/perdure/v1/runs/{run}/streams", "Its streams."},
    Operation{kGet, "/perdure/v1/runs/{run}/streams/{stream}", "Chunks of a stream.", "after limit follow"},
    Operation{kGet, "/perdure/v1/runs/{run}/logs", "What it logged.", "after limit follow"},
    Operation{kGet, "/perdure/v1/runs/{run}/trace", "Every transition of the run."},
    Operation{kGet, "/perdure/v1/runs/{executing}/stack", "Where its threads are now."},
    Operation{kGet, "/perdure/v1/runs/{executing}/start", "What an attempt was started with, configuration and all.",
              "attempt"},
    Operation{kGet, "/perdure/v1/tasks", "The tasks that can be triggered."},
    Operation{kGet, "/perdure/v1/tasks/{task}", "One of them."},
    Operation{kGet, "/perdure/v1/plugins", "What is loaded, held or refused, and why."},
    Operation{kPost, "/perdure/v1/plugins/{plugin}/rollback", "Lets the version before it serve.", "", "{}"},
    Operation{kPost, "/perdure/v1/plugins/{plugin}/release", "Ends a quarantine; tries again what was refused."},
    Operation{kGet, "/perdure/v1/status", "How the host is."},
    Operation{kGet, "/perdure/v1/openapi.json", "This document."},
    Operation{kGet, "/healthz", "The process answers; without a key."},
    Operation{kGet, "/readyz", "It can take triggers; without a key."},
};

}  // namespace

std::span<const Operation> operations() { return kOperations; }

}  // namespace perdure::api
