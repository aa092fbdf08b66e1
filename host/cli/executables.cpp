#include "host/cli/executables.h"

#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "host/config/places.h"

namespace perdure::cli {

using store::Result;
using store::Status;

Result<std::string> zygote_executable() {
  const std::filesystem::path here = config::executable_directory();
  const std::string beside = (here / "perdure-zygote").string();
  const std::string apart = (here.parent_path() / "libexec/perdure/perdure-zygote").string();
  for (const std::string& path : {beside, apart}) {
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return Status::not_found("perdure-zygote, which loads plugins and runs their tasks, is neither at " + beside +
                           " nor at " + apart + "; install it beside perdure");
}

Result<std::string> own_executable() {
  std::error_code failed;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (failed || !std::filesystem::exists(path, failed)) {
    return Status::not_found("the perdure executable is no longer where it was started from");
  }
  return path.string();
}

}  // namespace perdure::cli
