// Loads a plugin into this process and asks it to register. Everything a plugin can do wrong while that happens ends in
// a Refusal, unless it ends the process (load_watch.h) or hangs (the host's deadline). Nothing is ever unloaded.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/zygote/inspect.h"
#include "host/zygote/registration.h"

namespace perdure::zygote {

/// A plugin in this process, or why there is none.
struct Loaded {
  std::unique_ptr<Registration> registration;  // null when refused
  Refusal refusal;
  std::string isolation_reason;  // why its attempts cannot be forked from here; empty when they can
};

/// Loads the plugin and those beside it, one after the other, and calls their entry points. `next` is called before
/// each of those beside it with its number, from 1; one of these that cannot be loaded refuses the whole. Main thread,
/// once per process. A copy of this process that a plugin forks meanwhile is ended before it returns from here.
Loaded load(const std::string& plugin, const std::vector<std::string>& beside,
            const std::function<void(std::uint32_t number)>& next);

}  // namespace perdure::zygote
