// DATA/audit.log: one JSON object a line for everything that happened to a plugin, for people who must show later what
// ran when and why. Lines are whole or, after a crash or on a full disk, torn and followed by whole ones. They reach
// the kernel before write() returns, and the disk within the kernel's time. Never stops the host. One thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "store/model/ids.h"
#include "store/model/status.h"

namespace perdure::catalog {

enum class AuditEvent : std::uint8_t {
  kLoaded,       // a version serves from a file that had none
  kReloaded,     // a version took another's place
  kRefused,      // a version was not taken up
  kWithdrawn,    // the file is gone; its version takes no new runs
  kRolledBack,   // people went back to an earlier version
  kQuarantined,  // a version is held
  kReleased,     // it is no longer held
  kUnloaded,     // the last run of a version has ended, and its zygote with it
};
/// "loaded", "rolled_back", ...
std::string_view audit_event_name(AuditEvent event);

/// Empty texts are left out of the line. They need not be UTF-8; what is not is replaced.
struct AuditLine {
  store::Time at{};
  AuditEvent event = AuditEvent::kLoaded;
  std::string file{};    // in the plugin directory
  std::string plugin{};  // the plugin's own name
  store::VersionId version{};
  std::string number{};  // "20261123.2"
  std::string reason{};  // one sentence; a backtrace may follow in further lines of it
  std::string by{};      // who asked: "host", "api key NAME", ...
};

struct AuditLogOptions {
  std::filesystem::path path;
  std::uint64_t limit = 10u << 20;  // bytes: a longer log becomes PATH.1, in place of the one before
  /// A line could not be written: once, and again only after one could. Called inside write().
  std::function<void(const store::Status&)> failed;
};

class AuditLog {
 public:
  explicit AuditLog(AuditLogOptions options) : options_(std::move(options)) {}

  /// Appends one line with a single write(2). The file is opened each time (mode 0600, made where it is missing), so
  /// that it may be moved away at any time.
  void write(const AuditLine& line);

 private:
  store::Status append(const std::string& line);

  AuditLogOptions options_;
  bool failing_ = false;
};

}  // namespace perdure::catalog
