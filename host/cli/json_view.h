// A look into JSON text without rebuilding it: the host's answers are shown as they came, so that a payload's 0.10 or a
// number of thirty digits stays what it is. Views point into the text, which must outlive them. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace perdure::cli {

class JsonView {
 public:
  JsonView() = default;  // nothing
  /// The value that `text` begins with; nothing when it begins with none.
  explicit JsonView(std::string_view text);

  /// Whether there is a value, other than null.
  explicit operator bool() const { return !raw_.empty() && raw_ != "null"; }
  [[nodiscard]] std::string_view raw() const { return raw_; }
  /// A string's characters, unescaped; any other value as it is written; empty for nothing.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool is_true() const { return raw_ == "true"; }
  /// A whole number, or 0.
  [[nodiscard]] long long number() const;

  /// An object's member; nothing when there is none, or when this is no object.
  JsonView operator[](std::string_view key) const;
  [[nodiscard]] std::vector<JsonView> items() const;                            // of an array, else none
  [[nodiscard]] std::vector<std::pair<std::string, JsonView>> members() const;  // of an object, else none

 private:
  std::string_view raw_;
};

/// The text with line breaks and two spaces an inner level. Empty arrays and objects stay on their line.
std::string indented(std::string_view json);

/// `text` as a JSON string.
std::string json_string(std::string_view text);

}  // namespace perdure::cli
