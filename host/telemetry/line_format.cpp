#include "host/telemetry/line_format.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/details/log_msg.h>

#include <algorithm>
#include <chrono>
#include <iterator>

namespace perdure::telemetry {
namespace {

using std::chrono::milliseconds;

std::string_view level_name(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
      return "trace";
    case spdlog::level::debug:
      return "debug";
    case spdlog::level::info:
      return "info";
    case spdlog::level::warn:
      return "warn";
    default:
      return "error";
  }
}

// Whole seconds and the milliseconds beyond them.
std::pair<std::time_t, long> split(spdlog::log_clock::time_point at) {
  const auto since = std::chrono::duration_cast<milliseconds>(at.time_since_epoch());
  return {static_cast<std::time_t>(since.count() / 1000), static_cast<long>(since.count() % 1000)};
}

class TextFormat : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& line, spdlog::memory_buf_t& out) override {
    const auto [seconds, thousandths] = split(line.time);
    fmt::format_to(std::back_inserter(out), "{:%H:%M:%S}.{:03} ", fmt::localtime(seconds), thousandths);
    line.color_range_start = out.size();
    const auto level = level_name(line.level);
    out.append(level.data(), level.data() + level.size());
    line.color_range_end = out.size();
    fmt::format_to(std::back_inserter(out), "{:{}} ", "", 5 - level.size());
    out.append(line.payload.data(), line.payload.data() + line.payload.size());
    if (const Fields* fields = current_fields()) {
      std::string_view separator = "  ";
      const auto field = [&](std::string_view name, auto value) {
        fmt::format_to(std::back_inserter(out), "{}{}={}", separator, name, value);
        separator = " ";
      };
      if (!fields->run.empty()) field("run", fields->run);
      if (fields->attempt != 0) field("attempt", fields->attempt);
      if (!fields->task.empty()) field("task", fields->task);
    }
    out.push_back('\n');
  }
  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override { return text_format(); }
};

class JsonFormat : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& line, spdlog::memory_buf_t& out) override {
    const auto [seconds, thousandths] = split(line.time);
    std::string text =
        fmt::format("{{\"at\":\"{:%Y-%m-%dT%H:%M:%S}.{:03}Z\",\"level\":\"{}\",\"message\":", fmt::gmtime(seconds),
                    thousandths, level_name(line.level));
    append_json_string(text, {line.payload.data(), line.payload.size()});
    if (const Fields* fields = current_fields()) {
      if (!fields->run.empty()) {
        text += ",\"run\":";
        append_json_string(text, fields->run);
      }
      if (fields->attempt != 0) text += ",\"attempt\":" + std::to_string(fields->attempt);
      if (!fields->task.empty()) {
        text += ",\"task\":";
        append_json_string(text, fields->task);
      }
    }
    text += "}\n";
    out.append(text.data(), text.data() + text.size());
  }
  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override { return json_format(); }
};

// The length of the UTF-8 sequence that `text` begins with; 0 when it begins with none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xC2 ? 0
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                             : first < 0xF5 ? 4
                                            : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (first == 0xE0 && byte(1) < 0xA0) return 0;   // longer than needed
  if (first == 0xED && byte(1) >= 0xA0) return 0;  // half of a surrogate pair
  if (first == 0xF0 && byte(1) < 0x90) return 0;   // longer than needed
  if (first == 0xF4 && byte(1) >= 0x90) return 0;  // beyond U+10FFFF
  return length;
}

}  // namespace

std::unique_ptr<spdlog::formatter> text_format() { return std::make_unique<TextFormat>(); }
std::unique_ptr<spdlog::formatter> json_format() { return std::make_unique<JsonFormat>(); }

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const auto byte = static_cast<unsigned char>(text[0]);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else if (byte == '"' || byte == '\\') {
      out += '\\';
      out += text[0];
    } else if (byte == '\n') {
      out += "\\n";
    } else if (byte < 0x20) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  out += '"';
}

}  // namespace perdure::telemetry
