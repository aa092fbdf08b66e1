// The plugins of a host: the plugin directory, the catalog and what is remembered and told of both, put together for
// `perdure serve`. Core thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "host/catalog/audit_log.h"
#include "host/catalog/catalog.h"
#include "host/catalog/intake.h"
#include "host/catalog/plugin_signature.h"
#include "host/config/config.h"
#include "host/engine/core_engine.h"
#include "host/process/plugin_loader.h"
#include "store/store.h"

namespace perdure::cli {

class ServePlugins {
 public:
  /// All of them outlive this. `engine` is told what is offered, and asks this for changes, from now on.
  ServePlugins(boost::asio::io_context& io, const config::Config& config, process::PluginLoader& loader,
               store::Store& store, engine::CoreEngine& engine, catalog::VersionRegister known,
               catalog::TrustedKeys keys);

  /// Reads the plugin directory and loads what is in it, and from then on whatever is put there. `done`: all that was
  /// there at first is decided; or why the directory cannot be read.
  void start(store::DoneStatus done);

  /// No run is locked to the version any more.
  void version_free(const store::VersionId& version);
  /// For the audit: a task is held from now on, or no longer.
  void quarantined(const catalog::Held& task, bool held);

 private:
  void keep_locked_versions();
  void found(const store::Result<std::vector<catalog::FoundPlugin>>& plugins);
  void changed(const catalog::SnapshotPtr& snapshot);
  void tell(const catalog::CatalogEvent& event);
  void audit(catalog::AuditEvent event, const catalog::PluginVersion& plugin, const std::string& reason);
  void warn_of_tables_without_plugin() const;
  void prune();
  void set_retry_timer();

  boost::asio::io_context& io_;
  const config::Config& config_;
  store::Store& store_;
  engine::CoreEngine& engine_;
  catalog::AuditLog audit_;
  catalog::VersionRegister register_;
  catalog::TrustedKeys keys_;
  catalog::Catalog catalog_;
  std::optional<catalog::Intake> intake_;
  boost::asio::steady_timer retry_timer_;
  store::DoneStatus done_;
};

}  // namespace perdure::cli
