// What a target takes its parts from: the bytes that the fuzzer made, front to back. Once they are used up it yields
// zeros and empty text, so that every input means something. A value; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace perdure::fuzz {

class Input {
 public:
  explicit Input(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto first = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return first;
  }
  /// One of `count` things by a letter, 'a' for the first, so that a seed can be written and read.
  std::size_t letter(std::size_t count) { return static_cast<std::uint8_t>(byte() - 'a') % count; }
  std::uint64_t u64() {
    std::uint64_t number = 0;
    for (int i = 0; i < 8; ++i) number = number << 8 | byte();
    return number;
  }
  std::int64_t i64() { return static_cast<std::int64_t>(u64()); }
  /// Up to the next line end, which is taken too.
  std::string_view line() {
    const auto end = rest_.find('\n');
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    return line;
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

}  // namespace perdure::fuzz
