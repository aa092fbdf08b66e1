// How the wall clock stands to a clock that nobody sets. The difference of two stands of one boot is by how much the
// wall clock was set in between. A value; any thread.
#pragma once

#include <string>

#include "store/model/ids.h"

namespace perdure::store {

struct ClockStand {
  std::string boot;  // which boot of the machine this is of
  Duration wall{};   // the wall clock less the time since that boot
  bool operator==(const ClockStand&) const = default;
};

/// Less than this is no setting of the clock, but how exactly it can be read.
inline constexpr Duration kClockNoise{20};

/// By how much the wall clock was set since it stood as `known`, which becomes `now`; zero when that cannot be known,
/// as on another boot. Noise is left in `known`, so that it adds up to nothing.
inline Duration set_since(ClockStand& known, const ClockStand& now) {
  const bool same_boot = known.boot == now.boot;
  const Duration by = same_boot ? now.wall - known.wall : Duration::zero();
  if (same_boot && by < kClockNoise && by > -kClockNoise) return Duration::zero();
  known = now;
  return by;
}

}  // namespace perdure::store
