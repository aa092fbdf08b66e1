// Cancels the unfinished children of runs that were canceled, and through them theirs. The store keeps whose children
// are still to be looked at: from the cancellation of the parent until all of them are over, so that a host that dies
// in between leaves the rest to the next one. Children that execute get their grace like any other canceled run.
//
// Core thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "host/engine/core.h"
#include "store/store.h"

namespace perdure::engine {

class CanceledChildren {
 public:
  /// `cancel` asks for the cancellation of a run, executing or not.
  CanceledChildren(Core& core, store::Store& store,
                   std::function<void(const store::RunId& run, const std::string& reason)> cancel);

  /// Begins, once the store is recovered.
  void start();
  /// A run was canceled, or the store serves again.
  void look();
  /// A canceled run is over: its parent may have waited for that.
  void ended(const store::Run& run);

 private:
  struct Family {
    store::RunId before;  // children up to this one are over
    bool waits = false;   // for a child to end
  };

  void walk(const store::RunId& parent);
  void over(const store::RunId& parent);

  Core& core_;
  store::Store& store_;
  std::function<void(const store::RunId&, const std::string&)> cancel_;
  std::map<store::RunId, Family> families_;
  bool started_ = false;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace perdure::engine
