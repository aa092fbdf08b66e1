// When schedules are due: what becomes of times that clocks skip or show twice, windows, and what was missed.
#include "store/model/timetable.h"

#include <gtest/gtest.h>

#include <string>

#include "store/model/timestamp.h"

namespace perdure::store {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

Timetable timetable(std::string pattern, std::string timezone = "UTC", std::string window = "") {
  const Result<Timetable> parsed = Timetable::parse({std::move(pattern), std::move(timezone), std::move(window)});
  EXPECT_TRUE(parsed) << parsed.status().message();
  return parsed.value();
}

Time at(std::string_view text) { return parse_time(text).value(); }

std::string upcoming(const Timetable& timetable, std::string_view after, std::size_t count) {
  std::string text;
  for (const Time time : timetable.upcoming(at(after), count)) text += format_time(time).substr(0, 16) + ' ';
  return text;
}

TEST(Timetable, ASkippedTimeFiresAtTheEndOfTheGap) {
  // Clocks in Paris went from 02:00 to 03:00 on 29 March 2026, at 01:00 UTC.
  EXPECT_EQ(upcoming(timetable("30 2 * * *", "Europe/Paris"), "2026-03-28", 3),
            "2026-03-28T01:30 2026-03-29T01:00 2026-03-30T00:30 ");
}

TEST(Timetable, SkippedTimesAndTheOneAtTheEndOfTheGapFireOnce) {
  EXPECT_EQ(upcoming(timetable("*/20 1-3 * * *", "Europe/Paris"), "2026-03-29T00:35", 4),
            "2026-03-29T00:40 2026-03-29T01:00 2026-03-29T01:20 2026-03-29T01:40 ");
}

TEST(Timetable, ATimeThatOccursTwiceFiresAtTheFirst) {
  // … and from 03:00 to 02:00 on 25 October, at 01:00 UTC.
  const Timetable daily = timetable("30 2 * * *", "Europe/Paris");
  EXPECT_EQ(upcoming(daily, "2026-10-25", 2), "2026-10-25T00:30 2026-10-26T01:30 ");
  for (const char* later : {"2026-10-25T00:30", "2026-10-25T00:59:59.999", "2026-10-25T01:00", "2026-10-25T01:29:59"}) {
    EXPECT_EQ(upcoming(daily, later, 1), "2026-10-26T01:30 ") << later;
  }
  EXPECT_EQ(upcoming(timetable("*/30 * * * *", "Europe/Paris"), "2026-10-25T00:00", 3),
            "2026-10-25T00:30 2026-10-25T02:00 2026-10-25T02:30 ");
}

TEST(Timetable, ADayThatAPlaceSkippedFiresAtTheBeginningOfTheNext) {
  // Samoa had no 30 December 2011: midnight after the 29th, at 10:00 UTC, was that of the 31st.
  EXPECT_EQ(upcoming(timetable("0 12 * * *", "Pacific/Apia"), "2011-12-29", 4),
            "2011-12-29T22:00 2011-12-30T10:00 2011-12-30T22:00 2011-12-31T22:00 ");
}

TEST(Timetable, TheNextTimeIsLaterThanTheGivenInstantHoweverClose) {
  const Timetable each_minute = timetable("* * * * *");
  EXPECT_EQ(upcoming(each_minute, "2026-01-01T00:00:59.999", 1), "2026-01-01T00:01 ");
  EXPECT_EQ(upcoming(each_minute, "2026-01-01T00:01:00.000", 1), "2026-01-01T00:02 ");
  EXPECT_EQ(upcoming(each_minute, "1969-12-31T23:58:59.999", 2), "1969-12-31T23:59 1970-01-01T00:00 ");
}

TEST(Timetable, AScheduleFiresWithinItsWindowAlwaysAtTheSamePlace) {
  const Timetable half_hour = timetable("0 * * * *", "UTC", "30m");
  const Timetable share = timetable("0 0,6 * * *", "UTC", "50%");
  const Time start = at("2026-01-01T00:30");
  bool differ = false;
  Duration first{};
  for (int i = 0; i < 1000; ++i) {
    const std::string id = "sched_" + std::to_string(i);
    const DueTime due = half_hour.next(start, id).value();
    EXPECT_EQ(due.nominal, at("2026-01-01T01:00"));
    EXPECT_GE(due.effective, due.nominal);
    EXPECT_LT(due.effective, due.nominal + minutes(30));
    const DueTime following = half_hour.next(due.nominal, id).value();
    EXPECT_EQ(following.effective, due.effective + hours(1));
    if (i == 0) first = due.effective - due.nominal;
    differ = differ || due.effective - due.nominal != first;
    // From 06:00 the next is 18 hours later, from 00:00 only 6.
    const Duration of_long = share.next(at("2026-01-01T01:00"), id)->effective - at("2026-01-01T06:00");
    const Duration of_short = share.next(at("2026-01-01T07:00"), id)->effective - at("2026-01-02T00:00");
    EXPECT_LT(of_long, hours(9));
    EXPECT_LT(of_short, hours(3));
    EXPECT_LE(of_short * 3 - of_long, Duration(3));
    EXPECT_LE(of_long - of_short * 3, Duration(3));
  }
  EXPECT_TRUE(differ);
}

TEST(Timetable, PlacesInAWindowAreSpreadEvenly) {
  const ScheduleWindow window = ScheduleWindow::parse("10h").value();
  int counts[10] = {};
  for (int i = 0; i < 10000; ++i) {
    ++counts[window.offset("sched_" + std::to_string(i), hours(24)) / hours(1)];
  }
  for (const int count : counts) EXPECT_NEAR(count, 1000, 150);
}

TEST(Timetable, WhatWasMissedMostRecentlyIsFoundHoweverLongAgo) {
  const Timetable daily = timetable("0 3 * * *");
  EXPECT_EQ(daily.latest(at("2020-01-01"), at("2026-11-26T12:00"), "s")->nominal, at("2026-11-26T03:00"));
  EXPECT_EQ(daily.latest(at("2020-01-01"), at("2026-11-26T03:00"), "s")->nominal, at("2026-11-26T03:00"));
  EXPECT_EQ(daily.latest(at("2020-01-01"), at("2026-11-26T02:59:59"), "s")->nominal, at("2026-11-25T03:00"));
  EXPECT_FALSE(daily.latest(at("2026-11-26T03:00"), at("2026-11-27T02:59"), "s"));
  EXPECT_FALSE(daily.latest(at("2026-11-26T03:00"), at("2026-11-26T03:00"), "s"));
  EXPECT_EQ(timetable("0 0 29 2 *").latest(at("2001-01-01"), at("2024-02-28"), "s")->nominal, at("2020-02-29"));
  EXPECT_EQ(timetable("* * * * *").latest(at("1000-01-01"), at("9000-01-01"), "s")->nominal, at("9000-01-01"));
}

TEST(Timetable, WhatIsMissedCountsByWhenItFires) {
  const Timetable windowed = timetable("0 3 * * *", "UTC", "12h");
  const DueTime due = windowed.next(at("2026-11-26"), "sched_a").value();
  ASSERT_GT(due.effective, due.nominal);
  EXPECT_EQ(windowed.latest(at("2026-11-25T12:00"), due.effective, "sched_a"), due);
  EXPECT_FALSE(windowed.latest(at("2026-11-25T12:00"), due.effective - Duration(1), "sched_a"));
}

TEST(Timetable, AWrongPartIsNamed) {
  const auto error = [](ScheduleRule rule) { return Timetable::parse(rule).status().message(); };
  EXPECT_NE(error({"* * *", "UTC", ""}).find("has 3 fields"), std::string::npos);
  EXPECT_EQ(error({"@daily", "Mars/Olympus", ""}),
            "there is no time zone \"Mars/Olympus\"; expected an IANA name such as Europe/Berlin");
  EXPECT_NE(error({"@daily", "UTC", "soon"}).find("\"soon\" is no window; expected a duration"), std::string::npos);
}

TEST(ScheduleWindow, IsADurationOrAShare) {
  for (const char* right : {"", "30m", "2h30m", "366d", "0%", "50%", "100%"}) {
    EXPECT_TRUE(ScheduleWindow::parse(right)) << right;
  }
  for (const char* wrong : {"%", "101%", "-1%", "1.5%", "1000%", "30", "30 m", "367d", "5%5%"}) {
    EXPECT_FALSE(ScheduleWindow::parse(wrong)) << wrong;
  }
  EXPECT_EQ(ScheduleWindow().offset("any", hours(1)), Duration(0));
  EXPECT_EQ(ScheduleWindow::parse("0%")->offset("any", hours(1)), Duration(0));
}

TEST(ScheduleWindow, ThePlacesOfIdsNeverChange) {
  // Written down once: a stored schedule keeps its place when Perdure is updated.
  const ScheduleWindow window = ScheduleWindow::parse("100%").value();
  EXPECT_EQ(window.offset("sched_a", hours(1)).count(), 1183020);
  EXPECT_EQ(window.offset("sched_b", hours(1)).count(), 1864393);
}

}  // namespace
}  // namespace perdure::store
