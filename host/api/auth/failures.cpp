#include "host/api/auth/failures.h"

#include <algorithm>

namespace perdure::api::auth {
namespace {

constexpr std::uint64_t kEverybodyElse = 0;

}  // namespace

// What is left of the bucket's failures at `now`.
double Failures::failures_left(const Bucket& bucket, Time now) const {
  const double passed = std::chrono::duration<double, std::milli>(now - bucket.at).count();
  return std::max(0.0, bucket.failures - passed / static_cast<double>(limits_.each.count()));
}

std::optional<std::chrono::milliseconds> Failures::note(std::uint64_t network, Time now) {
  const std::lock_guard lock(mutex_);
  if (!buckets_.contains(network) && buckets_.size() >= limits_.addresses) {
    std::erase_if(buckets_, [&](const auto& entry) { return failures_left(entry.second, now) == 0; });
    if (buckets_.size() >= limits_.addresses) network = kEverybodyElse;
  }
  Bucket& bucket = buckets_[network];
  bucket.failures = failures_left(bucket, now);
  bucket.at = now;
  if (bucket.failures + 1 <= limits_.burst) {
    ++bucket.failures;
    return std::nullopt;
  }
  const double wait = (bucket.failures + 1 - limits_.burst) * static_cast<double>(limits_.each.count());
  return std::chrono::milliseconds(static_cast<std::int64_t>(wait) + 1);
}

}  // namespace perdure::api::auth
