// The guide's programs, as sources.cpp makes functions of them.
#pragma once

#include <cstddef>
#include <string>

namespace perdure::guide {

/// How many there are.
std::size_t client_snippets();
/// Executes one, in the order of the guide, with a client of the host there: what it prints. What it throws comes out.
std::string run_client_snippet(std::size_t number, const std::string& url, const std::string& key);

}  // namespace perdure::guide
