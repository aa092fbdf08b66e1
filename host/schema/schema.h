// JSON Schema, draft 7 with what later drafts renamed: whether a payload is what a task takes, and if not, where and
// why. Neither a schema nor a payload can make a check crash or take long: nesting, steps and patterns are bounded, and
// what would go over is refused with a reason.
//
// `format`, `contentEncoding` and `contentMediaType` describe and do not check. References go to places inside the
// schema. Refused when a schema is compiled, rather than ignored: patterns that look around or refer back,
// unevaluatedProperties, unevaluatedItems, $dynamicRef and $recursiveRef.
//
// Immutable once compiled; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "store/model/status.h"

namespace perdure::schema {

/// What is wrong with a payload.
struct Fault {
  std::string pointer;  // where, as a JSON pointer (RFC 6901); empty: the payload itself
  std::string what;     // "must be a string, not a number", "is missing"

  /// One sentence without an end: "payload/items/3/price must be a number, not a string".
  [[nodiscard]] std::string sentence() const { return "payload" + pointer + ' ' + what; }
};

/// Steps that the check of a small payload may take, which are some ten milliseconds; each byte of a payload adds to
/// them.
inline constexpr std::uint64_t kMostSteps = 20'000'000;

class Schema {
 public:
  /// kInvalid names the place in the schema, as a JSON pointer, and what is wrong there.
  static store::Result<std::shared_ptr<const Schema>> compile(std::string_view json);

  /// Nothing when the JSON text `payload` fits. A text that is no JSON within the limits of payloads does not.
  [[nodiscard]] std::optional<Fault> check(std::string_view payload, std::uint64_t most_steps = kMostSteps) const;

  ~Schema();
  Schema(const Schema&) = delete;
  Schema& operator=(const Schema&) = delete;

 private:
  struct Parts;
  explicit Schema(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace perdure::schema
