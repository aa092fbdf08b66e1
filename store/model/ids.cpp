// Making and recognising ids; see ids.h.
#include "store/model/ids.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string_view>

namespace perdure::store {
namespace {

constexpr std::string_view kAlphabet = "0123456789abcdefghijklmnopqrstuv";
constexpr std::string_view kRunPrefix = "run_";
constexpr std::string_view kSchedulePrefix = "sched_";
constexpr std::string_view kBulkActionPrefix = "bulk_";
constexpr std::string_view kBatchPrefix = "batch_";
constexpr std::string_view kTokenPrefix = "waitpoint_";
constexpr std::size_t kTimeDigits = 10;    // 50 bits, of which 48 are used
constexpr std::size_t kRandomDigits = 15;  // 75 bits: `high` has 11 of them, `low` 64

// Ids of one millisecond ascend in the order in which they were made: each is the one before plus a random step, so
// that it still cannot be guessed from it.
class Ids {
 public:
  std::string next(std::string_view prefix, Time now) {
    const std::uint64_t time = static_cast<std::uint64_t>(now.time_since_epoch().count()) & ((1ULL << 48) - 1);
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    {
      std::lock_guard lock(mutex_);
      if (time == last_time_) {
        const std::uint64_t step = 1 + (random() & 0xffffffff);
        low_ += step;
        if (low_ < step) ++high_;
      } else {
        last_time_ = time;
        high_ = random() & 0x3ff;  // its highest bit is room to count up
        low_ = random();
      }
      high = high_;
      low = low_;
    }
    std::string text(prefix.size() + kTimeDigits + kRandomDigits, '0');
    prefix.copy(text.data(), prefix.size());
    char* end = text.data() + text.size();
    for (std::size_t i = 0; i < kRandomDigits; ++i) {
      *--end = kAlphabet[low & 31];
      low = low >> 5 | high << 59;
      high >>= 5;
    }
    std::uint64_t rest = time;
    for (std::size_t i = 0; i < kTimeDigits; ++i, rest >>= 5) *--end = kAlphabet[rest & 31];
    return text;
  }

 private:
  std::uint64_t random() {
    if (next_ == pool_.size()) {
      // The kernel's generator answers requests of up to 256 bytes whole.
      if (::getrandom(pool_.data(), sizeof pool_, 0) != static_cast<ssize_t>(sizeof pool_)) std::abort();
      next_ = 0;
    }
    return pool_[next_++];
  }

  std::mutex mutex_;
  std::uint64_t last_time_ = UINT64_MAX;
  std::uint64_t high_ = 0;
  std::uint64_t low_ = 0;
  std::array<std::uint64_t, 32> pool_{};
  std::size_t next_ = pool_.size();
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_id(std::string_view prefix, std::string_view text) {
  return text.size() == prefix.size() + kTimeDigits + kRandomDigits && text.starts_with(prefix) &&
         std::all_of(text.begin() + prefix.size(), text.end(),
                     [](char c) { return is_digit(c) || (c >= 'a' && c <= 'v'); });
}

}  // namespace

RunId new_run_id(Time now) {
  static Ids ids;
  return RunId(ids.next(kRunPrefix, now));
}

ScheduleId new_schedule_id(Time now) {
  static Ids ids;
  return ScheduleId(ids.next(kSchedulePrefix, now));
}

BulkActionId new_bulk_action_id(Time now) {
  static Ids ids;
  return BulkActionId(ids.next(kBulkActionPrefix, now));
}

BatchId new_batch_id(Time now) {
  static Ids ids;
  return BatchId(ids.next(kBatchPrefix, now));
}

TokenId new_token_id(Time now) {
  static Ids ids;
  return TokenId(ids.next(kTokenPrefix, now));
}

std::optional<Time> time_in(const RunId& id) {
  if (!is_run_id(id.text())) return std::nullopt;
  std::int64_t time = 0;
  for (std::size_t i = 0; i < kTimeDigits; ++i) {
    const auto digit = kAlphabet.find(id.text()[kRunPrefix.size() + i]);
    time = time << 5 | static_cast<std::int64_t>(digit);
  }
  return Time(Duration(time));
}

bool is_batch_id(const std::string& text) { return is_id(kBatchPrefix, text); }
bool is_bulk_action_id(const std::string& text) { return is_id(kBulkActionPrefix, text); }
bool is_run_id(const std::string& text) { return is_id(kRunPrefix, text); }
bool is_schedule_id(const std::string& text) { return is_id(kSchedulePrefix, text); }
bool is_token_id(const std::string& text) { return is_id(kTokenPrefix, text); }

bool is_task_id(const std::string& text) {
  constexpr std::string_view kPunctuation = "_.:/-";
  return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), [&](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kPunctuation.find(c) != std::string_view::npos;
  });
}

}  // namespace perdure::store
