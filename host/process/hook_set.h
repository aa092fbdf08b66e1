// The hooks of the plugin interface by name, and sets of them: which ones stand around a task, which ones a child is to
// run. Values; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace perdure::process {

/// In the order of perdure_hooks.
enum class Hook : std::uint8_t {
  kMiddleware,
  kOnStartAttempt,
  kOnStart,
  kInit,
  kOnSuccess,
  kCatchError,
  kOnFailure,
  kOnComplete,
  kCleanup,
  kOnWait,
  kOnResume,
  kOnCancel,
};
inline constexpr std::size_t kHookCount = static_cast<std::size_t>(Hook::kOnCancel) + 1;

/// Its member's name in perdure_hooks: "middleware", "on_start_attempt", ...
std::string_view hook_name(Hook hook);
std::optional<Hook> parse_hook(std::string_view name);

class HookSet {
 public:
  constexpr HookSet() = default;
  constexpr HookSet(std::initializer_list<Hook> hooks) {
    for (const Hook hook : hooks) add(hook);
  }
  /// Those of `names` that this host knows.
  static HookSet named(const std::vector<std::string>& names);

  constexpr void add(Hook hook) { bits_ |= bit(hook); }
  constexpr void remove(Hook hook) { bits_ &= static_cast<std::uint16_t>(~bit(hook)); }
  [[nodiscard]] constexpr bool has(Hook hook) const { return (bits_ & bit(hook)) != 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  /// The hooks that are in both.
  [[nodiscard]] constexpr HookSet both(HookSet other) const { return HookSet(bits_ & other.bits_); }
  /// The hooks that are in either.
  [[nodiscard]] constexpr HookSet either(HookSet other) const { return HookSet(bits_ | other.bits_); }
  /// In the order of perdure_hooks.
  [[nodiscard]] std::vector<std::string> names() const;
  bool operator==(const HookSet&) const = default;

 private:
  static_assert(kHookCount <= 16);
  explicit constexpr HookSet(int bits) : bits_(static_cast<std::uint16_t>(bits)) {}
  static constexpr std::uint16_t bit(Hook hook) {
    return static_cast<std::uint16_t>(1U << static_cast<unsigned>(hook));
  }

  std::uint16_t bits_ = 0;
};

}  // namespace perdure::process
