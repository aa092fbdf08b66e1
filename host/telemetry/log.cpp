#include "host/telemetry/log.h"

#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "host/telemetry/line_format.h"

namespace perdure::telemetry {
namespace {

thread_local const Fields* fields_of_line = nullptr;

std::shared_ptr<spdlog::logger> make_logger() {
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(spdlog::color_mode::never);
  sink->set_formatter(text_format());
  auto logger = std::make_shared<spdlog::logger>("perdure", std::move(sink));
  logger->set_level(spdlog::level::warn);
  return logger;
}

}  // namespace

store::Result<LogOptions> log_options(std::string_view level, std::string_view format) {
  LogOptions options;
  options.level = spdlog::level::from_str(std::string(level));
  if (options.level == spdlog::level::off && level != "off") {
    return store::Status::invalid("no log level is called \"" + std::string(level) +
                                  "\"; expected trace, debug, info, warn or error");
  }
  if (format == "text") {
    options.format = Format::kText;
  } else if (format == "json") {
    options.format = Format::kJson;
  } else if (format != "auto") {
    return store::Status::invalid("no log format is called \"" + std::string(format) +
                                  "\"; expected auto, text or json");
  }
  return options;
}

void set_up(const LogOptions& options) {
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  const bool text = options.format == Format::kText || (options.format == Format::kAuto && terminal);
  const char* no_color = std::getenv("NO_COLOR");
  const bool color = text && terminal && (no_color == nullptr || *no_color == '\0');
  auto& sink = static_cast<spdlog::sinks::stderr_color_sink_mt&>(*log().sinks().front());
  sink.set_color_mode(color ? spdlog::color_mode::always : spdlog::color_mode::never);
  sink.set_formatter(text ? text_format() : json_format());
  log().set_level(options.level);
}

spdlog::logger& log() {
  static const std::shared_ptr<spdlog::logger> logger = make_logger();
  return *logger;
}

const Fields* current_fields() { return fields_of_line; }

LogLine::LogLine(const Fields& fields) : fields_(fields), outer_(fields_of_line) { fields_of_line = &fields_; }
LogLine::~LogLine() { fields_of_line = outer_; }

}  // namespace perdure::telemetry
