#include "host/api/schedule_json.h"

#include <string>
#include <string_view>

#include "store/model/cron.h"

namespace perdure::api {
namespace {

constexpr std::string_view kEnvironments = R"([{"id":"env_local","type":"PRODUCTION"}])";
constexpr std::size_t kUpcomingShown = 5;

void put_text_if(JsonText& json, std::string_view name, const std::string& text) {
  if (!text.empty()) json.text(name, text);
}
void put_time_if(JsonText& json, std::string_view name, const std::optional<store::Time>& time) {
  if (time) json.time(name, *time);
}

// The contract wants a description of every pattern, also of one that is not understood any more.
void put_generator(JsonText& json, const std::string& pattern) {
  const store::Result<store::CronPattern> parsed = store::CronPattern::parse(pattern);
  json.key("generator").begin_object().text("type", "CRON").text("expression", pattern);
  json.text("description", parsed ? parsed->description() : pattern).end_object();
}

void put_options(JsonText& json, const store::ScheduleRule& rule) {
  put_text_if(json, "window", rule.window);
  json.text("catchUp", store::catch_up_name(rule.catch_up)).text("overlap", store::overlap_name(rule.overlap));
}

}  // namespace

void put_schedule(JsonText& json, const store::Schedule& schedule) {
  json.text("id", schedule.id.text()).text("type", store::schedule_type_name(schedule.type));
  json.text("task", schedule.task.text()).boolean("active", schedule.active);
  put_text_if(json, "deduplicationKey", schedule.deduplication_key);
  put_text_if(json, "externalId", schedule.external_id);
  put_generator(json, schedule.rule.pattern);
  json.text("timezone", schedule.rule.timezone);
  put_time_if(json, "nextRun", schedule.next_due);
  put_time_if(json, "nextRunEffectiveAt", schedule.next_at);
  json.raw("environments", kEnvironments);
}

void put_schedule_details(JsonText& json, const store::Schedule& schedule, store::Time now) {
  put_options(json, schedule.rule);
  put_text_if(json, "declaredBy", schedule.declared_by);
  json.time("createdAt", schedule.created_at).time("updatedAt", schedule.updated_at);
  put_time_if(json, "lastDue", schedule.last_due);
  put_text_if(json, "lastRunId", schedule.last_run.text());
  put_time_if(json, "waiting", schedule.waiting);
  if (schedule.backfill) {
    json.key("backfill").begin_object().time("next", schedule.backfill->next).time("until", schedule.backfill->until);
    json.end_object();
  }
  const store::Result<store::Timetable> times = store::Timetable::parse(schedule.rule);
  if (times) put_upcoming(json, *times, now, schedule.id.text(), kUpcomingShown);
}

void put_declared_rule(JsonText& json, const store::ScheduleRule& rule) {
  json.begin_object();
  put_generator(json, rule.pattern);
  json.text("timezone", rule.timezone);
  put_options(json, rule);
  json.end_object();
}

void put_upcoming(JsonText& json, const store::Timetable& times, store::Time after, std::string_view schedule_id,
                  std::size_t count) {
  json.key("upcoming").begin_array();
  for (std::optional<store::DueTime> due = times.next(after, schedule_id); due && count > 0; --count) {
    json.begin_object().time("due", due->nominal).time("firesAt", due->effective).end_object();
    due = times.next(due->nominal, schedule_id);
  }
  json.end_array();
}

}  // namespace perdure::api
