// A cron pattern's text to its fields: splitting, names, ranges, steps, L, macros, and what is said about wrong ones.
#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "store/model/cron.h"

namespace perdure::store {
namespace {

constexpr std::size_t kMostCharacters = 1000;
constexpr std::size_t kMostShown = 60;

constexpr std::array<std::string_view, 12> kMonths = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                      "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::array<std::string_view, 7> kWeekdays = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

struct Field {
  std::string_view name;
  int least;
  int most;
  std::span<const std::string_view> names;  // of least, least + 1, …
  std::string_view expected;
};
constexpr Field kMinute{"minute", 0, 59, {}, "0-59, *, a range 0-29, a step */15 or a list of these by commas"};
constexpr Field kHour{"hour", 0, 23, {}, "0-23, *, a range 9-17, a step */2 or a list of these by commas"};
constexpr Field kDay{
    "day-of-month", 1, 31, {}, "1-31, *, L (the last day), a range 1-7, a step */2 or a list of these by commas"};
constexpr Field kMonth{"month", 1, 12, kMonths,
                       "1-12 or JAN-DEC, *, a range JAN-MAR, a step */3 or a list of these by commas"};
constexpr Field kWeekday{
    "day-of-week", 0, 7, kWeekdays,
    "0-7 or SUN-SAT, *, 5L or FRIL (the last Friday), a range MON-FRI, a step or a list of these by commas"};

struct Macro {
  std::string_view name;
  std::string_view pattern;
};
constexpr std::array<Macro, 7> kMacros = {{{"@hourly", "0 * * * *"},
                                           {"@daily", "0 0 * * *"},
                                           {"@midnight", "0 0 * * *"},
                                           {"@weekly", "0 0 * * 0"},
                                           {"@monthly", "0 0 1 * *"},
                                           {"@yearly", "0 0 1 1 *"},
                                           {"@annually", "0 0 1 1 *"}}};

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, kMostShown)) out += c >= ' ' && c <= '~' ? c : '?';
  return out + (text.size() > kMostShown ? "…\"" : "\"");
}

// Parts of `text` between `separator`s, empty ones too.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0;;) {
    const std::size_t end = text.find(separator, at);
    parts.push_back(text.substr(at, end - at));
    if (end == std::string_view::npos) return parts;
    at = end + 1;
  }
}

// A number of at most four digits.
std::optional<int> number(std::string_view text) {
  if (text.empty() || text.size() > 4) return std::nullopt;
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

// A number or a name within the field's bounds.
std::optional<int> value_of(const Field& field, std::string_view text) {
  const auto name = std::ranges::find(field.names, upper(text));
  if (name != field.names.end()) return field.least + static_cast<int>(name - field.names.begin());
  const std::optional<int> value = number(text);
  return value && *value >= field.least && *value <= field.most ? value : std::nullopt;
}

// What the items of one field allow.
struct Allowed {
  std::uint64_t values = 0;
  std::uint32_t last_weekdays = 0;
  bool last_day = false;
};

std::uint32_t weekday_bit(int value) { return 1u << (value % 7); }

// One item of a list: nothing when it is right, else what is wrong with it.
std::optional<std::string> read_item(const Field& field, std::string_view item, Allowed& allowed) {
  const std::vector<std::string_view> parts = split(item, '/');
  const std::string_view base = parts[0];
  if (upper(item) == "L" && &field == &kDay) {
    allowed.last_day = true;
    return std::nullopt;
  }
  if (upper(item) == "L" && &field == &kWeekday) return "L needs a day before it";
  if (&field == &kWeekday && upper(item).ends_with('L')) {
    const std::optional<int> day = value_of(field, item.substr(0, item.size() - 1));
    if (!day) return "L needs a day before it";
    allowed.last_weekdays |= weekday_bit(*day);
    return std::nullopt;
  }
  int first = field.least;
  int last = field.most;
  if (base != "*" && base != "?") {
    const std::vector<std::string_view> ends = split(base, '-');
    const std::optional<int> from = value_of(field, ends.front());
    std::optional<int> to = value_of(field, ends.back());
    if (&field == &kWeekday && ends.size() > 1 && upper(ends.back()) == "SUN") to = 7;
    if (ends.size() > 2 || !from || !to) return "it is none";
    first = *from;
    // A single value goes on to the end when a step follows.
    last = ends.size() == 1 && parts.size() > 1 ? field.most : *to;
    if (last < first) return "the range ends before it begins";
  }
  int step = 1;
  if (parts.size() > 1) {
    const std::optional<int> given = number(parts[1]);
    if (parts.size() > 2 || !given || *given == 0) return "a step is one / and a number of at least 1";
    step = *given;
  }
  for (int value = first; value <= last; value += step) {
    allowed.values |= &field == &kWeekday ? weekday_bit(value) : std::uint64_t{1} << value;
  }
  return std::nullopt;
}

Result<Allowed> read_field(const Field& field, std::string_view text, std::string_view pattern) {
  Allowed allowed;
  for (const std::string_view item : split(text, ',')) {
    const std::optional<std::string> wrong = read_item(field, item, allowed);
    if (!wrong) continue;
    return Status::invalid("the cron pattern " + quoted(pattern) + ": " + quoted(item) + " in its " +
                           std::string(field.name) + " field is wrong: " +
                           (*wrong == "it is none" ? "" : *wrong + "; ") + "expected " + std::string(field.expected));
  }
  return allowed;
}

// The fields' texts, which white space separates.
std::vector<std::string_view> words(std::string_view text) {
  constexpr std::string_view kSpace = " \t";
  std::vector<std::string_view> out;
  for (std::size_t at = text.find_first_not_of(kSpace); at != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(kSpace, at), text.size());
    out.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(kSpace, end);
  }
  return out;
}

Status wrong_count(std::string_view text, std::size_t count) {
  std::string why = "the cron pattern " + quoted(text) + " has " + std::to_string(count) +
                    (count == 1 ? " field" : " fields") + "; expected five: minute hour day-of-month month day-of-week";
  if (count == 6) why += " (there are no seconds)";
  return Status::invalid(why + ", such as 30 9 * * MON-FRI, or a macro such as @daily");
}

}  // namespace

Result<CronFields> parse_cron_fields(std::string_view text) {
  if (text.size() > kMostCharacters) {
    return Status::invalid("the cron pattern " + quoted(text) + " has more than 1000 characters; write a shorter one");
  }
  std::vector<std::string_view> parts = words(text);
  if (parts.size() == 1 && parts[0].starts_with('@')) {
    const auto* macro =
        std::ranges::find_if(kMacros, [name = upper(parts[0])](const Macro& each) { return upper(each.name) == name; });
    if (macro == kMacros.end()) {
      std::string known;
      for (const Macro& each : kMacros) known += (known.empty() ? "" : ", ") + std::string(each.name);
      return Status::invalid("the cron pattern " + quoted(text) + " is no macro; expected one of " + known);
    }
    parts = words(macro->pattern);
  }
  if (parts.size() != 5) return wrong_count(text, parts.size());
  const std::array<const Field*, 5> fields = {&kMinute, &kHour, &kDay, &kMonth, &kWeekday};
  std::array<Allowed, 5> allowed;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    Result<Allowed> read = read_field(*fields[i], parts[i], text);
    if (!read) return read.status();
    allowed[i] = *read;
  }
  const auto any = [](std::string_view part) { return part == "*" || part == "?"; };
  CronFields out;
  out.minutes = allowed[0].values;
  out.hours = static_cast<std::uint32_t>(allowed[1].values);
  out.days = static_cast<std::uint32_t>(allowed[2].values);
  out.last_day = allowed[2].last_day;
  out.months = static_cast<std::uint32_t>(allowed[3].values);
  out.weekdays = static_cast<std::uint32_t>(allowed[4].values);
  out.last_weekdays = allowed[4].last_weekdays;
  out.any_day = any(parts[2]);
  out.any_weekday = any(parts[4]);
  return out;
}

}  // namespace perdure::store
