// The earliest of a changing bag of times, in some twenty bytes a time: those that are gone wait in a heap of their own
// until they are the earliest here, or too many. Adding in ascending order and removing the earliest, as a queue does,
// is cheap; nothing costs more than O(log n), spread over the calls. A value; one thread.
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
  void add(Time time) { push(all_, time); }
  /// Takes away one that was added.
  void remove(Time time) {
    if (time == all_.front()) {
      pop(all_);
    } else {
      push(gone_, time);
    }
    while (!gone_.empty() && gone_.front() == all_.front()) {
      pop(all_);
      pop(gone_);
    }
    if (gone_.size() > kMostGone && gone_.size() > all_.size() / 2) clean();
    if (all_.empty()) all_.shrink_to_fit();
    if (gone_.empty()) gone_.shrink_to_fit();
  }
  [[nodiscard]] std::optional<Time> get() const { return all_.empty() ? std::nullopt : std::optional(all_.front()); }

 private:
  using Heap = std::vector<Time>;
  static constexpr std::size_t kMostGone = 64;

  void clean() {
    Heap left;
    left.reserve(all_.size() - gone_.size());
    std::ranges::sort(all_);
    std::ranges::sort(gone_);
    std::ranges::set_difference(all_, gone_, std::back_inserter(left));
    all_ = std::move(left);  // ascending, so a heap
    gone_ = {};
  }
  static void push(Heap& heap, Time time) {
    heap.push_back(time);
    std::ranges::push_heap(heap, std::greater<>());
  }
  static void pop(Heap& heap) {
    std::ranges::pop_heap(heap, std::greater<>());
    heap.pop_back();
  }

  Heap all_, gone_;
};

}  // namespace perdure::store::rocks
