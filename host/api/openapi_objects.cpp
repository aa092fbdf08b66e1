#include <array>

#include "host/api/openapi_schema.h"

namespace perdure::api {
namespace {

constexpr std::array kObjects{
    ObjectSchema{"Id", "id:text"},
    ObjectSchema{"Success", "success:flag"},
    ObjectSchema{"Nothing", ""},
    ObjectSchema{"Cursors", "next?:text previous?:text"},
    ObjectSchema{"Sequence", "next?:integer"},
    ObjectSchema{"Numbered", "currentPage:integer totalPages:integer count:integer"},
    // Runs
    ObjectSchema{"Triggered", "id:text isCached:flag"},
    ObjectSchema{"Environment", "id:text name:text"},
    ObjectSchema{"RunSummary",
                 "id:text taskIdentifier:text status:text isQueued:flag isExecuting:flag isWaiting:flag "
                 "isCompleted:flag isSuccess:flag isFailed:flag isCancelled:flag isTest:flag createdAt:time "
                 "updatedAt:time startedAt?:time finishedAt?:time delayedUntil?:time expiredAt?:time tags:[text] "
                 "costInCents:number baseCostInCents:number durationMs:number env:Environment version?:text "
                 "idempotencyKey?:text ttl?:text batchId?:text metadata?:object"},
    ObjectSchema{"Relative", "!RunSummary depth:integer triggerFunction:text"},
    ObjectSchema{"Relatives", "root?:Relative parent?:Relative children?:[Relative]"},
    ObjectSchema{"RunError", "code:text name?:text message:text stackTrace?:text details?:any"},
    ObjectSchema{"Generator", "type:text expression:text description:text"},
    ObjectSchema{"RunSchedule", "id:text externalId?:text deduplicationKey?:text generator:Generator timestamp?:time"},
    ObjectSchema{"Run",
                 "!Relative relatedRuns:Relatives attemptCount:integer payload?:any output?:any error?:RunError "
                 "schedule?:RunSchedule"},
    ObjectSchema{"RunPage", "data:[RunSummary] pagination:Cursors"},
    ObjectSchema{"Metadata", "metadata:object"},
    ObjectSchema{"Message", "message:text"},
    ObjectSchema{"Result", "ok:flag id:text taskIdentifier:text output?:text outputType?:text error?:TypedError"},
    ObjectSchema{"TypedError", "type:text code?:text name?:text message?:text stackTrace?:text raw?:text"},
    ObjectSchema{"SpanData",
                 "message:text level:text startTime:time duration:number isError:flag isPartial:flag isCancelled:flag "
                 "taskSlug?:text queueName?:text"},
    ObjectSchema{"Event", "!SpanData spanId:text parentId?:text runId:text"},
    ObjectSchema{"Events", "events:[Event]"},
    ObjectSchema{"Span", "id:text parentId?:text runId:text data:SpanData children:[Span]"},
    ObjectSchema{"SpanTree", "traceId:text rootSpan:Span"},
    ObjectSchema{"FlatSpan", "!SpanData id:text parentId?:text runId:text attemptNumber?:integer"},
    ObjectSchema{"FailedAttempt", "spanId:text attemptNumber:integer runId:text"},
    ObjectSchema{"Trace", "trace?:SpanTree data?:[FlatSpan] attemptFailures?:[FailedAttempt] pagination?:Cursors"},
    // Batches, many runs at once, large payloads
    ObjectSchema{"BatchCreated", "id:text runCount:integer isCached:flag idempotencyKey?:text"},
    ObjectSchema{"ItemsTaken",
                 "id:text itemsAccepted:integer itemsDeduplicated:integer sealed:flag enqueuedCount?:integer "
                 "expectedCount?:integer"},
    ObjectSchema{"BatchFault", "index:integer taskIdentifier:text error:text errorCode:text"},
    ObjectSchema{"BatchProcessing", "completedAt?:time errors:[BatchFault]"},
    ObjectSchema{"BatchProgress", "unfinished:integer completed:integer unsuccessful:integer removed:integer"},
    ObjectSchema{"Batch",
                 "id:text status:text createdAt:time updatedAt:time runCount:integer idempotencyKey?:text "
                 "parentRunId?:text runs:[text] progress:BatchProgress processing:BatchProcessing"},
    ObjectSchema{"BatchResults", "id:text items:[Result]"},
    ObjectSchema{"Counts", "total:integer success:integer failure:integer"},
    ObjectSchema{"BulkAction",
                 "id:text type:text status:text name?:text counts:Counts createdAt:time completedAt?:time"},
    ObjectSchema{"BulkActionPage", "data:[BulkAction] pagination:Cursors"},
    ObjectSchema{"Upload", "presignedUrl:text storagePath:text"},
    ObjectSchema{"Download", "presignedUrl:text"},
    ObjectSchema{"ShapeMessage", "key?:text value?:object headers:object"},
    // Keys and variables
    ObjectSchema{"Claims", "sub:text pub:flag jti:text"},
    ObjectSchema{"PublicToken", "token:text"},
    ObjectSchema{"Key", "id:text name:text hint:text scopes:[text] createdAt:time"},
    ObjectSchema{"NewKey", "!Key key:text"},
    ObjectSchema{"KeyPage", "data:[Key]"},
    ObjectSchema{"RootKey", "key:text formerKeyAcceptedUntil:time"},
    ObjectSchema{"WhoAmI", "userId:text email:text dashboardUrl:text"},
    ObjectSchema{"Variable", "name:text value:text isSecret:flag"},
    // Queues
    ObjectSchema{"Concurrency",
                 "current:integer|null base:integer|null override:integer|null overriddenAt:time|null "
                 "overriddenBy:text|null"},
    ObjectSchema{"Queue",
                 "id:text name:text type:text running:integer queued:integer paused:flag "
                 "concurrencyLimit:integer|null version:text concurrency:Concurrency queue:text oldestQueuedAt?:time "
                 "rateLimit?:RateLimit"},
    ObjectSchema{"RateLimit", "limit:integer periodMs:integer"},
    ObjectSchema{"QueuePage", "data:[Queue] pagination:Numbered"},
    ObjectSchema{"QueueKey", "concurrencyKey:text queued:integer running:integer"},
    ObjectSchema{"QueueKeys", "data:[QueueKey]"},
    // Schedules
    ObjectSchema{"ScheduleEnvironment", "id:text type:text"},
    ObjectSchema{"Schedule",
                 "id:text type:text task:text active:flag deduplicationKey?:text|null externalId?:text|null "
                 "generator:Generator timezone:text nextRun?:time|null nextRunEffectiveAt?:time|null "
                 "environments:[ScheduleEnvironment]"},
    ObjectSchema{"SchedulePage", "data:[Schedule] pagination:Numbered"},
    ObjectSchema{"DueTime", "due:time firesAt:time"},
    ObjectSchema{"Backfilling", "next:time until:time"},
    ObjectSchema{"DeclaredSchedule", "generator:Generator timezone:text window?:text catchUp:text overlap:text"},
    ObjectSchema{"LongSchedule",
                 "!Schedule window?:text catchUp:text overlap:text declaredBy?:text createdAt:time updatedAt:time "
                 "lastDue?:time lastRunId?:text waiting?:time backfill?:Backfilling upcoming?:[DueTime]"},
    ObjectSchema{"LongSchedulePage", "data:[LongSchedule] pagination:Numbered"},
    ObjectSchema{"Upcoming", "cron:text description:text timezone:text upcoming:[DueTime]"},
    ObjectSchema{"Backfill", "id:text dueTimes:integer"},
    ObjectSchema{"Timezones", "timezones:[text]"},
    // Waitpoint tokens
    ObjectSchema{"NewWaitpoint", "id:text isCached:flag url:text"},
    ObjectSchema{"WaitpointSummary",
                 "id:text url:text status:text tags:[text] createdAt:time timeoutAt?:time completedAt?:time "
                 "idempotencyKey?:text idempotencyKeyExpiresAt?:time runId?:text"},
    ObjectSchema{"Waitpoint", "!WaitpointSummary output?:text outputType?:text outputIsError?:flag"},
    ObjectSchema{"WaitpointPage", "data:[WaitpointSummary] pagination:Cursors"},
    // Perdure's own
    ObjectSchema{"Attempt",
                 "number:integer status:text startedAt:time endedAt?:time durationMs:number cpuMs?:number "
                 "peakMemory?:integer voluntarySwitches?:integer involuntarySwitches?:integer machine?:text "
                 "version?:text pid?:integer error?:RunError"},
    ObjectSchema{"RunOptions",
                 "queue:text concurrencyKey?:text priorityMs:number hostLosses:integer maxAttempts?:integer "
                 "maxDurationMs?:number machine?:text payloadType?:text debounceKey?:text replayOf?:text "
                 "parentRunId?:text rootRunId?:text expiresAt?:time retryAt?:time"},
    ObjectSchema{"LongRun", "!Run !RunOptions attempts:[Attempt]"},
    ObjectSchema{"Children", "data:[Relative] pagination:Cursors"},
    ObjectSchema{"Stream", "name:text chunks:integer bytes:integer"},
    ObjectSchema{"Streams", "data:[Stream]"},
    ObjectSchema{"Chunk", "sequence:integer at:time text:text"},
    ObjectSchema{"Chunks", "data:[Chunk] pagination:Sequence"},
    ObjectSchema{"LogEntry",
                 "sequence:integer at:time attempt:integer level:text source:text message:text fields?:object"},
    ObjectSchema{"Logs", "data:[LogEntry] pagination:Sequence"},
    ObjectSchema{"Transition", "sequence:integer at:time name:text status:text attempt?:integer data?:any"},
    ObjectSchema{"Transitions", "!RunSummary !RunOptions attempts:[Attempt] events:[Transition]"},
    ObjectSchema{"Frame", "function?:text file?:text line?:integer module?:text offset?:integer"},
    ObjectSchema{"Thread", "tid:integer name:text depth:integer frames:[Frame]"},
    ObjectSchema{"Stack", "id:text attempt:integer pid:integer threads:[Thread] text:text"},
    ObjectSchema{"StartPlugin", "name:text versionHash:text versionNumber:text version:text file:text path:text"},
    ObjectSchema{"Start",
                 "id:text attempt:integer begun:flag task:text maxDurationMs?:number plugin:StartPlugin start:object "
                 "payload:any"},
    ObjectSchema{"Held", "task:text reason:text since:time nextProbe?:time backtrace?:text"},
    ObjectSchema{
        "Task",
        "id:text description?:text plugin:text version:text queue:text machine:text maxAttempts:integer "
        "maxDurationMs?:number ttlMs?:number concurrencyLimit?:integer recycleAfter:integer cron?:DeclaredSchedule "
        "hooks:[text] options?:object quarantine?:Held"},
    ObjectSchema{"TaskPage", "data:[Task]"},
    ObjectSchema{
        "Plugin",
        "name:text state:text reason?:text file:text path?:text versionNumber?:text versionHash?:text version?:text "
        "isolation?:text isolationReason?:text warnings:[text] tasks:[text] globalHooks?:[text] "
        "surroundedBy?:[text] lockedRuns?:integer quarantine:[Held] loadedAt?:time"},
    ObjectSchema{"PluginPage", "data:[Plugin] loaded:flag"},
    ObjectSchema{"Released", "name:text released:[text]"},
    ObjectSchema{"Health", "status:text"},
    ObjectSchema{"StoreHealth", "store:text message?:text catalogLoaded:flag"},
    ObjectSchema{"EngineStatus",
                 "executing:integer concurrency:integer attemptsStarted:integer attemptsFailed:integer "
                 "attemptsCrashed:integer draining:flag"},
    ObjectSchema{"MemoryStatus", "limit?:integer reserved:integer short:flag mechanism?:text enforcedBy?:text"},
    ObjectSchema{"Status",
                 "version:text pid:integer plugins?:text startedAt:time health:StoreHealth engine:EngineStatus "
                 "memory:MemoryStatus runs:object completed:integer"},
};

}  // namespace

std::span<const ObjectSchema> object_schemas() { return kObjects; }

}  // namespace perdure::api
