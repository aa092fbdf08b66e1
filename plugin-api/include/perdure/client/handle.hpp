// What a trigger gives back. Values.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <perdure/trigger.hpp>
#include <perdure/wait.hpp>

namespace perdure::client {

/// A run that was triggered, or found by its idempotency key. Out: what its output is read into.
template <class Out = json::value>
struct Handle {
  std::string id;
  bool cached = false;  // an idempotency key, or a debounce, found an earlier run
};

/// An item of a batch that made no run.
struct RefusedItem {
  std::uint32_t index = 0;
  std::string task;
  std::string message;
};

/// A batch that was triggered.
template <class Out = json::value>
struct Batch {
  std::string id;
  bool cached = false;
  std::vector<RunHandle> runs{};  // in the order of the items; without an id where the item made no run
  std::vector<RefusedItem> refused{};
};

struct WaitOptions {
  std::optional<milliseconds> timeout{};  // WaitTimedOut after it; none: as long as it takes
  std::stop_token stop{};                 // Stopped when it is asked to
};

}  // namespace perdure::client
