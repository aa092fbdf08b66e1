// The environment variables that the host gives to attempts, put into a child's environment for as long as an attempt
// lasts. A child that serves several gets its own back in between. Called on the attempt's thread, while no function of
// the plugin executes there.
#pragma once

#include <string_view>

namespace perdure::zygote {

/// Sets the variables of `json`, an object of strings, or of nothing; those of the attempt before are as they were.
void give_variables(std::string_view json);

}  // namespace perdure::zygote
