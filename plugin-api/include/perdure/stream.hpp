// A named stream of a run: text appended piece by piece, which readers follow live or read from the start later. A
// value; any thread, until the task function returns.
#pragma once

#include <perdure/plugin.h>

#include <cstddef>
#include <string>
#include <string_view>

#include <perdure/json_write.hpp>
#include <perdure/metadata.hpp>
#include <perdure/text.hpp>

namespace perdure {

class Stream {
 public:
  Stream(const perdure_attempt* attempt, std::string_view name) : attempt_(attempt), name_(name) {}

  /// Appends a chunk of UTF-8 text; one over 1 MB as several. Throws Abort when the run has reached its limit.
  void append(std::string_view text) const {
    constexpr std::size_t kMost = std::size_t{1} << 20;
    while (text.size() > kMost) {
      std::size_t whole = kMost;
      while (whole > kMost - 4 && (static_cast<unsigned char>(text[whole]) & 0xC0) == 0x80) --whole;
      append_one(text.substr(0, whole));
      text.remove_prefix(whole);
    }
    append_one(text);
  }
  /// Appends a value as one chunk of JSON.
  template <class T>
  void append_json(const T& value) const {
    append(to_json(value));
  }

 private:
  void append_one(std::string_view chunk) const {
    detail::expect_recorded(attempt_,
                            attempt_->services->stream_append(attempt_, detail::str(name_), detail::str(chunk)));
  }

  const perdure_attempt* attempt_;
  std::string name_;
};

}  // namespace perdure
