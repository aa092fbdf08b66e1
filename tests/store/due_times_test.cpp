// Due times of many patterns in many time zones, around every kind of change of clocks, against a table that was worked
// out without the product: due_times/make_due_times.py, in Python, by trying every minute. Its comment says how.
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "store/model/time_zones.h"
#include "store/model/timestamp.h"
#include "store/model/timetable.h"

namespace perdure::store {
namespace {

const std::string kFolder = PERDURE_SOURCE_DIR "/tests/store/due_times/";

struct Case {
  std::string zone;
  std::string pattern;
  std::string after;
  std::string times;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  std::ifstream in(kFolder + "due_times.txt");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    std::vector<std::string> parts;
    for (std::size_t at = 0; at != std::string::npos;) {
      const std::size_t end = line.find(" | ", at);
      parts.push_back(line.substr(at, end - at));
      at = end == std::string::npos ? end : end + 3;
    }
    if (parts.size() != 4) ADD_FAILURE() << line;
    parts.resize(4);
    all.push_back({parts[0], parts[1], parts[2], parts[3]});
  }
  return all;
}

std::string text_of(const std::vector<Time>& times) {
  std::string text;
  for (const Time time : times) text += (text.empty() ? "" : " ") + format_time(time).substr(0, 19) + "Z";
  return text;
}

TEST(DueTimes, AreThoseOfTheTable) {
  TimeZones zones(kFolder + "zones");
  const std::vector<Case> all = cases();
  EXPECT_GE(all.size(), 150u);
  for (const Case& each : all) {
    const Result<Timetable> timetable = Timetable::parse({each.pattern, each.zone, ""}, zones);
    ASSERT_TRUE(timetable) << timetable.status().message();
    const Time after = parse_time(each.after).value();
    EXPECT_EQ(text_of(timetable->upcoming(after)), each.times) << each.pattern << " in " << each.zone;
    // From each of its times, and from the millisecond before, the table goes on the same.
    for (const Time time : timetable->upcoming(after)) {
      EXPECT_EQ(timetable->next(time - Duration(1), "s")->nominal, time) << each.pattern << " in " << each.zone;
      EXPECT_GT(timetable->next(time, "s")->nominal, time) << each.pattern << " in " << each.zone;
    }
  }
}

}  // namespace
}  // namespace perdure::store
