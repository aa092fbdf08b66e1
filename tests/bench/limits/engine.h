// The ceiling: the least a durable, isolating host can do. Durable enqueue, claim, one exchange with a forked child,
// durable finish, all with group commit; no HTTP, no retries, no queues. The product's figures are held against these.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/limits/exchange.h"

namespace perdure::bench {

/// Runs/s of `runs` runs, from the first enqueue to the last finish on disk.
double bare_engine(const ZygoteFiles& files, const Shape& shape, const std::string& dir, long runs);

/// Exchanges/s with the zygote, nothing stored.
double bare_exchange(const ZygoteFiles& files, const Shape& shape, long runs);

/// Seconds from asking for a child to its result and exit status, of each of `samples`, one at a time.
std::vector<double> exchange_latencies(const ZygoteFiles& files, int samples);

}  // namespace perdure::bench
