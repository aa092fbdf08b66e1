#include "store/model/delay.h"

#include <algorithm>
#include <string>

#include "store/model/duration.h"
#include "store/model/timestamp.h"

namespace perdure::store {

Result<Delay> parse_delay(std::string_view text) {
  if (const Result<Time> time = parse_time(text)) return Delay(*time);
  if (const Result<Duration> duration = parse_duration(text)) return Delay(*duration);
  return Status::invalid("\"" + std::string(text.substr(0, 100)) +
                         "\" is neither a duration nor a time; write one such as 1h30m or 2030-01-31T12:00:00Z");
}

Time end_of(const Delay& delay, Time now) {
  const Duration* const duration = std::get_if<Duration>(&delay);
  return duration != nullptr ? now + *duration : std::get<Time>(delay);
}

bool in_trigger_delay(const Run& run) { return run.status == RunStatus::kDelayed && run.attempts == 0; }

TimedParts parts_of_durations(const Run& run) {
  const bool delayed = run.status == RunStatus::kDelayed;
  const bool until_calendar_time = delayed && run.calendar;
  const bool waits = run.status == RunStatus::kWaiting;
  TimedParts parts;
  parts.ready = (delayed || waits) && run.ready_at && !run.calendar;
  parts.expires = run.expires_at && !run.started_at && !is_final(run.status) && !until_calendar_time;
  parts.debounce = delayed && run.debounce_until.has_value();
  return parts;
}

Status no_delay(const Run& run) {
  std::string sentence = "run " + run.id.text() + " is " + std::string(status_name(run.status));
  sentence += run.status == RunStatus::kDelayed ? " until its next attempt, which is no delay of its trigger"
                                                : ", and only a DELAYED run can be rescheduled";
  return Status::conflict(std::move(sentence));
}

void move_delay(Run& run, Time until, bool calendar, Time now) {
  run.ready_at = std::max(until, now);
  run.calendar = calendar && until > now;
  run.updated_at = now;
  const bool has_ttl = run.options.ttl && *run.options.ttl > Duration::zero();
  run.expires_at = has_ttl ? std::optional(*run.ready_at + *run.options.ttl) : std::nullopt;
}

}  // namespace perdure::store
