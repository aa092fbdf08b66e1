// The one table: what was measured, the limit beside it, the ratio, the target. Single-threaded.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace perdure::bench {

enum class Unit { kPerSecond, kMilliseconds, kMegabytes, kKilobytes };

/// A line. A product's line names the limit it is held against, or has a bound of its own; a limit's own line does
/// neither.
struct Row {
  std::string key;   // of the figure
  std::string what;  // for people
  Unit unit = Unit::kPerSecond;
  std::string limit = {};  // key of the limit's figure
  double target = 0;       // the ratio to it that is wanted: at least (rates), at most (the others)
  double bound = 0;        // without a limit: what the figure itself may be, at most
};

/// Medians by key; rates in 1/s, times in seconds, memory in bytes.
using Figures = std::map<std::string, double>;

/// The rows that have a figure, as text.
std::string table(const std::vector<Row>& rows, const Figures& figures);

/// The same and the machine, as one JSON document.
std::string document(const std::vector<Row>& rows, const Figures& figures, const std::string& machine);

/// Processor, cores and kernel of this machine, and the file system of `dir`, in one line.
std::string machine(const std::string& dir);

}  // namespace perdure::bench
