#include "store/model/rate_window.h"

#include <algorithm>

namespace perdure::store {
namespace {
constexpr int kParts = 64;
}

void RateWindow::see(Time now) {
  if (starts_.empty() || starts_.back().last <= now) return;
  const Duration back = starts_.back().last - now;
  for (Starts& each : starts_) {
    each.first -= back;
    each.last -= back;
  }
}

void RateWindow::begin(Time now, const RateLimit& limit) {
  period_ = limit.period;
  see(now);
  const auto matters = std::ranges::find_if(starts_, [&](const Starts& each) { return each.last > now - period_; });
  starts_.erase(starts_.begin(), matters);
  if (!starts_.empty() && (now == starts_.back().last || now - starts_.back().first < period_ / kParts)) {
    starts_.back().last = now;
    ++starts_.back().count;
  } else {
    starts_.push_back({now, now, 1});
  }
}

std::optional<Time> RateWindow::closed_until(Time now, const RateLimit& limit) {
  see(now);
  std::uint64_t within = 0;
  for (auto each = starts_.rbegin(); each != starts_.rend(); ++each) {
    within += each->count;
    if (within < limit.limit) continue;
    const Time open = each->last + limit.period;
    return open > now ? std::optional(open) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<Time> RateWindow::forgotten_at(Time now) {
  see(now);
  if (starts_.empty()) return std::nullopt;
  const Time at = starts_.back().last + period_;
  return at > now ? std::optional(at) : std::nullopt;
}

}  // namespace perdure::store
