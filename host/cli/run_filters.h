// The options by which verbs choose runs: list, and cancel and replay of many. One thread.
#pragma once

#include <string>
#include <vector>

#include "store/model/status.h"

namespace CLI {
class App;
}

namespace perdure::cli {

struct RunFilters {
  std::vector<std::string> statuses, tasks, tags, queues, schedules;
  std::string batch, bulk_action, since, until;
  [[nodiscard]] bool empty() const {
    return statuses.empty() && tasks.empty() && tags.empty() && queues.empty() && schedules.empty() && batch.empty() &&
           bulk_action.empty() && since.empty() && until.empty();
  }
};

/// Adds them to a verb, those by tag and queue apart: some verbs have options of these names already.
void add_run_filters(CLI::App& verb, RunFilters& filters);
void add_tag_and_queue_filters(CLI::App& verb, RunFilters& filters);

/// They as the end of a query, "&filter%5Bstatus%5D=…" or empty. kInvalid: the command line is wrong.
store::Result<std::string> query_of(const RunFilters& filters);
/// They as the filter of a bulk action. kInvalid: the command line is wrong.
store::Result<std::string> filter_json(const RunFilters& filters);

}  // namespace perdure::cli
