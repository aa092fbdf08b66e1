// The host's log: one logger for the whole process, on standard error. People's format on a terminal, one JSON object a
// line otherwise; lines that concern a run carry its id, attempt and task as fields.
//
//   telemetry::log().info("listening on {}", address);
//   telemetry::log({.run = run.id.text(), .attempt = 2, .task = run.task.text()}).warn("attempt crashed: {}", why);
//
// Any thread. What is logged before set_up() goes out as text, from level warn on.
#pragma once

#include <spdlog/logger.h>

#include <cstdint>
#include <string_view>
#include <utility>

#include "store/model/status.h"

namespace perdure::telemetry {

/// Which run a line is about; empty ones are left out. The texts are read before the logging call returns.
struct Fields {
  std::string_view run{};
  std::uint32_t attempt = 0;
  std::string_view task{};
};

enum class Format : std::uint8_t { kAuto, kText, kJson };  // kAuto: text when standard error is a terminal

struct LogOptions {
  spdlog::level::level_enum level = spdlog::level::info;
  Format format = Format::kAuto;
};

/// From the words of the configuration: level trace, debug, info, warn or error; format auto, text or json. kInvalid
/// for others.
store::Result<LogOptions> log_options(std::string_view level, std::string_view format);

/// Makes the logger what `options` say. Once, before other threads log.
void set_up(const LogOptions& options);

/// The process's logger.
spdlog::logger& log();

/// Gives one line its fields; made by log(fields), used at once.
class LogLine {
 public:
  explicit LogLine(const Fields& fields);
  ~LogLine();
  LogLine(const LogLine&) = delete;
  LogLine& operator=(const LogLine&) = delete;

  template <class... Args>
  void debug(spdlog::format_string_t<Args...> format, Args&&... args) {
    log().debug(format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void info(spdlog::format_string_t<Args...> format, Args&&... args) {
    log().info(format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void warn(spdlog::format_string_t<Args...> format, Args&&... args) {
    log().warn(format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void error(spdlog::format_string_t<Args...> format, Args&&... args) {
    log().error(format, std::forward<Args>(args)...);
  }

 private:
  Fields fields_;
  const Fields* outer_;
};

inline LogLine log(const Fields& fields) { return LogLine(fields); }

}  // namespace perdure::telemetry
