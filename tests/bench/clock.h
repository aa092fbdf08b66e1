// Time and percentiles for the benchmark. Any thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

namespace perdure::bench {

/// Seconds since `start`, or since some fixed point of the past.
inline double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// The value below which the share `p` of `values` lies; 0 for none.
inline double percentile(std::vector<double> values, double p) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto at = static_cast<std::size_t>(static_cast<double>(values.size()) * p);
  return values[std::min(values.size() - 1, at)];
}

inline double median(std::vector<double> values) { return percentile(std::move(values), 0.5); }

}  // namespace perdure::bench
