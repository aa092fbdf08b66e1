#include "store/model/duration.h"

#include <array>
#include <cstdint>

namespace perdure::store {
namespace {

using std::chrono::seconds;

constexpr std::size_t kMostCharacters = 100;

struct Unit {
  std::string_view text;
  seconds length;
};
constexpr std::array<Unit, 6> kUnits = {{
    {"w", seconds(7 * 24 * 3600)},
    {"d", seconds(24 * 3600)},
    {"hr", seconds(3600)},  // before "h", which it begins with
    {"h", seconds(3600)},
    {"m", seconds(60)},
    {"s", seconds(1)},
}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes the number that `text` begins with; nothing when there is none. A number too large becomes one that is larger
// than every accepted duration in seconds.
std::optional<std::int64_t> take_number(std::string_view& text) {
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  constexpr std::int64_t kTooLarge = std::int64_t{1} << 50;
  std::int64_t number = 0;
  for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1)) {
    if (number < kTooLarge) number = number * 10 + (text.front() - '0');
  }
  return number;
}

const Unit* take_unit(std::string_view& text) {
  for (const Unit& unit : kUnits) {
    if (!text.starts_with(unit.text)) continue;
    text.remove_prefix(unit.text.size());
    return &unit;
  }
  return nullptr;
}

Status no_duration(std::string_view text) {
  return Status::invalid("\"" + std::string(text.substr(0, kMostCharacters)) +
                         "\" is no duration; write numbers with units such as 30s, 2h30m, 1d or 1w");
}

Status too_long(std::string_view text) {
  return Status::invalid("the duration \"" + std::string(text.substr(0, kMostCharacters)) +
                         "\" is longer than 1000 years; give a shorter one");
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  if (text.empty() || text.size() > kMostCharacters) return no_duration(text);
  seconds sum{};
  bool fits = true;
  for (std::string_view rest = text; !rest.empty();) {
    const std::optional<std::int64_t> number = take_number(rest);
    const Unit* unit = number ? take_unit(rest) : nullptr;
    if (unit == nullptr) return no_duration(text);
    const auto room = std::chrono::duration_cast<seconds>(kLongestDuration) - sum;
    fits = fits && *number <= room / unit->length;
    if (fits) sum += *number * unit->length;
  }
  if (!fits) return too_long(text);
  return Duration(sum);
}

Result<Duration> parse_ttl(std::string_view text) {
  std::string_view rest = text;
  const std::optional<std::int64_t> number = take_number(rest);
  if (!number || !rest.empty() || text.size() > kMostCharacters) return parse_duration(text);
  if (*number > std::chrono::duration_cast<seconds>(kLongestDuration).count()) return too_long(text);
  return Duration(seconds(*number));
}

std::optional<Duration> parse_idempotency_ttl(std::string_view text) {
  std::string_view rest = text;
  if (!take_number(rest) || rest.size() != 1 || rest == "w") return std::nullopt;
  const Result<Duration> parsed = parse_duration(text);
  return parsed ? std::optional<Duration>(*parsed) : std::nullopt;
}

std::string format_duration(Duration duration) {
  auto rest = std::chrono::duration_cast<seconds>(duration);
  if (rest <= seconds::zero()) return "0s";
  std::string text;
  for (const Unit& unit : kUnits) {
    const std::int64_t count = rest / unit.length;
    if (count == 0 || unit.text == "w" || unit.text == "hr") continue;
    text += std::to_string(count);
    text += unit.text;
    rest -= count * unit.length;
  }
  return text;
}

}  // namespace perdure::store
