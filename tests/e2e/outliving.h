// Runs whose host is killed again and again while they execute: each of them ends in the process in which it began, once.
#pragma once

#include <cstddef>

namespace perdure::e2e {

/// Triggers so many runs that sleep for up to two seconds, and kills the host so often, at random moments, until all
/// have ended. Fails the test when one is lost or repeated. Says its seed.
void outlive_hosts(std::size_t runs, std::size_t kills);

}  // namespace perdure::e2e
