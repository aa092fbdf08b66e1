// Durable commits with nothing of Perdure in them: the disk alone, then RocksDB. Each call runs for about `seconds` in
// a fresh directory below `dir` and removes it.
#pragma once

#include <string>
#include <vector>

namespace perdure::bench {

/// Appends of 2 KB, each with an fdatasync: how long each took, in seconds.
std::vector<double> disk_syncs(const std::string& dir, double seconds);

/// Runs/s that reach the disk: batches of `runs` runs (5 records of 300 B each) written by `threads` threads at once,
/// every write synced, RocksDB's own group commit joining them.
double synced_commits(const std::string& dir, double seconds, int threads, int runs);

}  // namespace perdure::bench
