// What a target says must hold, whatever its input is. A claim that does not ends the input by an exception: libFuzzer
// keeps the input as a crash, the test of the corpus names its file.
#pragma once

#include <stdexcept>
#include <string>

namespace perdure::fuzz {

class BrokenClaim : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

inline void claim(bool holds, const char* what) {
  if (!holds) throw BrokenClaim(std::string("it does not hold that ") + what);
}

}  // namespace perdure::fuzz
