#include "host/cli/schedule_text.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <ostream>

#include "host/cli/run_text.h"
#include "host/cli/table.h"
#include "store/model/time_zones.h"
#include "store/model/timestamp.h"

namespace perdure::cli {
namespace {

constexpr std::array<const char*, 7> kWeekdays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

}  // namespace

std::vector<Upcoming> upcoming_of(const JsonView& document) {
  std::vector<Upcoming> times;
  for (const JsonView& each : document["upcoming"].items()) {
    times.push_back({each["due"].text(), each["firesAt"].text()});
  }
  return times;
}

std::string time_in_zone(std::string_view iso, const std::string& timezone) {
  const auto time = store::parse_time(iso);
  if (!time) return {};
  const auto zone = store::TimeZones::system().find(timezone);
  const auto instant = std::chrono::floor<std::chrono::seconds>(*time);
  const auto offset = zone ? (*zone)->offset_at(instant) : std::chrono::seconds(0);
  const std::string text = store::format_time(store::Time(instant + offset));
  const std::chrono::weekday weekday(std::chrono::floor<std::chrono::days>(instant + offset));
  return fmt::format("{} {} {}{}", kWeekdays[weekday.c_encoding()], text.substr(0, 10), text.substr(11, 5),
                     zone ? "" : " UTC");
}

void print_upcoming(const std::vector<Upcoming>& times, const std::string& timezone, Console& console) {
  Table table({"DUE, " + timezone, "FIRES, UTC"});
  for (const Upcoming& each : times) {
    table.add({{time_in_zone(each.due, timezone)}, {each.fires_at.substr(0, 10) + " " + each.fires_at.substr(11, 8)}});
  }
  table.print(console);
}

void print_schedule(const JsonView& schedule, Console& console) {
  const bool color = color_out(console);
  std::ostream& out = console.out;
  const bool active = schedule["active"].is_true();
  out << styled(color, Style::kBold, printable(schedule["id"].text())) << " "
      << styled(color, active ? Style::kGreen : Style::kYellow, active ? "active" : "inactive") << "\n";
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) {
      out << "  " << styled(color, Style::kDim, fmt::format("{:<12}", name)) << " " << printable(value) << "\n";
    }
  };
  const std::string timezone = schedule["timezone"].text();
  const JsonView generator = schedule["generator"];
  line("task", schedule["task"].text());
  line("pattern", generator["expression"].text() + "  (" + generator["description"].text() + ")");
  line("time zone", timezone);
  line("window", schedule["window"].text());
  line("catch-up", schedule["catchUp"].text());
  line("overlap", schedule["overlap"].text());
  line("made by", schedule["type"].text() == "DECLARATIVE" ? "the task, in " + schedule["declaredBy"].text() : "");
  line("key", schedule["deduplicationKey"].text());
  line("external id", schedule["externalId"].text());
  line("last due", time_in_zone(schedule["lastDue"].text(), timezone));
  line("last run", schedule["lastRunId"].text());
  if (schedule["waiting"]) {
    line("waiting", time_in_zone(schedule["waiting"].text(), timezone) + ", until the last run is over");
  }
  if (const JsonView backfill = schedule["backfill"]) {
    line("backfill", time_in_zone(backfill["next"].text(), timezone) + " until " +
                         time_in_zone(backfill["until"].text(), timezone));
  }
  const std::vector<Upcoming> upcoming = upcoming_of(schedule);
  if (upcoming.empty()) return;
  out << "\n";
  print_upcoming(upcoming, timezone, console);
}

}  // namespace perdure::cli
