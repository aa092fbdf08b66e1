// A run on its way through one mutation: its record, the events that happen to it, and the writes they come to.
// Values; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/model/run.h"
#include "store/model/status.h"
#include "store/model/transitions.h"
#include "store/rocks/database.h"
#include "store/rocks/keys.h"
#include "store/rocks/records.h"

namespace perdure::store::rocks {

class RunChange {
 public:
  /// A run that exists, as stored.
  RunChange(PackedId id, RunRecord&& record) : id_(id), record_(std::move(record)), stored_(record_.run.status) {}
  /// A run that is being created; its first event is added here.
  static RunChange created(PackedId id, Run run, Time now);

  /// Takes the transition that `event` is: sets status and times and adds the timeline event. kConflict when the
  /// run's status does not allow it; then nothing changed.
  Status apply(RunEvent event, Time now, std::uint32_t attempt = 0, std::string data = {});

  [[nodiscard]] PackedId id() const { return id_; }
  [[nodiscard]] Run& run() { return record_.run; }
  [[nodiscard]] const RunRecord& record() const { return record_; }
  RunRecord& record() { return record_; }

  /// Adds to the timeline what is no transition.
  void note(TimelineEvent event);

  /// Begins the run's next attempt; the one before moves to its own key.
  void begin_attempt(Attempt attempt, Batch& batch);

  /// Adds what changed to `batch`: the run, its place in the status index and, when created, in the others; and the
  /// oldest events once they are too many to be written with the run every time.
  void write(Batch& batch);
  /// The same for a run whose status stayed and whose place in time did not.
  void write_moved(Batch& batch);

 private:
  void add_event(Time now, std::string_view name, std::uint32_t attempt, std::string data);

  PackedId id_;
  RunRecord record_;
  std::optional<RunStatus> stored_;  // nothing: the run is new
};

}  // namespace perdure::store::rocks
