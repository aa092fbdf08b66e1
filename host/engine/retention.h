// Removes finished runs that are old, or too many: for each final status by age and by count, as configured. A few at a
// time with pauses in between, so that nothing else waits for it; from the first minute of a host on, again and again.
//
// Core thread only.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "host/engine/core.h"
#include "store/store.h"

namespace perdure::engine {

/// How long the runs of one final status are kept.
struct Keep {
  store::Duration age{};   // since they ended; 0: for ever
  std::uint64_t runs = 0;  // the newest so many; 0: all
};

struct RetentionOptions {
  /// By final status, kCompleted first.
  std::array<Keep, static_cast<std::size_t>(store::RunStatus::kExpired) -
                       static_cast<std::size_t>(store::RunStatus::kCompleted) + 1>
      keep{};
  store::Duration tokens{};  // how long waitpoint tokens are kept once they are over; 0: for ever. See Tokens

  Keep& of(store::RunStatus status) { return keep[index(status)]; }
  [[nodiscard]] const Keep& of(store::RunStatus status) const { return keep[index(status)]; }
  [[nodiscard]] bool keeps_all() const {
    return std::ranges::all_of(keep, [](const Keep& each) { return each.age.count() == 0 && each.runs == 0; });
  }

 private:
  static std::size_t index(store::RunStatus status) {
    return static_cast<std::size_t>(status) - static_cast<std::size_t>(store::RunStatus::kCompleted);
  }
};

/// No run goes sooner than this after its end, however many there are: who triggered it may still ask for its output.
inline constexpr store::Duration kLeastKept = std::chrono::minutes(1);

class Retention {
 public:
  Retention(Core& core, store::Store& store, const RetentionOptions& options);

  /// Begins, once the store is recovered; when everything is kept there is nothing to begin.
  void start();
  /// The store serves again.
  void store_serves();
  /// Removes nothing any more.
  void stop() { stopped_ = true; }

 private:
  enum class By : std::uint8_t { kAge, kCount };

  void round();
  void next();
  bool advance();
  [[nodiscard]] std::optional<store::Removal> removal() const;
  void removed(const store::Result<store::Removed>& answer);

  Core& core_;
  store::Store& store_;
  RetentionOptions options_;
  std::unique_ptr<Timer> round_;
  std::unique_ptr<Timer> next_;
  bool started_ = false, stopped_ = false, under_way_ = false;

  // Of the round under way.
  store::RunStatus status_ = store::RunStatus::kCompleted;
  By by_ = By::kAge;
  store::RunId after_;

  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace perdure::engine
