#include "host/cli/run_text.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ostream>

#include "store/model/machine.h"
#include "store/model/timestamp.h"

namespace perdure::cli {
namespace {

std::string formatted(const JsonView& iso, bool clock) {
  const auto time = store::parse_time(iso.text());
  if (!iso || !time) return {};
  const auto milliseconds = time.value().time_since_epoch().count();
  const auto local = fmt::localtime(static_cast<std::time_t>(milliseconds / 1000));
  return clock ? fmt::format("{:%H:%M:%S}.{:03}", local, milliseconds % 1000)
               : fmt::format("{:%Y-%m-%d %H:%M:%S}", local);
}

Style style_of_level(std::string_view level) {
  if (level == "error") return Style::kRed;
  if (level == "warn") return Style::kYellow;
  if (level == "info") return Style::kGreen;
  return Style::kDim;
}

}  // namespace

bool is_final(std::string_view status) {
  constexpr std::array<std::string_view, 7> kFinal{"COMPLETED",      "FAILED",   "CRASHED", "TIMED_OUT",
                                                   "SYSTEM_FAILURE", "CANCELED", "EXPIRED"};
  return std::ranges::find(kFinal, status) != kFinal.end();
}

Style style_of(std::string_view status) {
  if (status == "COMPLETED") return Style::kGreen;
  if (status == "CANCELED" || status == "EXPIRED") return Style::kYellow;
  if (is_final(status)) return Style::kRed;
  return status == "EXECUTING" ? Style::kBlue : Style::kDim;
}

std::string local_time(const JsonView& iso) { return formatted(iso, false); }
std::string local_clock(const JsonView& iso) { return formatted(iso, true); }

std::string short_duration(long long milliseconds) {
  if (milliseconds < 1000) return fmt::format("{}ms", std::max(milliseconds, 0LL));
  if (milliseconds < 60'000) return fmt::format("{}.{}s", milliseconds / 1000, milliseconds % 1000 / 100);
  const long long seconds = milliseconds / 1000;
  if (seconds < 3600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  if (seconds < 86'400) return fmt::format("{}h{:02}m", seconds / 3600, seconds % 3600 / 60);
  return fmt::format("{}d{:02}h", seconds / 86'400, seconds % 86'400 / 3600);
}

void print_log_entry(std::ostream& out, bool color, const JsonView& entry) {
  const std::string level = entry["level"].text();
  const std::string source = entry["source"].text();
  out << styled(color, Style::kDim, local_clock(entry["at"]));
  if (entry["attempt"].number() > 0) out << styled(color, Style::kDim, " #" + entry["attempt"].text());
  if (source == "stdout" || source == "stderr") {
    out << " " << styled(color, Style::kDim, source) << " ";
  } else {
    out << " " << styled(color, style_of_level(level), fmt::format("{:<5}", printable(level))) << "  ";
  }
  std::string message = printable(entry["message"].text());
  while (message.ends_with('\n')) message.pop_back();
  out << message;
  std::string_view separator = "  ";
  for (const auto& [name, value] : entry["fields"].members()) {
    out << separator << styled(color, Style::kDim, printable(name) + "=") << printable(value.text());
    separator = " ";
  }
  out << std::endl;  // a pipe's reader follows along
}

std::string error_line(const JsonView& error) {
  const std::string name = error["name"].text();
  const std::string message = error["message"].text();
  return name.empty() || message.starts_with(name) ? message : name + ": " + message;
}

void print_error(std::ostream& out, bool color, const JsonView& error, std::size_t frames) {
  if (!error) return;
  out << styled(color, Style::kRed, printable(error_line(error))) << "\n";
  std::string lines = printable(error["stackTrace"].text());
  while (lines.ends_with('\n')) lines.pop_back();
  std::string_view rest = lines;
  for (; !rest.empty() && frames > 0; --frames) {
    const auto end = std::min(rest.find('\n'), rest.size());
    out << "  " << rest.substr(0, end) << "\n";
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (!rest.empty()) {
    const auto more = 1 + std::ranges::count(rest, '\n');
    out << styled(color, Style::kDim, fmt::format("  … {} more; --json shows all", more)) << "\n";
  }
  const JsonView core = error["details"]["core"];
  if (core["path"]) {
    const std::string size = store::memory_in_words(static_cast<std::uint64_t>(core["bytes"].number()));
    const char* cut = core["complete"].text() == "false" ? ", not all of it" : "";
    out << "  core file " << printable(core["path"].text()) << " (" << size << cut << ")\n";
  } else if (core) {
    out << "  no core file: " << printable(core["error"].text()) << "\n";
  }
}

}  // namespace perdure::cli
