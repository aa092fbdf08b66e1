// The root key of a host: the text in its data directory's file `secret`, made at the first start. Whoever can read
// that file may do everything. One thread.
#pragma once

#include <string>

#include "store/model/status.h"

namespace perdure::cli {

/// The key in `data_directory`/secret; a fresh one (tr_prod_ and 256 random bits in hex), written with mode 0600 and
/// synced, when there is no such file. kInvalid when the file holds no key or others may read it; kIo.
store::Result<std::string> root_key(const std::string& data_directory);

}  // namespace perdure::cli
