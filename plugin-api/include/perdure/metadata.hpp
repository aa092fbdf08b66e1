// What a run tells about itself while it executes: a JSON object that everybody sees at once, changed by the run, its
// children and clients side by side without losing anything of each other. A value; any thread, until the task function
// returns.
#pragma once

#include <perdure/plugin.h>

#include <string>
#include <string_view>
#include <type_traits>

#include <perdure/errors.hpp>
#include <perdure/json_write.hpp>
#include <perdure/text.hpp>

namespace perdure {

namespace detail {

/// Turns the status of a service that any thread may call into an exception: a broken contract aborts the run, and what
/// the host could not record fails the attempt.
inline void expect_recorded(const perdure_attempt* attempt, perdure_status status) {
  if (status == PERDURE_OK) return;
  std::string words(view(attempt->services->last_error(attempt)));
  if (status == PERDURE_INVALID || status == PERDURE_NOT_FOUND) throw Abort(words);
  throw Error(status == PERDURE_DISCONNECTED ? "Disconnected" : "NotRecorded", words);
}

}  // namespace detail

class Metadata {
 public:
  explicit Metadata(const perdure_attempt* attempt, perdure_metadata_target target = PERDURE_META_SELF) noexcept
      : attempt_(attempt), target_(target) {}

  /// run.metadata.set("status", "loading"). A key that begins with "$." is a path: "$.order.total", "$.items.0.name".
  /// Each of these throws Abort when the value does not fit what is there, or all would be more than 256 KB.
  template <class T>
  void set(std::string_view key, const T& value) const {
    change(PERDURE_META_SET, key, to_json(value));
  }
  /// The entry goes.
  void del(std::string_view key) const { change(PERDURE_META_DELETE, key, {}); }
  /// Adds to a number; a missing one counts as 0.
  template <class Number>
  requires std::is_arithmetic_v<Number>
  void increment(std::string_view key, Number by) const { change(PERDURE_META_INCREMENT, key, to_json(by)); }
  void increment(std::string_view key) const { increment(key, 1); }
  /// Adds at the end of a list; a missing one counts as empty.
  template <class T>
  void append(std::string_view key, const T& value) const {
    change(PERDURE_META_APPEND, key, to_json(value));
  }
  /// Takes every element equal to `value` out of a list.
  template <class T>
  void remove(std::string_view key, const T& value) const {
    change(PERDURE_META_REMOVE, key, to_json(value));
  }

  /// That of the run whose attempt triggered this one, and of the first in this line. A run without a parent is its
  /// own.
  Metadata parent() const noexcept { return Metadata(attempt_, PERDURE_META_PARENT); }
  Metadata root() const noexcept { return Metadata(attempt_, PERDURE_META_ROOT); }

 private:
  void change(perdure_metadata_op op, std::string_view key, const std::string& value) const {
    detail::expect_recorded(
        attempt_, attempt_->services->set_metadata(attempt_, target_, op, detail::str(key), detail::str(value)));
  }

  const perdure_attempt* attempt_;
  perdure_metadata_target target_;
};

}  // namespace perdure
