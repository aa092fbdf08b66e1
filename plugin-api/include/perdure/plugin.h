/* The Perdure plugin interface, version 1: the one contract between a host and a plugin.
 *
 * A plugin is a shared object that exports ONE function, perdure_register_v1. The host never loads the file itself: a
 * zygote process loads it once, calls that function, and from then on forks a fresh child for every attempt of a run.
 * Functions cross by table, data crosses as JSON text, so new task options never change this file.
 *
 * The rules, for every function below:
 *
 *  1. Text is UTF-8, a pointer and a length; nothing ends in NUL by contract. JSON means RFC 8259 text, nested at most
 *     128 deep, numbers finite. Durations are milliseconds; times are milliseconds since the Unix epoch; memory is in
 *     bytes.
 *  2. Ownership. What is passed INTO a call is borrowed for that call: whoever keeps it copies it. What a service hands
 *     OUT is the host's and stays valid until the called function of the plugin returns, or until release(). Nobody
 *     frees anything of the other side.
 *  3. Nothing crosses but a return: no C++ exception, no longjmp, no panic.
 *  4. A status that a service returns may be returned from a task function as it is ("if (s) return s;").
 *     PERDURE_SUSPENDED must be: the process is about to be evicted during a wait, and the function will be entered
 *     again, from its beginning, when the wait is over.
 *  5. Threads. [attempt-thread]: only from the thread that the host called the function on; durable calls are among
 *     these, because their order is what a later attempt is compared with. [any-thread]: from every thread, until the
 *     task function returns. [registration]: only inside perdure_register_v1, on the thread it was called on.
 *  6. Registration happens BEFORE forking. It should leave no thread, no open descriptor and no child behind; a plugin
 *     that does still works, but each of its attempts then loads it anew, which is slower. A random generator seeded at
 *     load repeats in every attempt: seed it in the task function.
 *  7. Growth. Structs and tables grow at their end only. Whoever fills a struct sets struct_size to its own sizeof;
 *     whoever reads it reads no further (PERDURE_HAS). Zero in a field means "default". Unknown status values, levels
 *     and flags are legal: a host reads an unknown status as PERDURE_FAILED.
 *
 * Every item says since which minor version of the interface it exists. Pure C11; needs <stdint.h> only.
 */
#ifndef PERDURE_PLUGIN_H
#define PERDURE_PLUGIN_H

#include <stdint.h> /* NOLINT(modernize-deprecated-headers): this file is C */

#ifdef __cplusplus
extern "C" {
#endif

/* A plugin for another major is another contract: its entry point has another name. A minor only adds. */
#define PERDURE_ABI_MAJOR 1u
#define PERDURE_ABI_MINOR 3u

#define PERDURE_EXPORT __attribute__((visibility("default")))

/* True where the writer of *p knew the member m. Ask it before reading a member newer than the minor you require. */
#define PERDURE_HAS(p, m) ((p)->struct_size >= (uint64_t)((const char*)(&(p)->m + 1) - (const char*)(p)))

/* Borrowed text. [1.0] */
typedef struct perdure_str {
  const char* data; /* may be NULL where len is 0 */
  uint64_t len;     /* bytes */
} perdure_str;

/* A string literal as a perdure_str. */
#ifdef __cplusplus
#define PERDURE_STR(literal) (perdure_str{"" literal, sizeof("" literal) - 1})
#else
#define PERDURE_STR(literal) ((perdure_str){"" literal, sizeof("" literal) - 1})
#endif

/* What a service call and a task function return. An integer, not a C enum: its width is fixed. [1.0] */
typedef int32_t perdure_status;
enum {
  PERDURE_OK = 0,
  PERDURE_FAILED = 1,        /* the attempt failed; retried under the task's policy */
  PERDURE_ABORTED = 2,       /* the run failed for good: no retry */
  PERDURE_OUT_OF_MEMORY = 3, /* retried, on a larger machine when the task names one */
  PERDURE_CANCELLED = 4,     /* the run was cancelled or the attempt is out of time: clean up and return this */
  PERDURE_SUSPENDED = 5,     /* rule 4: return it as it is */
  PERDURE_TIMED_OUT = 6,     /* a token was not completed in time */
  PERDURE_CHILD_FAILED = 7,  /* the awaited run did not complete; the out parameter holds its error */
  PERDURE_NOT_FOUND = 8,     /* no such memo, task, run or token */
  PERDURE_INVALID = 9,       /* the call breaks this contract, or this host does not offer it; last_error says which */
  PERDURE_DISCONNECTED = 10  /* the host is gone for good: return */
};

/* How loud a log line is. [1.0] */
typedef int32_t perdure_level;
enum { PERDURE_TRACE = 0, PERDURE_DEBUG = 1, PERDURE_INFO = 2, PERDURE_WARN = 3, PERDURE_ERROR = 4 };

/* What to do to one entry of a run's metadata. [1.0] */
typedef int32_t perdure_metadata_op;
enum {
  PERDURE_META_SET = 0,       /* the entry becomes the value */
  PERDURE_META_DELETE = 1,    /* the entry goes; the value is not read */
  PERDURE_META_INCREMENT = 2, /* adds the value, a number and maybe negative; a missing entry counts as 0 */
  PERDURE_META_APPEND = 3,    /* adds the value at the end of the entry, an array; a missing one counts as [] */
  PERDURE_META_REMOVE = 4     /* takes every element equal to the value out of the entry, an array */
};

/* Whose metadata. A run without a parent is its own parent and root. [1.0] */
typedef int32_t perdure_metadata_target;
enum { PERDURE_META_SELF = 0, PERDURE_META_PARENT = 1, PERDURE_META_ROOT = 2 };

typedef struct perdure_attempt perdure_attempt;
typedef struct perdure_services perdure_services;
typedef struct perdure_registrar perdure_registrar;
typedef struct perdure_next perdure_next;

/* ---- What a plugin gives ---------------------------------------------------------------------------------------- */

/* A task's run, or one of its hooks. Executes in a child process of its own: it may crash, hang or leak, and the host
 * answers with a failed attempt. On PERDURE_OK what was given to set_result counts (null when nothing was); on any
 * other status what was given to set_error. [1.0] */
typedef perdure_status (*perdure_task_fn)(const perdure_attempt* attempt);

/* Stands around an attempt. Calls next->call(next) once, which executes what is inside and returns its status, and then
 * returns that status or another. Its own result counts where it sets one, and its own error where its status is
 * another than the call's. Returning without the call is a failure of the attempt when the status says so, and else a
 * success with this function's own result; nothing inside is executed then. [1.0] */
typedef perdure_status (*perdure_middleware_fn)(const perdure_attempt* attempt, const perdure_next* next);

/* What a middleware stands around. Valid during the middleware's call. [1.0] */
struct perdure_next {
  uint64_t struct_size;
  void* host; /* the host's own */
  /* Executes the rest of the attempt and returns its status. A second call returns PERDURE_INVALID. [attempt-thread] */
  perdure_status (*call)(const perdure_next* next);
};

/* The functions that stand around run; each may be NULL. The order in one attempt:
 *
 *   middleware (host-wide, plugin, task) around: on_start_attempt, on_start, init, run, cleanup; then, when something
 *   failed, catch_error; then, when the run is final, on_success or on_failure, then on_complete.
 *
 * Of several tables the host-wide one comes first, then the plugin's, then the task's; only catch_error goes the other
 * way, until one of them decides. "Fails the attempt" and "ignored" say what an error in a hook does; ignored means
 * recorded as a warning. A hook that takes longer than a minute (or what the host allows) ends the attempt's process:
 * the attempt fails as HOOK_TIMEOUT, or, when its outcome was known already, the outcome stands and a warning says so.
 * So it is with a crash in a hook that comes after the outcome. A middleware is not timed, and neither is on_cancel:
 * they stand beside run. attempt->event is a JSON object with what the hook is told. All are called on the attempt's
 * thread but on_cancel. [1.0] */
typedef struct perdure_hooks {
  uint64_t struct_size;
  void* user;                       /* attempt->user in these functions; lives as long as the plugin */
  perdure_middleware_fn middleware; /* an error is an error of run */
  perdure_task_fn on_start_attempt; /* every attempt; fails the attempt */
  perdure_task_fn on_start;         /* first attempt only; ignored */
  perdure_task_fn init;             /* every attempt; ignored. Its set_result becomes attempt->init of those after it */
  perdure_task_fn on_success;       /* run completed; ignored. event {"output"} */
  perdure_task_fn catch_error;      /* run, cleanup, middleware or on_start_attempt failed. event {"error", "attempt",
                                       "retry": the task's policy, "retryAtMs": when it would be retried, or null}.
                                       It may replace the error (set_error) and decide (set_result): {"retry":false},
                                       {"retryAtMs":time}, {"retryAfterMs":duration} or {"retry":{other policy}};
                                       nothing leaves the decision to the policy. A time replaces the policy's delay,
                                       not its number of attempts; what the policy never retries (an abort) stays
                                       so. An error in it, or a decision that is none, fails the attempt as
                                       HANDLE_ERROR_ERROR, which is retried as the error it handled would be */
  perdure_task_fn on_failure;       /* failed, retries exhausted; ignored. event {"error"} */
  perdure_task_fn on_complete;      /* after either; ignored. event {"ok":true,"output"} or {"ok":false,"error"} */
  perdure_task_fn cleanup;          /* after run, or where run would have been when on_start_attempt failed: in every
                                       attempt that is not out of time, and all tables' even if one fails; fails the
                                       attempt. event as on_complete's */
  perdure_task_fn on_wait;          /* before a wait; ignored. event {"wait":{"type":"duration"|"time"|"run"|
                                       "token"|"batch"|"many","id"?}} */
  perdure_task_fn on_resume;        /* after a wait, in the same process or in the next; ignored. event as on_wait's */
  perdure_task_fn on_cancel;        /* the run is being cancelled; ignored. Called on a thread of the host's while run
                                       may still execute: only [any-thread] services. event {"reason"} */
  /* 1.0 ends here */
} perdure_hooks;

/* A task. Only struct_size, id and run are required. [1.0] */
typedef struct perdure_task {
  uint64_t struct_size;
  perdure_str id;             /* 1 to 128 of [A-Za-z0-9_.:/-], unique in the host */
  perdure_str options;        /* JSON object, or empty: retry, queue, machine, maxDurationMs, cron, ...; the schema is
                                 plugin-api/options.schema.json. An unknown key refuses the plugin */
  void* user;                 /* attempt->user in run; lives as long as the plugin */
  perdure_task_fn run;        /* what the task does */
  const perdure_hooks* hooks; /* NULL: none */
  /* 1.0 ends here */
} perdure_task;

/* The plugin itself. [1.0] */
typedef struct perdure_plugin {
  uint64_t struct_size;
  uint32_t abi_minor;  /* PERDURE_ABI_MINOR as compiled; a host of an older one warns of what it does not know */
  uint32_t flags;      /* 0 */
  perdure_str name;    /* 1 to 128 bytes; [plugins.NAME] in perdure.toml is its configuration */
  perdure_str version; /* the author's own words, shown to people; may be empty */
  /* 1.0 ends here */
  perdure_task_fn self_test; /* NULL: none. Called once before this version of the plugin serves, in a child process of
                                its own as an attempt is, with at most 10 s of time: whether what the tasks need is
                                there and works. Anything but PERDURE_OK, a crash, an exit and a hang refuse the plugin,
                                and the version serving until now goes on serving. set_error says why; the log is shown
                                with it, and its warnings and errors also when the test passes. The attempt has no task
                                and no run (empty ids, payload null), config is {}, and durable services are not
                                offered. Called after registration, and not again for the plugin's further processes.
                                [attempt-thread] [1.1] */
  void* user;                /* attempt->user in self_test and drop_local; lives as long as the plugin [1.1] */
  /* 1.1 ends here */
  perdure_task_fn drop_local; /* NULL: none. The last function of each attempt in which services->local's pointer was
                                 left non-NULL: destroys what it points to. A failure is ignored. [attempt-thread]
                                 [1.2] */
  /* 1.2 ends here */
} perdure_plugin;

/* registrar->hooks: these stand around every task of the host, not only this plugin's. [1.0] */
#define PERDURE_HOOKS_GLOBAL 1u

/* What registration is done with; everything passed in is copied during the call. [1.0] */
struct perdure_registrar {
  uint64_t struct_size;
  uint32_t abi_major, abi_minor; /* the host's */
  void* host;                    /* the host's own */

  /* Declares the plugin; first, and once. PERDURE_INVALID: twice, or a bad name. [registration] [1.0] */
  perdure_status (*plugin)(const perdure_registrar* registrar, const perdure_plugin* plugin);

  /* Adds a task. PERDURE_INVALID: a bad or doubled id, no run, options that are no JSON object. A failure refuses the
   * whole plugin, whatever follows. [registration] [1.0] */
  perdure_status (*task)(const perdure_registrar* registrar, const perdure_task* task);

  /* Puts hooks around every task of this plugin, or with PERDURE_HOOKS_GLOBAL of the host. May be called several times:
   * the first stands outermost. PERDURE_INVALID: before plugin(), or an unknown flag. [registration] [1.0] */
  perdure_status (*hooks)(const perdure_registrar* registrar, const perdure_hooks* hooks, uint32_t flags);

  /* Says in the plugin's own words why it is about to return a failure; the last words count. [registration] [1.0] */
  void (*fail)(const perdure_registrar* registrar, perdure_str why);
  /* 1.0 ends here */
};

/* The entry point, defined by the plugin. Declares the plugin, then its tasks and hooks. Anything but PERDURE_OK
 * refuses the plugin, and the version serving until now goes on serving. [1.0] */
PERDURE_EXPORT perdure_status perdure_register_v1(const perdure_registrar* registrar);

/* ---- What a host gives ------------------------------------------------------------------------------------------ */

/* One attempt of one run, as a task function sees it. Everything in it is valid until that function returns. [1.0] */
struct perdure_attempt {
  uint64_t struct_size;
  const perdure_services* services;
  void* host; /* the host's own */
  void* user; /* that of the perdure_task or perdure_hooks the function stands in */
  perdure_str task_id;
  perdure_str run_id;
  perdure_str payload; /* JSON, any value */
  perdure_str context; /* JSON object: run, attempt, task, queue, machine, tags, ... */
  perdure_str event;   /* JSON object in hooks; else empty */
  perdure_str init;    /* JSON that the init hook set; empty before it and when there is none */
  uint32_t number;     /* of the attempt, from 1 */
  uint32_t replay;     /* 0 at the first entry, one more at each entry after an eviction */
  /* 1.0 ends here */
};

/* Why an attempt fails. [1.0] */
typedef struct perdure_error {
  uint64_t struct_size;
  perdure_str type;    /* short and stable, e.g. "std::runtime_error"; people filter by it */
  perdure_str message; /* one sentence for people */
  perdure_str detail;  /* JSON, or empty; shown with the error */
  int64_t retry_at_ms; /* when to retry, if there are attempts left; 0: the policy decides */
  perdure_str stack;   /* a backtrace as text, or empty */
  /* 1.0 ends here */
} perdure_error;

/* A run to be triggered. [1.0] */
typedef struct perdure_trigger {
  uint64_t struct_size;
  perdure_str task_id;
  perdure_str payload; /* JSON, any value; empty: null */
  perdure_str
      options; /* JSON object, or empty: delayMs, delayUntilMs, ttlMs, idempotencyKey, idempotencyKeyScope
                  (run, attempt, global), idempotencyKeyTtlMs, debounce{key,delayMs,mode,maxDelayMs}, queue,
                  queueConcurrencyLimit, concurrencyKey, priority (seconds), maxAttempts, maxDurationMs, machine, tags,
                  metadata, version, allowPending, when ("on_success": only if this attempt succeeds) */
  /* 1.0 ends here */
} perdure_trigger;

/* The services of an attempt. Every one takes the attempt it was handed to; any may return PERDURE_INVALID (the words
 * are in last_error) and PERDURE_DISCONNECTED. An out parameter is written only with the status its comment names. */
struct perdure_services {
  uint64_t struct_size;

  /* -- Outcome -- */

  /* The result of run or of a hook; the last one counts, and only with PERDURE_OK. Text that is not JSON, or more than
   * the host's output limit (10 MB by default), fails the run when it is taken. [attempt-thread] [1.0] */
  perdure_status (*set_result)(const perdure_attempt* attempt, perdure_str json);

  /* The error that goes with a status other than PERDURE_OK; the last one counts. [attempt-thread] [1.0] */
  perdure_status (*set_error)(const perdure_attempt* attempt, const perdure_error* error);

  /* Why the last service that failed on the calling thread did; empty when none has. Valid until the thread's next
   * service call. [any-thread] [1.0] */
  perdure_str (*last_error)(const perdure_attempt* attempt);

  /* Gives back, early, something a service handed out. Never needed; for functions that ask for much, for long.
   * [the thread it was handed out on] [1.0] */
  perdure_status (*release)(const perdure_attempt* attempt, perdure_str handed_out);

  /* -- Observation: seen by people while the attempt executes -- */

  /* Adds a log line. fields is a JSON object or empty. Lines beyond the host's limit are dropped and counted; this is
   * no failure. PERDURE_INVALID: fields is something else. [any-thread] [1.0] */
  perdure_status (*log)(const perdure_attempt* attempt, perdure_level level, perdure_str message, perdure_str fields);

  /* Changes one entry of the run's metadata, or of its parent's or root's. Visible within 100 ms; durable with the
   * outcome at the latest. value is JSON. A key that begins with "$." is a path into the entries, names and positions
   * in arrays joined by dots. PERDURE_INVALID: the value does not fit the operation, or the metadata would exceed 256
   * KB. PERDURE_FAILED: the host could not record it. [any-thread] [1.0] */
  perdure_status (*set_metadata)(const perdure_attempt* attempt, perdure_metadata_target target, perdure_metadata_op op,
                                 perdure_str key, perdure_str value);

  /* Adds tags to the run: all or none. One that is there already is no failure. PERDURE_INVALID: more than 10 tags on
   * the run, or one that has not 1 to 128 characters. PERDURE_FAILED: the host could not record them.
   * [any-thread] [1.0] */
  perdure_status (*add_tags)(const perdure_attempt* attempt, const perdure_str* tags, uint64_t count);

  /* Appends a chunk of text to a named stream of the run, which readers follow live or from its start.
   * PERDURE_INVALID: a bad name (1 to 128 bytes), a chunk over 1 MB, or more than the run may have in streams.
   * PERDURE_FAILED: the host could not record it. [any-thread] [1.0] */
  perdure_status (*stream_append)(const perdure_attempt* attempt, perdure_str stream, perdure_str chunk);

  /* Tells the host that this attempt makes progress. The runtime does so by itself every 30 s; call it where the
   * process may look stopped from outside. Returns as is_cancelled. [any-thread] [1.0] */
  perdure_status (*heartbeat)(const perdure_attempt* attempt);

  /* PERDURE_OK while the attempt should go on; PERDURE_CANCELLED once it should stop, because the run was cancelled or
   * its max_duration is over; PERDURE_DISCONNECTED when the host is gone for good. Costs no system call.
   * [any-thread] [1.0] */
  perdure_status (*is_cancelled)(const perdure_attempt* attempt);

  /* OK: *fd is a descriptor that polls readable once is_cancelled would not say PERDURE_OK. It is the host's: only poll
   * it, never read or close it. [any-thread] [1.0] */
  perdure_status (*cancel_fd)(const perdure_attempt* attempt, int32_t* fd);

  /* OK: *json is the plugin's [plugins.NAME] table from perdure.toml, a JSON object with ${ENV} references resolved;
   * {} when there is none. [any-thread] [1.0] */
  perdure_status (*config)(const perdure_attempt* attempt, perdure_str* json);

  /* OK: *json is what the attempt used so far: {"durationMs","cpuMs","memoryBytes","peakMemoryBytes",
   * "memoryLimitBytes"}. [any-thread] [1.0] */
  perdure_status (*usage)(const perdure_attempt* attempt, perdure_str* json);

  /* -- Durable calls: recorded before they return. A later attempt of the run, or the same one entered again after an
   *    eviction, must make the same calls in the same order and gets what was recorded; another order is PERDURE_FAILED
   *    and fails the attempt as STEP_MISMATCH. All are [attempt-thread]; the waits may return PERDURE_SUSPENDED and
   *    PERDURE_CANCELLED. -- */

  /* The recorded result of the step named key. OK: *json holds it. PERDURE_NOT_FOUND: do the step, then memo_put. Memos
   * belong to the run, names are free (1 to 256 bytes); the same name may come again and is then the next step of that
   * name. A step that is not followed by its memo_put stays to be done; its place among the durable calls is taken all
   * the same. Durable calls of a hook are counted apart from those of run. [attempt-thread] [1.0] */
  perdure_status (*memo_get)(const perdure_attempt* attempt, perdure_str key, perdure_str* json);

  /* Records the result of the step that memo_get has just not found. Durable when it returns OK. PERDURE_INVALID: not
   * JSON, over 3 MB, or no such memo_get before it with no durable call since. PERDURE_FAILED: the host could not
   * record it. [attempt-thread] [1.0] */
  perdure_status (*memo_put)(const perdure_attempt* attempt, perdure_str key, perdure_str json);

  /* Triggers a run, a child of this one. OK: *run_id. PERDURE_NOT_FOUND: no such task. PERDURE_INVALID: bad payload or
   * options. [attempt-thread] [1.0] */
  perdure_status (*trigger)(const perdure_attempt* attempt, const perdure_trigger* trigger, perdure_str* run_id);

  /* Triggers a run and waits for its end. OK: *json is its output. PERDURE_CHILD_FAILED: *json is its error
   * {"name","message",...,"status","runId"}. Else as trigger. [attempt-thread] [1.0] */
  perdure_status (*trigger_and_wait)(const perdure_attempt* attempt, const perdure_trigger* trigger, perdure_str* json);

  /* Triggers up to 1,000 runs, all or none. OK: *json is {"id": batch, "runs": [run ids in order]}. Failures as
   * trigger. [attempt-thread] [1.0] */
  perdure_status (*batch_trigger)(const perdure_attempt* attempt, const perdure_trigger* const* triggers,
                                  uint64_t count, perdure_str* json);

  /* The same, and waits for the end of all. OK, whatever became of them: *json is an array, in order, of
   * {"ok":true,"runId","output"} or {"ok":false,"runId","error"}. [attempt-thread] [1.0] */
  perdure_status (*batch_trigger_and_wait)(const perdure_attempt* attempt, const perdure_trigger* const* triggers,
                                           uint64_t count, perdure_str* json);

  /* Waits for a duration; zero and less return at once. [attempt-thread] [1.0] */
  perdure_status (*wait_for)(const perdure_attempt* attempt, int64_t duration_ms);

  /* Waits until a time; one that is past returns at once. [attempt-thread] [1.0] */
  perdure_status (*wait_until)(const perdure_attempt* attempt, int64_t unix_ms);

  /* Creates a token that something outside completes. options is a JSON object or empty: timeoutMs (10 minutes), tags,
   * idempotencyKey, idempotencyKeyTtlMs. OK: *json is {"id","url"}; a POST to the signed url completes it.
   * [attempt-thread] [1.0] */
  perdure_status (*token_create)(const perdure_attempt* attempt, perdure_str options, perdure_str* json);

  /* Waits for a token. OK: *json is what it was completed with. PERDURE_TIMED_OUT: it was not, in time.
   * PERDURE_NOT_FOUND: no such token. [attempt-thread] [1.0] */
  perdure_status (*token_wait)(const perdure_attempt* attempt, perdure_str token_id, perdure_str* json);

  /* Completes a token with a JSON value. A token that is complete already is no failure and keeps its first value.
   * PERDURE_NOT_FOUND: no such token. [attempt-thread] [1.0] */
  perdure_status (*token_complete)(const perdure_attempt* attempt, perdure_str token_id, perdure_str json);
  /* 1.0 ends here; 1.1 added none */

  /* -- Between the functions of one attempt -- */

  /* OK: *place is the address of a pointer that is the plugin's alone, NULL when the attempt begins. What one function
   * of the attempt keeps there the later ones find: middleware, hooks and run alike. See perdure_plugin.drop_local for
   * its end. The host does not lock it. [any-thread] [1.2] */
  perdure_status (*local)(const perdure_attempt* attempt, void*** place);

  /* Waits until run has returned, for on_cancel and the threads it starts; a timeout below 0 is none. OK: *json is
   * {"ok":true,"output"} or {"ok":false,"error"}, as run itself said it. PERDURE_TIMED_OUT: run still executes.
   * PERDURE_INVALID: called on the thread of run, or in an attempt without on_cancel. [any-thread] [1.2] */
  perdure_status (*await_result)(const perdure_attempt* attempt, int64_t timeout_ms, perdure_str* json);
  /* 1.2 ends here */

  /* Waits for several things at once; a durable call. what: {"mode":"all"|"any","for":[up to 1,000 of {"ms":duration},
   * {"until":time}, {"run":run id}, {"token":token id}]}. OK: *json is an array, in that order, of {"ok":true,"runId"
   * (of a run),"output"}, {"ok":false,"runId","error"}, or with "any" null for all but the one that came first.
   * [attempt-thread] [1.3] */
  perdure_status (*wait_many)(const perdure_attempt* attempt, perdure_str what, perdure_str* json);
  /* 1.3 ends here */
};

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif /* PERDURE_PLUGIN_H */
