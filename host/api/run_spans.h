// A run's timeline as spans, the way the public contract tells it: the run itself, below it its attempts, below those
// what happened in them. Reads the store; any thread.
#pragma once

#include <string>
#include <vector>

#include "store/store.h"

namespace perdure::api {

struct Span {
  std::string id, parent;  // unique within all runs; parent is empty for the run's own
  std::string message;
  store::Time start{};
  store::Duration duration{};
  std::uint32_t attempt = 0;  // 0: none
  bool error = false;
  bool partial = false;  // it goes on
  bool canceled = false;
};

/// The run's own span first, then the others in the order in which they began. kNotFound.
store::Result<std::vector<Span>> spans_of(const store::Store& store, const store::Run& run);

}  // namespace perdure::api
