// Carries bulk actions out, a batch of runs after the other. What a batch is gets stored before anything is done to its
// runs, and what came of it with the next one: a host that dies leaves the batch to the next, which does it again.
// Nothing is done twice by that: a canceled run stays as it is, and a replay has its id from the batch.
//
// Core thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/engine/core.h"
#include "store/store.h"

namespace perdure::engine {

class BulkActions {
 public:
  /// What is done to one run. kUnavailable: not now; other errors: not to this one.
  struct Deeds {
    std::function<void(const store::RunId& run, const std::string& reason, store::DoneStatus done)> cancel;
    std::function<void(const store::RunId& run, const store::RunId& made, store::DoneStatus done)> replay;
  };
  BulkActions(Core& core, store::Store& store, Deeds deeds);

  /// Goes on with what hosts before left, once the store is recovered.
  void start();
  /// The store serves again, or plugins came: goes on with what had to wait for that.
  void try_again();
  /// Begins no other batch.
  void stop() { stopped_ = true; }

  /// See Engine.
  void begin(store::BulkAction action, store::Done<store::BulkActionId> done);
  void abort(const store::BulkActionId& id, store::Done<store::BulkActionId> done);

 private:
  enum class Waits : std::uint8_t { kForNothing, kToBeSaved, kToBeDone, kForItsNext };
  struct Work {
    store::BulkAction action;
    std::vector<store::RunId> affected;      // not stored yet
    std::size_t open = 0;                    // of the batch
    bool not_now = false;                    // something of the batch could not be done now
    std::uint64_t success = 0, failure = 0;  // of the batch
    bool aborting = false;
    std::vector<store::Done<store::BulkActionId>> aborts;
    Waits waits = Waits::kForNothing;
  };

  void look();
  void next(const store::BulkActionId& id);
  /// Fills the batch; false: not now.
  bool choose(store::BulkAction& action, bool& more);
  void end(Work& work, store::BulkStatus status);
  void save(const store::BulkActionId& id);
  void saved(const store::BulkActionId& id, const store::Status& status);
  void do_batch(const store::BulkActionId& id);
  void done_one(const store::BulkActionId& id, const store::BulkAction::Step& step, const store::Status& status);

  Core& core_;
  store::Store& store_;
  Deeds deeds_;
  std::map<store::BulkActionId, Work> works_;
  bool started_ = false, stopped_ = false;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace perdure::engine
