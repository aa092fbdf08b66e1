// Bulk actions as verbs ask for them: begun, and followed to their end with their progress on a terminal. One thread.
#pragma once

#include <string>

#include "host/cli/client.h"
#include "host/cli/json_view.h"
#include "host/cli/run_filters.h"

namespace perdure::cli {

/// Cancels or replays ("cancel", "replay") the runs that `filters` choose. With `options.json` prints what came of it,
/// else a sentence. What the verb ends with.
int do_in_bulk(const std::string& action, const RunFilters& filters, const ClientOptions& options, Console& console);

/// Says that one of a run's id and filters is wanted; kWrongUsage.
int one_or_many(Console& console);

/// "canceled 120, 3 not", of a bulk action's document.
std::string progress_of(const JsonView& action);

}  // namespace perdure::cli
