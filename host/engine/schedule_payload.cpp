#include "host/engine/schedule_payload.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "store/model/timestamp.h"

namespace perdure::engine {

std::string schedule_payload(const store::Schedule& schedule, const store::DueRun& due, const store::Timetable& times) {
  boost::json::object payload{{"type", store::schedule_type_name(schedule.type)},
                              {"timestamp", store::format_time(due.due)}};
  if (due.last) payload["lastTimestamp"] = store::format_time(*due.last);
  payload["timezone"] = schedule.rule.timezone;
  payload["scheduleId"] = schedule.id.text();
  if (!schedule.external_id.empty()) payload["externalId"] = schedule.external_id;
  boost::json::array& upcoming = payload["upcoming"].emplace_array();
  for (const store::Time each : times.upcoming(due.due)) upcoming.emplace_back(store::format_time(each));
  return boost::json::serialize(payload);
}

}  // namespace perdure::engine
