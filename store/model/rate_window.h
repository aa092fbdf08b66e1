// When the attempts of a sub-queue began, as far as its rate limit still cares: a window that slides with the time, so
// that in no time of the limit's period more than the limit begin, wherever that time is cut out. Starts that are close
// together (a 64th of the period) are kept as one that began last, so the window is small whatever the limit, and the
// next start may come that much later than it had to, never earlier. A clock that is set back takes the starts with it:
// the wait is never longer than the period. A value; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "store/model/ids.h"
#include "store/model/queue.h"

namespace perdure::store {

class RateWindow {
 public:
  /// Some starts, close together.
  struct Starts {
    Time first{}, last{};
    std::uint64_t count = 0;
    bool operator==(const Starts&) const = default;
  };

  RateWindow() = default;
  /// As it was: oldest first.
  RateWindow(Duration period, std::vector<Starts> starts) : period_(period), starts_(std::move(starts)) {}

  /// An attempt begins now.
  void begin(Time now, const RateLimit& limit);
  /// From when on another may begin; nothing: it may now.
  [[nodiscard]] std::optional<Time> closed_until(Time now, const RateLimit& limit);
  /// From when on it knows of nothing that matters; nothing: that is so now.
  [[nodiscard]] std::optional<Time> forgotten_at(Time now);

  [[nodiscard]] bool empty() const { return starts_.empty(); }
  [[nodiscard]] Duration period() const { return period_; }
  [[nodiscard]] const std::vector<Starts>& starts() const { return starts_; }
  bool operator==(const RateWindow&) const = default;

 private:
  /// Takes the starts along when the clock was set back.
  void see(Time now);

  Duration period_{};  // of the limit that it was last used with
  std::vector<Starts> starts_;
};

}  // namespace perdure::store
