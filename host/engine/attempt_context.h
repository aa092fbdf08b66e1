// What a task is told about the run it works for: attempt->context of the plugin interface.
#pragma once

#include <string>

#include "host/catalog/snapshot.h"
#include "store/model/machine.h"
#include "store/store.h"

namespace perdure::engine {

/// Puts the run's metadata as it is now into a claim, in place of what the run was triggered with.
void show_metadata_as_it_is(const store::Store& store, store::Claim& claim);

/// The context document:
/// {"run":{"id","createdAt","tags","isTest","idempotencyKey"?,"parentId"?,"rootId"?,"depth"?},"attempt":{"number","startedAt"},
/// "task":{"id"},"queue":{"name"},"concurrencyKey"?,"machine":{"name"?,"cpu","memory"},"plugin":{"name","version"},"metadata"}.
/// Times are milliseconds since the epoch.
std::string attempt_context(const store::Claim& claim, const catalog::Task& task, const store::Machine& machine);

}  // namespace perdure::engine
