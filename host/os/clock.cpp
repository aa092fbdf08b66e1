#include "host/os/clock.h"

#include <sys/timerfd.h>
#include <time.h>

#include <cstdint>

#include "host/os/small_file.h"

namespace perdure::os {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

nanoseconds read_clock(clockid_t which) {
  timespec now{};
  ::clock_gettime(which, &now);
  return std::chrono::seconds(now.tv_sec) + nanoseconds(now.tv_nsec);
}

}  // namespace

milliseconds since_boot() { return std::chrono::floor<milliseconds>(read_clock(CLOCK_BOOTTIME)); }

milliseconds wall_less_boot() {
  // Of a few readings the one that took least: this thread may have been stopped between the clocks.
  constexpr int kTries = 5;
  nanoseconds best{}, least = nanoseconds::max();
  for (int i = 0; i < kTries; ++i) {
    const nanoseconds before = read_clock(CLOCK_BOOTTIME), wall = read_clock(CLOCK_REALTIME),
                      after = read_clock(CLOCK_BOOTTIME);
    if (after - before >= least) continue;
    least = after - before;
    best = wall - before - least / 2;
  }
  return std::chrono::round<milliseconds>(best);
}

std::string boot_id() {
  std::string id = read_small_file("/proc/sys/kernel/random/boot_id");
  while (!id.empty() && id.back() == '\n') id.pop_back();
  return id;
}

ClockWatch::ClockWatch() : fd_(::timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC)) {}

bool ClockWatch::arm() {
  std::uint64_t ignored = 0;
  (void)!::read(fd_.get(), &ignored, sizeof ignored);  // ECANCELED: the clock was set
  itimerspec never{};
  never.it_value.tv_sec = std::int64_t{1} << 33;  // the year 2242: only the setting is of interest
  return ::timerfd_settime(fd_.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, nullptr) == 0;
}

}  // namespace perdure::os
