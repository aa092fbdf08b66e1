// Where the threads of an executing attempt are, as whoever launched it finds out. Core thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "host/process/launcher.h"
#include "store/model/status.h"

namespace perdure::process {

struct AttemptStacks {
  std::int32_t pid = 0;
  std::string threads;  // JSON: [{"tid","name","depth","frames":[{"function","file","line","module","offset"}]}]
  std::string text;     // the same for people
};

class StackSource {
 public:
  virtual ~StackSource() = default;
  /// Reads the stacks of the attempt's process, which is stopped for some milliseconds and goes on unharmed. `done` is
  /// called once: kConflict when the attempt has not begun or has ended meanwhile; kUnavailable, in a sentence, when
  /// its process cannot be read, such as for want of a capability.
  virtual void stacks(AttemptHandle attempt, std::function<void(store::Result<AttemptStacks>)> done) = 0;
};

}  // namespace perdure::process
