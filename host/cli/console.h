// Where a verb reads and writes, and what it knows of the terminal there: everything that a test gives it instead.
// One thread.
#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

namespace perdure::cli {

/// What a verb ends with; the process's exit status.
enum ExitStatus : int {
  kDone = 0,
  kFailed = 1,       // the run or the request failed
  kWrongUsage = 2,   // the command line or the configuration is wrong
  kUnreachable = 3,  // no host answers
  kLeftRunning = 4,  // the host has ended, and attempts of it go on
};

struct Console {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  bool color = true;  // false: not even on a terminal (NO_COLOR)
  std::function<std::optional<std::string>(const std::string& name)> environment{};
};

/// Standard input, output and error of this process.
Console standard_console();

/// Colours and weights; plain when `on` is false.
enum class Style { kBold, kDim, kRed, kGreen, kYellow, kBlue };
std::string styled(bool on, Style style, std::string_view text);

inline bool color_out(const Console& console) { return console.color && console.out_is_terminal; }
inline bool color_err(const Console& console) { return console.color && console.err_is_terminal; }

/// `text` made fit for a terminal: control characters other than newline and tab, which could move the cursor or
/// recolour what follows, are shown as "\x1b".
std::string printable(std::string_view text);

}  // namespace perdure::cli
