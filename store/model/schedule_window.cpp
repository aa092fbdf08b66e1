#include "store/model/schedule_window.h"

#include <algorithm>
#include <cstdint>

#include "store/model/duration.h"

namespace perdure::store {
namespace {

constexpr Duration kLongest = std::chrono::days(366);

// A number that depends on every letter, the same on every machine: FNV-1a, its bits mixed once more because the
// upper ones of short texts are alike. Stored times depend on it: never change it.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccd;
  hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53;
  return hash ^ hash >> 33;
}

Status no_window(std::string_view text) {
  return Status::invalid(
      "\"" + std::string(text.substr(0, 60)) +
      "\" is no window; expected a duration of at most 366 days such as 30m or 2h, or a share of the "
      "interval from 0% to 100% such as 50%");
}

}  // namespace

Result<ScheduleWindow> ScheduleWindow::parse(std::string_view text) {
  ScheduleWindow window;
  if (text.empty()) return window;
  window.text_ = text;
  if (text.ends_with('%')) {
    const std::string_view number = text.substr(0, text.size() - 1);
    if (number.empty() || number.size() > 3) return no_window(text);
    for (const char c : number) {
      if (c < '0' || c > '9') return no_window(text);
      window.percent_ = window.percent_ * 10 + (c - '0');
    }
    if (window.percent_ > 100) return no_window(text);
    return window;
  }
  const Result<Duration> width = parse_duration(text);
  if (!width || *width > kLongest) return no_window(text);
  window.width_ = *width;
  return window;
}

Duration ScheduleWindow::offset(std::string_view schedule_id, Duration interval) const {
  const Duration width = percent_ > 0 ? std::max(interval, Duration(0)) * percent_ / 100 : width_;
  // 32 bits of the hash are the place in the window, so that a window of another width keeps it.
  const std::uint64_t place = hash_of(schedule_id) >> 32;
  const auto wide = static_cast<std::uint64_t>(width.count());
  return Duration(static_cast<std::int64_t>((wide >> 32) * place + ((wide & 0xffffffff) * place >> 32)));
}

}  // namespace perdure::store
