#include "host/cli/serve_plugins.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "host/catalog/trust.h"
#include "host/telemetry/log.h"

namespace perdure::cli {
namespace {

using catalog::CatalogEvent;
using telemetry::log;

std::filesystem::path cache_of(const config::Config& config) {
  return std::filesystem::path(config.host.data) / "plugins";
}

catalog::TrustOptions trust_of(const config::Config& config) {
  catalog::TrustOptions options;
  options.allow_writable = config.trust.allow_writable;
  return options;
}

void warn(const std::string& message) { log().warn("{}", message); }

store::Time now() { return std::chrono::time_point_cast<store::Duration>(std::chrono::system_clock::now()); }

}  // namespace

ServePlugins::ServePlugins(boost::asio::io_context& io, const config::Config& config, process::PluginLoader& loader,
                           store::Store& store, engine::CoreEngine& engine, catalog::VersionRegister known,
                           catalog::TrustedKeys keys)
    : io_(io),
      config_(config),
      store_(store),
      engine_(engine),
      audit_({.path = std::filesystem::path(config.host.data) / "audit.log",
              .failed = [](const store::Status& status) { warn(status.message()); }}),
      register_(std::move(known)),
      keys_(std::move(keys)),
      catalog_(loader, register_,
               {.plugins = config.host.plugins,
                .cache = cache_of(config),
                .now = now,
                .locked =
                    [this](const store::VersionId& version) {
                      const auto locked = store_.locked_versions();
                      const auto found = locked.find(version);
                      return found == locked.end() ? std::uint64_t{0} : found->second;
                    },
                .changed = [this](const catalog::SnapshotPtr& snapshot) { changed(snapshot); },
                .event = [this](const CatalogEvent& event) { tell(event); },
                .unsaved = [](const store::Status& status) { warn(status.message()); }}),
      retry_timer_(io) {
  engine_.controlled_by(catalog_);
}

void ServePlugins::start(store::DoneStatus done) {
  done_ = std::move(done);
  for (const auto& [version, runs] : store_.locked_versions()) catalog_.keep(version);
  // Called on the thread that reads the directory.
  const auto trusted = [options = trust_of(config_), keys = keys_](const std::filesystem::path& file,
                                                                   const std::filesystem::path& copy) {
    const store::Status rights = catalog::check_permissions(file, options);
    return rights ? catalog::check_signature(copy, catalog::signature_path(file), keys) : rights;
  };
  intake_.emplace(io_,
                  catalog::IntakeOptions{
                      .directory = {.plugins = config_.host.plugins, .cache = cache_of(config_), .trusted = trusted},
                      .poll = config_.host.plugins_poll,
                      .found = [this](const auto& plugins) { found(plugins); },
                      .warn = warn});
}

void ServePlugins::found(const store::Result<std::vector<catalog::FoundPlugin>>& plugins) {
  if (plugins) return catalog_.found(*plugins);
  if (done_) return std::exchange(done_, nullptr)(plugins.status());
  log().error("{} What is loaded goes on serving.", plugins.status().message());
}

void ServePlugins::changed(const catalog::SnapshotPtr& snapshot) {
  engine_.offer(snapshot);
  set_retry_timer();
  if (!snapshot->loaded) return;
  prune();
  if (!done_) return;
  warn_of_tables_without_plugin();
  std::exchange(done_, nullptr)({});
}

void ServePlugins::version_free(const store::VersionId& version) { catalog_.freed(version); }

// Copies that no run, no plugin and no rollback can ask for.
void ServePlugins::prune() {
  std::set<store::VersionId> keep = register_.kept();
  for (const auto& [version, runs] : store_.locked_versions()) keep.insert(version);
  for (const auto& plugin : catalog_.snapshot()->plugins) keep.insert(plugin.id);
  register_.forget(keep, now());
  intake_->prune(std::move(keep));
}

void ServePlugins::set_retry_timer() {
  const std::optional<store::Time> next = catalog_.next_retry();
  if (!next) {
    retry_timer_.cancel();
    return;
  }
  retry_timer_.expires_after(std::max(*next - now(), store::Duration(0)));
  retry_timer_.async_wait([this](const boost::system::error_code& canceled) {
    if (canceled) return;
    catalog_.retry_due();
    set_retry_timer();
  });
}

void ServePlugins::tell(const CatalogEvent& event) {
  const catalog::PluginVersion& plugin = event.version;
  using enum CatalogEvent::Kind;
  using catalog::AuditEvent;
  switch (event.kind) {
    case kLoaded:
    case kReloaded:
      log().info("plugin {} {} ({}) serves {}, from {}", plugin.name, plugin.version, plugin.number,
                 fmt::join(plugin.tasks, ", "), plugin.file);
      for (const std::string& warning : plugin.warnings) log().warn("plugin {}: {}", plugin.file, warning);
      return audit(event.kind == kLoaded ? AuditEvent::kLoaded : AuditEvent::kReloaded, plugin, {});
    case kRefused:
      log().error("plugin {} is refused: {}", plugin.file, event.reason);
      return audit(AuditEvent::kRefused, plugin, event.reason);
    case kWithdrawn:
      log().info("plugin {} {} ({}) is withdrawn: {} is gone", plugin.name, plugin.version, plugin.number, plugin.file);
      return audit(AuditEvent::kWithdrawn, plugin, {});
    case kRolledBack:
      log().info("plugin {} is rolled back to {}", plugin.name, plugin.number);
      return audit(AuditEvent::kRolledBack, plugin, {});
    case kReleased:
      log().info("plugin {} ({}) is tried again", plugin.name, plugin.number);
      return audit(AuditEvent::kReleased, plugin, "asked to load it again");
    case kUnloaded:
      log().info("plugin {} {} ({}) is unloaded: no run needs it any more", plugin.name, plugin.version, plugin.number);
      return audit(AuditEvent::kUnloaded, plugin, {});
  }
}

void ServePlugins::audit(catalog::AuditEvent event, const catalog::PluginVersion& plugin, const std::string& reason) {
  audit_.write({.at = now(),
                .event = event,
                .file = plugin.file,
                .plugin = plugin.name,
                .version = plugin.id,
                .number = plugin.number,
                .reason = reason});
}

void ServePlugins::quarantined(const catalog::Held& task, bool held) {
  if (held) {
    log().error("task {} is held: {}. Its runs stay queued; a new version, or `perdure plugins release`, lets them go",
                task.task.text(), task.reason);
  } else {
    log().info("task {} is no longer held", task.task.text());
  }
  catalog::PluginVersion plugin;
  for (const auto& each : catalog_.snapshot()->plugins) {
    if (each.id == task.version) plugin = each;
  }
  audit(held ? catalog::AuditEvent::kQuarantined : catalog::AuditEvent::kReleased, plugin,
        "task " + task.task.text() + (held ? ": " + task.reason : ""));
}

void ServePlugins::warn_of_tables_without_plugin() const {
  const auto& plugins = catalog_.snapshot()->plugins;
  for (const auto& [name, table] : config_.plugins) {
    const auto called_so = [&](const catalog::PluginVersion& plugin) { return plugin.name == name; };
    if (std::ranges::any_of(plugins, called_so)) continue;
    log().warn("[plugins.{}] of the configuration is used by nobody: no plugin is called so", name);
  }
}

}  // namespace perdure::cli
