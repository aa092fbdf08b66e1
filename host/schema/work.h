// How much a check may still do: every step of it takes one away, so that no schema and no payload keep a thread for
// long. A value of one check.
#pragma once

#include <cstdint>

namespace perdure::schema {

class Work {
 public:
  explicit Work(std::uint64_t steps) : left_(steps) {}
  /// False once there is nothing left; it stays so.
  bool take(std::uint64_t steps = 1) {
    if (left_ < steps) {
      left_ = 0;
      return false;
    }
    left_ -= steps;
    return true;
  }
  [[nodiscard]] bool is_over() const { return left_ == 0; }

 private:
  std::uint64_t left_;
};

}  // namespace perdure::schema
