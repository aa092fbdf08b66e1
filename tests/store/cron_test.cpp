// Cron patterns: what each field may say, what is said about wrong ones, and the English for it. Which times a pattern
// means is in timetable_test.cpp.
#include "store/model/cron.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "store/model/timestamp.h"

namespace perdure::store {
namespace {

std::string error_of(std::string_view pattern) {
  const Result<CronPattern> parsed = CronPattern::parse(pattern);
  return parsed ? "accepted" : parsed.status().message();
}

CronFields fields(std::string_view pattern) { return CronPattern::parse(pattern).value().fields(); }

// The next `count` times as text without seconds, from midnight before 2026.
std::string next_times(std::string_view pattern, int count = 3) {
  const CronPattern parsed = CronPattern::parse(pattern).value();
  LocalTime at = std::chrono::local_days(std::chrono::year(2026) / 1 / 1) - std::chrono::seconds(1);
  std::string text;
  for (int i = 0; i < count; ++i) {
    at = parsed.next(at).value();
    text += (i == 0 ? "" : ", ") + format_time(Time(at.time_since_epoch())).substr(0, 16);
  }
  return text;
}

TEST(Cron, FieldsAreNumbersNamesListsRangesAndSteps) {
  EXPECT_EQ(fields("5 4 3 2 1"), fields(" 05\t04  03 FEB  mon "));
  EXPECT_EQ(fields("0,30 * * * *").minutes, std::uint64_t{1} << 30 | 1);
  EXPECT_EQ(fields("1-3,7 * * * *").minutes, 0b10001110u);
  EXPECT_EQ(fields("*/20 * * * *").minutes, std::uint64_t{1} << 40 | 1 << 20 | 1);
  EXPECT_EQ(fields("50/4 * * * *").minutes, fields("50,54,58 * * * *").minutes);
  EXPECT_EQ(fields("10-20/5 * * * *").minutes, fields("10,15,20 * * * *").minutes);
  EXPECT_EQ(fields("0 0 ? JAN-mar ?"), fields("0 0 * 1-3 *"));
  EXPECT_EQ(fields("* * * * *").minutes, (std::uint64_t{1} << 60) - 1);
}

TEST(Cron, SundayIsZeroSevenOrItsName) {
  for (const char* same : {"0 0 * * 7", "0 0 * * SUN", "0 0 * * sun", "0 0 * * 7-7"}) {
    EXPECT_EQ(fields(same), fields("0 0 * * 0")) << same;
  }
  for (const char* same : {"0 0 * * 5-7", "0 0 * * FRI-SUN", "0 0 * * FRI,SAT,SUN", "0 0 * * 5/1"}) {
    EXPECT_EQ(fields(same).weekdays, fields("0 0 * * 0,5,6").weekdays) << same;
  }
  EXPECT_EQ(fields("0 0 * * 0-7").weekdays, 0x7fu);
}

TEST(Cron, MacrosAreShortForPatterns) {
  EXPECT_EQ(fields("@hourly"), fields("0 * * * *"));
  EXPECT_EQ(fields("@daily"), fields("0 0 * * *"));
  EXPECT_EQ(fields("@midnight"), fields("0 0 * * *"));
  EXPECT_EQ(fields("@weekly"), fields("0 0 * * 0"));
  EXPECT_EQ(fields("@monthly"), fields("0 0 1 * *"));
  EXPECT_EQ(fields("@yearly"), fields("0 0 1 1 *"));
  EXPECT_EQ(fields(" @Annually "), fields("0 0 1 1 *"));
  EXPECT_EQ(CronPattern::parse("@daily")->text(), "@daily");
}

TEST(Cron, LIsTheLastDayOfAMonthOrTheLastOfAWeekday) {
  EXPECT_EQ(next_times("0 0 L * *"), "2026-01-31T00:00, 2026-02-28T00:00, 2026-03-31T00:00");
  EXPECT_EQ(next_times("0 0 1,l * *"), "2026-01-01T00:00, 2026-01-31T00:00, 2026-02-01T00:00");
  EXPECT_EQ(next_times("0 0 * * 5L"), "2026-01-30T00:00, 2026-02-27T00:00, 2026-03-27T00:00");
  EXPECT_EQ(fields("0 0 * * FRIL"), fields("0 0 * * 5L"));
  EXPECT_EQ(fields("0 0 * * sunl"), fields("0 0 * * 7L"));
  EXPECT_EQ(next_times("0 0 * * 5L,6"), "2026-01-03T00:00, 2026-01-10T00:00, 2026-01-17T00:00");
}

TEST(Cron, ADayThatFitsEitherDayFieldIsEnoughUnlessOneIsAStar) {
  EXPECT_EQ(next_times("0 0 13 * FRI"), "2026-01-02T00:00, 2026-01-09T00:00, 2026-01-13T00:00");
  EXPECT_EQ(next_times("0 0 13 * ?"), "2026-01-13T00:00, 2026-02-13T00:00, 2026-03-13T00:00");
  EXPECT_EQ(next_times("0 0 */14 * FRI"), "2026-01-01T00:00, 2026-01-02T00:00, 2026-01-09T00:00");
  EXPECT_EQ(next_times("0 0 L * 0L"), "2026-01-25T00:00, 2026-01-31T00:00, 2026-02-22T00:00");
}

TEST(Cron, ATwentyNinthOfFebruaryIsFoundAcrossAYearThatSkipsIt) {
  const CronPattern leap_day = CronPattern::parse("0 0 29 2 *").value();
  const auto at = [](int year) { return LocalTime(std::chrono::local_days(std::chrono::year(year) / 2 / 29)); };
  EXPECT_EQ(leap_day.next(at(2096)), at(2104));
  EXPECT_EQ(leap_day.next(at(1896)), at(1904));
}

TEST(Cron, TimesOutsideTheCalendarHaveNoNext) {
  const CronPattern each_minute = CronPattern::parse("* * * * *").value();
  EXPECT_FALSE(each_minute.next(LocalTime::max()));
  EXPECT_FALSE(each_minute.next(LocalTime::min()));
  const auto near_end = LocalTime(std::chrono::local_days(std::chrono::year(9999) / 6 / 1));
  EXPECT_FALSE(CronPattern::parse("0 0 1 1 *")->next(near_end));
}

TEST(Cron, AWrongPatternIsRefusedByFieldWithWhatIsExpected) {
  EXPECT_EQ(
      error_of("60 * * * *"),
      "the cron pattern \"60 * * * *\": \"60\" in its minute field is wrong: expected 0-59, *, a range 0-29, a step "
      "*/15 or a list of these by commas");
  const std::pair<const char*, const char*> cases[] = {
      {"", "has 0 fields; expected five: minute hour day-of-month month day-of-week"},
      {"* * * *", "has 4 fields"},
      {"0 0 * * * *", "has 6 fields; expected five: minute hour day-of-month month day-of-week (there are no seconds)"},
      {"* 24 * * *", "\"24\" in its hour field is wrong: expected 0-23"},
      {"* * 0 * *", "\"0\" in its day-of-month field is wrong: expected 1-31"},
      {"* * 32 * *", "\"32\" in its day-of-month field"},
      {"* * * 13 *", "\"13\" in its month field is wrong: expected 1-12 or JAN-DEC"},
      {"* * * FOO *", "\"FOO\" in its month field"},
      {"* * * MON *", "\"MON\" in its month field"},
      {"* * * * 8", "\"8\" in its day-of-week field is wrong: expected 0-7 or SUN-SAT"},
      {"* * * * MONDAY", "\"MONDAY\" in its day-of-week field"},
      {"* * * * L", "\"L\" in its day-of-week field is wrong: L needs a day before it"},
      {"* * * * XL", "\"XL\" in its day-of-week field is wrong: L needs a day before it"},
      {"* * L-3 * *", "\"L-3\" in its day-of-month field"},
      {"L * * * *", "\"L\" in its minute field"},
      {"* * 15W * *", "\"15W\" in its day-of-month field"},
      {"* * * * 5#2", "\"5#2\" in its day-of-week field"},
      {"1, * * * *", "\"\" in its minute field"},
      {",1 * * * *", "\"\" in its minute field"},
      {"5-1 * * * *", "\"5-1\" in its minute field is wrong: the range ends before it begins"},
      {"* * * * SAT-MON", "the range ends before it begins"},
      {"1-2-3 * * * *", "\"1-2-3\" in its minute field"},
      {"-5 * * * *", "\"-5\" in its minute field"},
      {"*/0 * * * *", "a step is one / and a number of at least 1"},
      {"*/ * * * *", "a step is one / and a number of at least 1"},
      {"*/5/5 * * * *", "a step is one / and a number of at least 1"},
      {"/5 * * * *", "\"/5\" in its minute field"},
      {"*5 * * * *", "\"*5\" in its minute field"},
      {"1.5 * * * *", "\"1.5\" in its minute field"},
      {"99999999999999999999 * * * *", "in its minute field"},
      {"@reboot", "is no macro; expected one of @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually"},
      {"0 0 30 2 *", "would never fire: none of its months has such a day"},
      {"0 0 31 4,6,9,11 ?", "would never fire"},
      {"\x1b[2J * * * *", "\"?[2J\" in its minute field"},
  };
  for (const auto& [pattern, words] : cases) {
    EXPECT_NE(error_of(pattern).find(words), std::string::npos) << pattern << ": " << error_of(pattern);
    EXPECT_EQ(CronPattern::parse(pattern).status().code(), Code::kInvalid);
  }
  EXPECT_NE(error_of(std::string(1001, '*')).find("more than 1000 characters"), std::string::npos);
  EXPECT_EQ(error_of("0 0 30 2 MON"), "accepted");  // Mondays of February
  EXPECT_EQ(error_of("0 0 31 2,3 *"), "accepted");
}

TEST(Cron, RandomTextDoesNoHarm) {
  std::mt19937_64 random(1);
  std::uniform_int_distribution<std::size_t> any(0, SIZE_MAX);
  constexpr std::string_view kLetters = "*?/-,0123456789LMONFRI# @\t";
  int accepted = 0;
  for (int i = 0; i < 200000; ++i) {
    std::string text = i % 4 == 0 ? "" : i % 4 == 1 ? "*/5 1-3 L * FRIL" : "0 0 1,15 JAN-MAR MON";
    for (std::size_t changes = 1 + any(random) % 4; changes > 0; --changes) {
      const char letter = i % 3 == 0 ? static_cast<char>(any(random)) : kLetters[any(random) % kLetters.size()];
      text.insert(text.begin() + static_cast<std::ptrdiff_t>(any(random) % (text.size() + 1)), letter);
    }
    const Result<CronPattern> pattern = CronPattern::parse(text);
    if (!pattern) {
      EXPECT_FALSE(pattern.status().message().empty());
      continue;
    }
    ++accepted;
    const LocalTime start = std::chrono::local_days(std::chrono::year(2096) / 3 / 1);
    const std::optional<LocalTime> next = pattern->next(start);
    ASSERT_TRUE(next) << text;
    EXPECT_GT(*next, start);
    EXPECT_FALSE(pattern->description().empty());
  }
  EXPECT_GT(accepted, 1000);
}

TEST(Cron, ADescriptionIsEnglish) {
  const std::pair<const char*, const char*> cases[] = {
      {"* * * * *", "Every minute"},
      {"*/5 * * * *", "Every 5 minutes"},
      {"0/30 * * * *", "Every 30 minutes"},
      {"*/7 * * * *", "Every 7 minutes within the hour"},
      {"*/45 * * * *", "At 0 and 45 minutes past the hour"},
      {"@hourly", "Every hour"},
      {"1 * * * *", "At 1 minute past the hour"},
      {"15 * * * *", "At 15 minutes past the hour"},
      {"0 */2 * * *", "Every 2 hours"},
      {"0 */5 * * *", "Every 5 hours within the day"},
      {"@daily", "At 00:00 every day"},
      {"30 9 * * 1", "At 09:30 on Monday"},
      {"30 9 * * MON-FRI", "At 09:30 on Monday to Friday"},
      {"0 8,18 * * 0,6", "At 08:00 and 18:00 on Saturday and Sunday"},
      {"*/10 9-17 * * *", "Every 10 minutes from 09:00 to 17:59"},
      {"0-9 1,5,9,13 * * *", "At 0 to 9 minutes past the hour in the hours 1, 5, 9 and 13"},
      {"@weekly", "At 00:00 on Sunday"},
      {"@monthly", "At 00:00 on day 1 of the month"},
      {"0 0 1-3,15,L * *", "At 00:00 on days 1 to 3 and 15 and the last day of the month"},
      {"0 12 * * FRIL", "At 12:00 on the last Friday of the month"},
      {"0 12 13 * FRI", "At 12:00 on day 13 of the month or on Friday"},
      {"@yearly", "At 00:00 on day 1 of the month in January"},
      {"0 6 * JUN-AUG *", "At 06:00 every day in June to August"},
  };
  for (const auto& [pattern, english] : cases)
    EXPECT_EQ(CronPattern::parse(pattern)->description(), english) << pattern;
}

}  // namespace
}  // namespace perdure::store
