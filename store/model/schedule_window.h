// By how much later than its pattern says a schedule fires, so that all that is due at midnight does not begin at once.
// Each schedule has its own offset within the window, always the same. Values; any thread.
#pragma once

#include <string>
#include <string_view>

#include "store/model/ids.h"
#include "store/model/status.h"

namespace perdure::store {

class ScheduleWindow {
 public:
  /// No window: everything fires when it is due.
  ScheduleWindow() = default;

  /// "30m", any duration of at most 366 days, or a share of the time to the next firing, "50%" (0% to 100%); empty for
  /// none. kInvalid otherwise.
  static Result<ScheduleWindow> parse(std::string_view text);

  /// As it was written.
  [[nodiscard]] const std::string& text() const { return text_; }

  /// The offset of a schedule whose next time is `interval` later: at least 0, below the duration or the share of
  /// `interval`, whole milliseconds. The same id has the same place in the window in every process.
  [[nodiscard]] Duration offset(std::string_view schedule_id, Duration interval) const;

 private:
  std::string text_;
  Duration width_{};
  int percent_ = 0;
};

}  // namespace perdure::store
