// The earliest of a changing bag of times, in some twenty bytes a time: those that are gone wait in a bag of their own
// until they are the earliest here, or too many. Adding in ascending order and removing the earliest, as a queue does,
// costs the same however many there are; nothing costs more than O(log n), spread over the calls. A value; one thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "store/model/ids.h"

namespace perdure::store::rocks {

class Earliest {
 public:
  void add(Time time) { all_.add(time); }
  /// Takes away one that was added.
  void remove(Time time) {
    if (time == all_.first()) {
      all_.pop();
    } else {
      gone_.add(time);
    }
    while (!gone_.empty() && gone_.first() == all_.first()) {
      all_.pop();
      gone_.pop();
    }
    if (gone_.size() > kMostGone && gone_.size() > all_.size() / 2) clean();
  }
  [[nodiscard]] std::optional<Time> get() const { return all_.empty() ? std::nullopt : std::optional(all_.first()); }

 private:
  static constexpr std::size_t kMostGone = 64;
  static constexpr std::size_t kKept = 64;  // of the capacity of an empty bag

  // Times of which the first is at hand: what came in ascending order lies in a row that is used up from its front, the
  // others are a heap.
  class Bag {
   public:
    Bag() = default;
    explicit Bag(std::vector<Time> ascending) : row_(std::move(ascending)) {}

    [[nodiscard]] std::size_t size() const { return row_.size() - used_ + heap_.size(); }
    [[nodiscard]] bool empty() const { return size() == 0; }
    [[nodiscard]] Time first() const { return row_is_first() ? row_[used_] : heap_.front(); }

    void add(Time time) {
      if (row_.empty() || time >= row_.back()) return row_.push_back(time);
      heap_.push_back(time);
      std::ranges::push_heap(heap_, std::greater<>());
    }

    void pop() {
      if (row_is_first()) {
        ++used_;
        if (used_ > kKept && used_ > row_.size() / 2) drop_used();
      } else {
        std::ranges::pop_heap(heap_, std::greater<>());
        heap_.pop_back();
      }
      if (!empty()) return;
      drop_used();
      for (std::vector<Time>* each : {&row_, &heap_}) {
        if (each->capacity() > kKept) each->shrink_to_fit();
      }
    }

    std::vector<Time> ascending() && {
      drop_used();
      row_.insert(row_.end(), heap_.begin(), heap_.end());
      std::ranges::sort(row_);
      return std::move(row_);
    }

   private:
    [[nodiscard]] bool row_is_first() const {
      return used_ < row_.size() && (heap_.empty() || row_[used_] <= heap_.front());
    }
    void drop_used() { row_.erase(row_.begin(), row_.begin() + static_cast<std::ptrdiff_t>(std::exchange(used_, 0))); }

    std::vector<Time> row_;
    std::size_t used_ = 0;  // of the row
    std::vector<Time> heap_;
  };

  void clean() {
    std::vector<Time> left;
    left.reserve(all_.size() - gone_.size());
    std::ranges::set_difference(std::exchange(all_, {}).ascending(), std::exchange(gone_, {}).ascending(),
                                std::back_inserter(left));
    all_ = Bag(std::move(left));
  }

  Bag all_, gone_;
};

}  // namespace perdure::store::rocks
