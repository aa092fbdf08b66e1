// Whether what a run waits for has come, as the database knows it. Any thread.
#pragma once

#include "store/model/waitpoint.h"
#include "store/rocks/database.h"

namespace perdure::store::rocks {

/// Whether `member` has come; never of a time, which only a clock tells. A run that is not there (any more) is over.
Result<bool> is_over(const Database& db, const Waitpoint& member);

}  // namespace perdure::store::rocks
