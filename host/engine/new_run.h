// A trigger, as the run that it makes: the one place where what was asked, what the task says and what holds by default
// come together. Any thread.
#pragma once

#include "host/catalog/snapshot.h"
#include "host/engine/engine.h"
#include "store/store.h"

namespace perdure::engine {

/// The run that `request` asks for at `now`, with the tasks of `offered`. kNotFound: nobody offers the task;
/// kUnavailable: plugins are still being loaded; kInvalid: the payload is not what the task takes, and request.fault
/// says why. Without the line of its parent.
store::Result<store::NewRun> new_run_of(TriggerRequest request, const catalog::Snapshot& offered, store::Time now);

/// Where the children of a run stand.
struct Line {
  store::RunId parent, root;
  std::uint32_t depth = 0;
  void put(store::NewRun& child) const;
};
/// Of the children of `parent`; empty: of runs that are nobody's. kNotFound.
store::Result<Line> line_below(const store::Store& store, const store::RunId& parent);

}  // namespace perdure::engine
