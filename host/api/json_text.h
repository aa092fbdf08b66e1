// Writes JSON text, front to back, with no document in between. The caller keeps the nesting right. Text that is not
// UTF-8 comes out as U+FFFD where it is broken, so the result is always valid. Not thread-safe.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "store/model/ids.h"

namespace perdure::api {

class JsonText {
 public:
  JsonText& begin_object() { return open('{'); }
  JsonText& end_object() { return close('}'); }
  JsonText& begin_array() { return open('['); }
  JsonText& end_array() { return close(']'); }

  /// The name of the next value.
  JsonText& key(std::string_view name);

  JsonText& text(std::string_view value);
  JsonText& boolean(bool value) { return raw(value ? "true" : "false"); }
  JsonText& time(store::Time value);
  JsonText& number(std::integral auto value) { return raw(std::to_string(value)); }
  JsonText& number(double value);
  /// JSON text as it is.
  JsonText& raw(std::string_view json);

  // A named value.
  JsonText& text(std::string_view name, std::string_view value) { return key(name).text(value); }
  JsonText& boolean(std::string_view name, bool value) { return key(name).boolean(value); }
  JsonText& time(std::string_view name, store::Time value) { return key(name).time(value); }
  JsonText& number(std::string_view name, auto value) { return key(name).number(value); }
  JsonText& raw(std::string_view name, std::string_view json) { return key(name).raw(json); }

  [[nodiscard]] const std::string& str() const { return out_; }
  std::string take() { return std::move(out_); }

 private:
  JsonText& open(char bracket);
  JsonText& close(char bracket);
  void separate();

  std::string out_;
  bool first_ = true;  // the next value is the first in its object or array, or follows a key
};

}  // namespace perdure::api
