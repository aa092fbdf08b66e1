// How a status that must reach the host ("suspended", "cancelled") travels through the author's code: as an exception
// that is not a std::exception, remembered beside, so that a `catch (...)` of the author's cannot swallow it.
#pragma once

#include <perdure/plugin.h>

#include <string>

#include <perdure/errors.hpp>
#include <perdure/text.hpp>

namespace perdure::detail {

/// Carries a status to the wrapper around the task function. Only thrown by leave().
struct Unwind {
  perdure_status status;
};

/// Shared by the objects of one attempt; attempt's thread only.
class Leaving {
 public:
  /// The status that must be returned whatever the author's code does meanwhile; PERDURE_OK while there is none.
  perdure_status pending() const noexcept { return pending_; }

  /// Unwinds to the wrapper, which returns `status`. The first status wins.
  [[noreturn]] void leave(perdure_status status) {
    if (pending_ == PERDURE_OK) pending_ = status;
    throw Unwind{pending_};
  }

  /// Before each service call of the attempt's thread: somebody who swallowed the unwinding is unwound again.
  void go_on() {
    if (pending_ != PERDURE_OK) throw Unwind{pending_};
  }

  /// Turns the status of a service into control flow: returns on OK, aborts the run on a broken contract.
  void check(const perdure_attempt* attempt, perdure_status status) {
    if (status == PERDURE_OK) return;
    if (status == PERDURE_INVALID || status == PERDURE_NOT_FOUND) {
      throw Abort(std::string(view(attempt->services->last_error(attempt))));
    }
    leave(status);
  }

 private:
  perdure_status pending_ = PERDURE_OK;
};

}  // namespace perdure::detail
