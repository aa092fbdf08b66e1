// Who may do what: each route of the router's table names one of these, and this is the one place that knows what they
// mean. What a request's head cannot tell, because it takes the run that is asked for, the routes ask for here as well.
// Without state; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "host/api/auth/caller.h"
#include "host/api/auth/scopes.h"
#include "host/api/http.h"
#include "store/store.h"

namespace perdure::api {

enum class Access : std::uint8_t {
  kOpen,     // everybody, without a key
  kSigned,   // everybody who has the address, which is signed: the route decides
  kAnyKey,   // every key
  kRead,     // keys that may read
  kTrigger,  // keys that may trigger
  kAdmin,    // keys that may do everything
  // Keys that may trigger or read, and public access tokens with the scope:
  kTriggerTask,        // trigger:tasks:{argument}
  kTriggerBatch,       // batchTrigger:tasks:ID of every task in it: refuse_batch_trigger()
  kReadRun,            // read, by one of the run's names: refuse_run()
  kWriteRun,           // write, likewise
  kReadRuns,           // read:runs or read:tasks: refuse_list()
  kReadTags,           // read:tags:TAG of one of them, or read:runs: refuse_tags()
  kReadBatch,          // read:batch:{argument} or read:runs
  kCompleteWaitpoint,  // write:waitpoints:{argument}
};

/// Whether public access tokens are accepted at all, so that pages of every origin may ask.
bool is_for_browsers(Access access);

/// The answer (401, 403) that refuses `request`, whose caller and argument are set, by what its head tells.
std::optional<Response> refuse_access(const Request& request, Access access);

/// Whether the caller may do `action` ("read", "write") to this run: the answer that refuses it, or nothing.
std::optional<Response> refuse_run(const Request& request, std::string_view action, const store::Run& run);

/// The same for a run that is not read yet; 404 when there is none. Reads nothing for the bearer of a key.
std::optional<Response> refuse_run(const Request& request, std::string_view action, const store::Store& store,
                                   const store::RunId& run);

/// Whether the caller may make a batch with runs of `task`.
std::optional<Response> refuse_batch_trigger(const Request& request, std::string_view task);

/// Whether the caller may see a list of runs of these tasks; none: of all.
std::optional<Response> refuse_list(const Request& request, const std::vector<store::TaskId>& tasks);

/// Whether the caller may see the runs that have all of these tags.
std::optional<Response> refuse_tags(const Request& request, const std::vector<std::string>& tags);

}  // namespace perdure::api
