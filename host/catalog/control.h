// What people may ask of the plugins while they serve. Implemented by the catalog; the engine passes it on from
// clients. Core thread only.
#pragma once

#include <string>

#include "host/catalog/snapshot.h"
#include "store/model/status.h"

namespace perdure::catalog {

class Control {
 public:
  virtual ~Control() = default;

  /// Lets another version of the plugin serve, until its file changes: the one that served before, or `to`, a version
  /// number or the beginning of a content hash. The plugin is named by its own name or its file's. Answers with the
  /// version that will serve (once it is loaded again, if it was unloaded). kNotFound: no such plugin or version.
  virtual store::Result<PluginVersion> roll_back(const std::string& plugin, const std::string& to) = 0;

  /// A version that was ever loaded, whether it is now or not, with the path of its private copy. kNotFound: it is not
  /// remembered, or its copy is gone, because nothing needed it any more.
  virtual store::Result<PluginVersion> stored(const store::VersionId& version) = 0;

  /// Tries again, at once, what is refused of the plugin (named as above). kNotFound: there is no such plugin.
  virtual store::Status retry(const std::string& plugin) = 0;
};

}  // namespace perdure::catalog
