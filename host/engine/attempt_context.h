// What a task is told about the run it works for: attempt->context of the plugin interface.
#pragma once

#include <string>

#include "host/catalog/snapshot.h"
#include "store/store.h"

namespace perdure::engine {

/// The context document: {"run":{"id","createdAt","tags","isTest","idempotencyKey"?},"attempt":{"number","startedAt"},
/// "task":{"id"},"queue":{"name"},"concurrencyKey"?,"machine":{"name"},"plugin":{"name","version"},"metadata"}. Times
/// are milliseconds since the epoch.
std::string attempt_context(const store::Claim& claim, const catalog::Task& task);

}  // namespace perdure::engine
