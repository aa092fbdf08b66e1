// Text that nobody can guess, from the system's random source. Any thread.
#pragma once

#include <cstddef>
#include <string>

namespace perdure::api::auth {

/// `count` letters and digits, each of the 62 equally likely.
std::string random_text(std::size_t count);

}  // namespace perdure::api::auth
