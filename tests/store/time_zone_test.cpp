// Time zones: the same as the C library says for every zone of the system, and zone files that are damaged or made up.
#include "store/model/time_zone.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "store/model/time_zones.h"

namespace perdure::store {
namespace {

namespace chrono = std::chrono;
using chrono::seconds;
using chrono::sys_seconds;

const std::string kZones = PERDURE_SOURCE_DIR "/tests/store/due_times/zones/";

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A number as zone files have it.
std::string big_endian(std::int64_t value, int size) {
  std::string text;
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 0xff);
  return text;
}

struct MadeUpFile {
  std::vector<std::pair<std::int64_t, int>> changes;  // when, to which offset
  std::vector<std::int64_t> offsets = {0};
  std::string footer = "\nUTC0\n";
  char version = '2';
  std::int64_t leap_seconds = 0;

  [[nodiscard]] std::string text() const {
    const auto header = [&](std::int64_t times, std::int64_t types, std::int64_t letters, std::int64_t leap) {
      return std::string("TZif") + version + std::string(15, '\0') + big_endian(0, 4) + big_endian(0, 4) +
             big_endian(leap, 4) + big_endian(times, 4) + big_endian(types, 4) + big_endian(letters, 4);
    };
    const auto block = [&](int time_size) {
      std::string out =
          header(static_cast<std::int64_t>(changes.size()), static_cast<std::int64_t>(offsets.size()), 4, leap_seconds);
      for (const auto& [when, to] : changes) out += big_endian(when, time_size);
      for (const auto& [when, to] : changes) out += static_cast<char>(to);
      for (const std::int64_t offset : offsets) out += big_endian(offset, 4) + std::string(2, '\0');
      out += std::string("ABC\0", 4);
      out += std::string(static_cast<std::size_t>(leap_seconds * (time_size + 4)), '\0');
      return out;
    };
    return version == '\0' ? block(4) : header(0, 1, 4, 0) + std::string(6, '\0') + "ABC" + '\0' + block(8) + footer;
  }
};

Result<TimeZone> read(const MadeUpFile& file) { return TimeZone::read("Made/Up", bytes_of(file.text())); }
sys_seconds at(std::int64_t time) { return sys_seconds(seconds(time)); }

TEST(TimeZone, EveryZoneOfTheSystemShowsWhatTheCLibrarySays) {
  std::vector<std::string> names = TimeZones::system().names();
  ASSERT_GT(names.size(), 300u) << "tzdata is missing";
  names.insert(names.end(), {"Etc/GMT+12", "Etc/GMT-14", "EST5EDT", "US/Pacific", "Asia/Calcutta", "W-SU"});
  std::mt19937_64 random(1);
  // Until 2200; the last listed change of the system's files is in 2037.
  std::uniform_int_distribution<std::int64_t> any(-2'000'000'000, 7'258'118'400);
  for (const std::string& name : names) {
    const Result<std::shared_ptr<const TimeZone>> zone = TimeZones::system().find(name);
    ASSERT_TRUE(zone) << zone.status().message();
    setenv("TZ", name.c_str(), 1);
    tzset();
    for (int i = 0; i < 300; ++i) {
      const std::time_t when = any(random);
      std::tm local{};
      localtime_r(&when, &local);
      ASSERT_EQ((*zone)->offset_at(at(when)).count(), local.tm_gmtoff) << name << " at " << when;
    }
  }
  unsetenv("TZ");
  tzset();
}

TEST(TimeZone, TheSecondsBeforeAndAfterEveryChangeAreTold) {
  for (const char* name :
       {"Europe/Paris", "America/New_York", "Asia/Gaza", "Australia/Lord_Howe", "Africa/Casablanca"}) {
    const std::shared_ptr<const TimeZone> zone = TimeZones::system().find(name).value();
    setenv("TZ", name, 1);
    tzset();
    int changes = 0;
    const auto offset = [](std::time_t when) {
      std::tm local{};
      localtime_r(&when, &local);
      return local.tm_gmtoff;
    };
    constexpr std::int64_t kStep = 5 * 24 * 3600;
    for (std::time_t from = -kStep * 1000; from < 5'000'000'000; from += kStep) {
      if (offset(from) == offset(from + kStep)) continue;
      std::time_t before = from;
      std::time_t after = from + kStep;
      while (after - before > 1) (offset((before + after) / 2) == offset(from) ? before : after) = (before + after) / 2;
      for (const std::time_t when : {before - 1, before, after, after + 1}) {
        ASSERT_EQ(zone->offset_at(at(when)).count(), offset(when)) << name << " at " << when;
      }
      ++changes;
    }
    EXPECT_GT(changes, 100) << name;
  }
  unsetenv("TZ");
  tzset();
}

TEST(TimeZone, AFileOfVersionOneHasNoFooterAndItsLastOffsetGoesOn) {
  const MadeUpFile file{{{1000, 1}}, {60, 3600}, "", '\0'};
  const TimeZone zone = read(file).value();
  EXPECT_EQ(zone.offset_at(at(999)), seconds(60));
  EXPECT_EQ(zone.offset_at(at(1000)), seconds(3600));
  EXPECT_EQ(zone.offset_at(at(100'000'000'000)), seconds(3600));
}

TEST(TimeZone, LaterVersionsAreReadAsTheSecond) {
  for (const char version : {'2', '3', '4', '9'}) {
    const MadeUpFile file{{{5'000'000'000, 1}}, {0, 3600}, "\n<+01>-1\n", version};
    EXPECT_EQ(read(file)->offset_at(at(5'000'000'000)), seconds(3600)) << version;
  }
}

TEST(TimeZone, TheFooterIsEveryKindOfRule) {
  const auto offset = [](const std::string& rule, const char* when) {
    MadeUpFile file;
    file.footer = "\n" + rule + "\n";
    const Result<TimeZone> zone = read(file);
    if (!zone) return std::string("refused");
    std::tm tm{};
    strptime(when, "%Y-%m-%dT%H:%M", &tm);
    return std::to_string(zone->offset_at(at(timegm(&tm))).count() / 60);
  };
  EXPECT_EQ(offset("", "2026-01-01T00:00"), "0");
  EXPECT_EQ(offset("CET-1", "2026-07-01T00:00"), "60");
  EXPECT_EQ(offset("<-03>3", "2026-07-01T00:00"), "-180");
  EXPECT_EQ(offset("<+0545>-5:45", "2026-07-01T00:00"), "345");
  const std::string paris = "CET-1CEST,M3.5.0,M10.5.0/3";
  EXPECT_EQ(offset(paris, "2040-03-25T00:59"), "60");
  EXPECT_EQ(offset(paris, "2040-03-25T01:00"), "120");
  EXPECT_EQ(offset(paris, "2040-10-28T00:59"), "120");
  EXPECT_EQ(offset(paris, "2040-10-28T01:00"), "60");
  // Jn never counts 29 February, n does: 1 March is J60, and day 60 of a leap year.
  EXPECT_EQ(offset("AAA0BBB,J60/0,J300/0", "2024-02-29T23:59"), "0");
  EXPECT_EQ(offset("AAA0BBB,J60/0,J300/0", "2024-03-01T00:00"), "60");
  EXPECT_EQ(offset("AAA0BBB,J60/0,J300/0", "2023-03-01T00:00"), "60");
  EXPECT_EQ(offset("AAA0BBB,60/0,300/0", "2024-03-01T00:00"), "60");
  EXPECT_EQ(offset("AAA0BBB,60/0,300/0", "2023-03-01T23:59"), "0");
  EXPECT_EQ(offset("AAA0BBB,60/0,300/0", "2023-03-02T00:00"), "60");
  // Times beyond a day, negative ones, and into the next year and the last.
  EXPECT_EQ(offset("AAA0BBB,M3.4.4/50,M10.4.4/50", "2026-03-28T01:59"), "0");
  EXPECT_EQ(offset("AAA0BBB,M3.4.4/50,M10.4.4/50", "2026-03-28T02:00"), "60");
  EXPECT_EQ(offset("AAA0BBB,M3.5.0/-1,M10.5.0/0", "2026-03-28T22:59"), "0");
  EXPECT_EQ(offset("AAA0BBB,M3.5.0/-1,M10.5.0/0", "2026-03-28T23:00"), "60");
  EXPECT_EQ(offset("AAA0BBB,0/-167,J100", "2025-12-25T01:00"), "60");
  EXPECT_EQ(offset("AAA0BBB,J200,J365/167", "2026-01-06T21:59"), "60");
  EXPECT_EQ(offset("AAA0BBB,J200,J365/167", "2026-01-07T00:00"), "0");
  // South: the saving lasts over the new year. All year: it ends when it begins again. Dublin: it is the winter's.
  EXPECT_EQ(offset("AEST-10AEDT,M10.1.0,M4.1.0/3", "2040-01-01T00:00"), "660");
  EXPECT_EQ(offset("XXX3EDT4,0/0,J365/23", "2026-01-01T04:00"), "-240");
  EXPECT_EQ(offset("XXX3EDT4,0/0,J365/23", "2026-07-01T00:00"), "-240");
  EXPECT_EQ(offset("IST-1GMT0,M10.5.0,M3.5.0/1", "2040-01-01T00:00"), "0");
  EXPECT_EQ(offset("IST-1GMT0,M10.5.0,M3.5.0/1", "2040-07-01T00:00"), "60");
  for (const char* wrong : {"A-1", "CET", "CET-25", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.1.0,M10.1.0",
                            "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,J0,J1",
                            "CET-1CEST,J366,J1", "CET-1CEST,366,1", "CET-1CEST,M3.5.0/168,M10.5.0",
                            "CET-1CEST,M3.5.0,M10.5.0x", "<CET-1", "<>1", "CET-1:60", "CET-99999999999999999999"}) {
    EXPECT_EQ(offset(wrong, "2026-01-01T00:00"), "refused") << wrong;
  }
}

TEST(TimeZone, ADamagedFileIsRefusedWithTheReason) {
  const auto error = [](std::string_view text) {
    const Result<TimeZone> zone = TimeZone::read("Made/Up", bytes_of(text));
    return zone ? "accepted" : zone.status().message();
  };
  const auto has = [](const std::string& text, std::string_view words) {
    return text.find(words) != std::string::npos;
  };
  MadeUpFile right;
  right.changes = {{100, 1}, {200, 0}};
  right.offsets = {0, 3600};
  ASSERT_EQ(error(right.text()), "accepted");
  EXPECT_EQ(error("not a zone"),
            "the file of the time zone \"Made/Up\" is no zone file, or is cut; expected a zone file as "
            "zic writes it: install tzdata again");
  for (std::size_t size = 0; size < right.text().size(); ++size) {
    EXPECT_NE(error(right.text().substr(0, size)), "accepted") << "cut after " << size;
  }
  MadeUpFile wrong = right;
  wrong.changes[1].first = 100;
  EXPECT_TRUE(has(error(wrong.text()), "has changes that are not in order"));
  wrong = right;
  wrong.changes[1].second = 2;
  EXPECT_TRUE(has(error(wrong.text()), "names an offset that it does not have"));
  wrong = right;
  wrong.offsets[1] = 26 * 3600;
  EXPECT_TRUE(has(error(wrong.text()), "has an offset of more than a day"));
  wrong = right;
  wrong.leap_seconds = 27;
  EXPECT_TRUE(has(error(wrong.text()), "counts leap seconds"));
  wrong = right;
  wrong.footer = "\nno rule\n";
  EXPECT_TRUE(has(error(wrong.text()), "has a footer that is no rule"));
  wrong.footer = "UTC0";
  EXPECT_TRUE(has(error(wrong.text()), "ends without a footer"));
  std::string counts = right.text();
  for (const std::size_t count : {20u, 24u, 28u, 32u, 36u, 40u}) {
    counts.replace(count, 4, "\xff\xff\xff\xff");
    EXPECT_TRUE(has(error(counts), "is cut"));
  }
}

// Asks everything of a zone at odd times; a hostile one may say what it likes, but must answer.
void ask(const TimeZone& zone, std::mt19937_64& random) {
  std::uniform_int_distribution<std::int64_t> any(INT64_MIN, INT64_MAX);
  for (const std::int64_t time : {any(random), any(random) >> 30, any(random) >> 33, INT64_MIN, INT64_MAX}) {
    const seconds offset = zone.offset_at(at(time));
    EXPECT_LT(offset, chrono::hours(26));
    EXPECT_GT(offset, -chrono::hours(26));
    if (std::abs(time / 2) > 100'000'000'000) continue;
    const LocalTime shown = zone.shown_until(at(time));
    EXPECT_GE(shown.time_since_epoch(), at(time).time_since_epoch() + offset);
    EXPECT_GT(zone.first_at(shown + seconds(1)), at(time));
    EXPECT_LE(zone.first_at(shown), at(time));
  }
}

TEST(TimeZone, RandomChangesOfRealFilesDoNoHarm) {
  std::mt19937_64 random(2);
  std::uniform_int_distribution<std::size_t> any(0, SIZE_MAX);
  int accepted = 0;
  for (const char* name : {"Europe/Dublin", "Africa/Casablanca", "America/New_York", "Asia/Gaza"}) {
    const std::string original = content_of(kZones + name);
    ASSERT_FALSE(original.empty());
    for (int i = 0; i < 5000; ++i) {
      std::string text = original;
      for (std::size_t changes = 1 + any(random) % 4; changes > 0; --changes) {
        text[any(random) % text.size()] = static_cast<char>(any(random));
      }
      if (i % 5 == 0) text.resize(any(random) % text.size());
      const Result<TimeZone> zone = TimeZone::read("Made/Up", bytes_of(text));
      if (!zone) continue;
      ++accepted;
      ask(*zone, random);
    }
  }
  EXPECT_GT(accepted, 100);
}

TEST(TimeZone, RandomBytesAndRandomRulesDoNoHarm) {
  std::mt19937_64 random(3);
  std::uniform_int_distribution<std::size_t> any(0, SIZE_MAX);
  constexpr std::string_view kLetters = "ABC<>+-0123456789:,./JM5";
  int accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text(any(random) % 200, '\0');
    for (char& c : text) c = static_cast<char>(any(random));
    if (i % 2 == 0) text.insert(0, "TZif2");
    EXPECT_FALSE(TimeZone::read("Made/Up", bytes_of(text)));
    MadeUpFile file;
    std::string rule = "AAA0BBB,M3.5.0/26,M10.5.0/-3";
    for (std::size_t changes = 1 + any(random) % 3; changes > 0; --changes) {
      rule[any(random) % rule.size()] = kLetters[any(random) % kLetters.size()];
    }
    file.footer = "\n" + rule + "\n";
    const Result<TimeZone> zone = read(file);
    if (!zone) continue;
    ++accepted;
    ask(*zone, random);
  }
  EXPECT_GT(accepted, 100);
}

TEST(TimeZones, NamesThatAreNoZonesAreRefused) {
  for (const char* wrong : {"", "/", "/etc/passwd", "../zoneinfo/UTC", "Europe/../Asia/Tokyo", "Europe", "Europe/",
                            "/Europe/Paris", "Europe//Paris", "europe/paris", "Europe/Paris ", "posix/Europe/Paris",
                            "right/Europe/Paris", "localtime", "zone.tab", "tzdata.zi", "UTC+1", "Europe/Paris\n"}) {
    const Result<std::shared_ptr<const TimeZone>> zone = TimeZones::system().find(wrong);
    ASSERT_FALSE(zone) << wrong;
    EXPECT_EQ(zone.status().code(), Code::kInvalid) << wrong;
  }
  EXPECT_FALSE(TimeZones::system().find(std::string("UTC\0", 4)));
  EXPECT_FALSE(TimeZones::system().find(std::string(100000, 'A')));
  EXPECT_EQ(TimeZones::system().find("Europe/Pari").status().message(),
            "there is no time zone \"Europe/Pari\"; expected an IANA name such as Europe/Paris");
}

TEST(TimeZones, TheListBeginsWithUtcAndEveryNameOfItIsAZone) {
  const std::vector<std::string> names = TimeZones::system().names();
  EXPECT_EQ(names.front(), "UTC");
  EXPECT_TRUE(std::is_sorted(names.begin() + 1, names.end()));
  for (const std::string& name : names) EXPECT_TRUE(TimeZones::system().find(name)) << name;
}

class OwnFolder : public testing::Test {
 protected:
  OwnFolder() : folder_(std::filesystem::temp_directory_path() / ("perdure-zones-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~OwnFolder() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& content, int age) {
    const std::filesystem::path path = folder_ / name;
    std::ofstream(path, std::ios::binary) << content;
    std::filesystem::last_write_time(path, std::filesystem::file_time_type::clock::now() - chrono::hours(age));
  }

  std::filesystem::path folder_;
};

TEST_F(OwnFolder, AZoneIsReadOnceAndAgainWhenItsFileHasChanged) {
  TimeZones zones(folder_);
  MadeUpFile file;
  file.footer = "\nAAA-1\n";
  write("Place", file.text(), 3);
  const std::shared_ptr<const TimeZone> first = zones.find("Place").value();
  EXPECT_EQ(first->offset_at(at(0)), chrono::hours(1));
  EXPECT_EQ(zones.find("Place").value(), first);
  file.footer = "\nAAA-2\n";
  write("Place", file.text(), 2);
  EXPECT_EQ(zones.find("Place").value()->offset_at(at(0)), chrono::hours(2));
  EXPECT_EQ(first->offset_at(at(0)), chrono::hours(1));
}

TEST_F(OwnFolder, AZoneThatWasReadStaysWhenItsFileIsDamagedOrGoneUntilThereIsARightOne) {
  TimeZones zones(folder_);
  MadeUpFile file;
  file.footer = "\nAAA-1\n";
  write("Place", file.text(), 4);
  const std::shared_ptr<const TimeZone> first = zones.find("Place").value();
  write("Place", "half a fi", 3);
  EXPECT_EQ(zones.find("Place").value(), first);
  std::filesystem::remove(folder_ / "Place");
  EXPECT_EQ(zones.find("Place").value(), first);
  file.footer = "\nAAA-2\n";
  write("Place", file.text(), 2);
  EXPECT_EQ(zones.find("Place").value()->offset_at(at(0)), chrono::hours(2));
}

TEST_F(OwnFolder, AMachineWithoutZoneFilesHasUtcAndSaysWhatToInstall) {
  TimeZones zones(folder_);
  EXPECT_TRUE(zones.find("UTC"));
  EXPECT_EQ(zones.names(), std::vector<std::string>{"UTC"});
  EXPECT_EQ(zones.find("Europe/Paris").status().message(),
            "there is no time zone \"Europe/Paris\"; expected an IANA name such as Europe/Berlin (" + folder_.string() +
                " has no zone files: install tzdata, or set TZDIR)");
  write("Place", "rubbish", 0);
  EXPECT_EQ(zones.find("Place").status().code(), Code::kCorruption);
  write("Large", std::string((1u << 20) + 1, 'x'), 0);
  EXPECT_EQ(zones.find("Large").status().code(), Code::kCorruption);
}

TEST(TimeZones, ManyThreadsAskAtOnce) {
  TimeZones zones("/usr/share/zoneinfo");
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (const char* name : {"Europe/Paris", "Asia/Tokyo", "America/New_York", "No/Where"}) {
        EXPECT_EQ(zones.find(name).is_ok(), std::string_view(name) != "No/Where");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace perdure::store
