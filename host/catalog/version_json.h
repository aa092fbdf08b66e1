// The text of versions.json: what the version register remembers, as one JSON document. Pure; any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "host/catalog/version_register.h"

namespace perdure::catalog {

struct RegisteredVersions {
  std::map<store::VersionId, VersionRecord> versions;
  std::map<std::string, FileRecord> files;
};

/// File names need not be UTF-8; they come back as they were.
std::string versions_to_json(const RegisteredVersions& registered);

/// What versions_to_json() wrote; members it does not know are ignored. kCorruption says what was expected where.
store::Result<RegisteredVersions> versions_from_json(std::string_view text);

}  // namespace perdure::catalog
