// Log lines of an attempt: a level, a message for people, fields for machines. Any thread, until the task function
// returns. A line that cannot be written is lost, never an error of the task.
#pragma once

#include <perdure/plugin.h>

#include <string>
#include <string_view>

#include <perdure/json.hpp>
#include <perdure/json_write.hpp>
#include <perdure/text.hpp>

namespace perdure {

class Log {
 public:
  explicit Log(const perdure_attempt* attempt) noexcept : attempt_(attempt) {}

  /// run.log.info("charged", {{"order", order.id}, {"cents", order.cents}});
  void trace(std::string_view message, const json::object& fields = {}) const { write(PERDURE_TRACE, message, fields); }
  void debug(std::string_view message, const json::object& fields = {}) const { write(PERDURE_DEBUG, message, fields); }
  void info(std::string_view message, const json::object& fields = {}) const { write(PERDURE_INFO, message, fields); }
  void warn(std::string_view message, const json::object& fields = {}) const { write(PERDURE_WARN, message, fields); }
  void error(std::string_view message, const json::object& fields = {}) const { write(PERDURE_ERROR, message, fields); }

 private:
  void write(perdure_level level, std::string_view message, const json::object& fields) const {
    std::string text;
    if (!fields.empty()) {
      try {
        detail::append_json(text, fields);
      } catch (const JsonError& e) {
        text = "{\"fields_left_out\":";
        detail::append_text(text, e.what());
        text += '}';
      }
    }
    attempt_->services->log(attempt_, level, detail::str(message), detail::str(text));
  }

  const perdure_attempt* attempt_;
};

}  // namespace perdure
