#include "host/catalog/audit_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "host/os/unique_fd.h"
#include "host/process/utf8_text.h"
#include "store/model/timestamp.h"

namespace perdure::catalog {

using store::Status;

std::string_view audit_event_name(AuditEvent event) {
  switch (event) {
    case AuditEvent::kLoaded:
      return "loaded";
    case AuditEvent::kReloaded:
      return "reloaded";
    case AuditEvent::kRefused:
      return "refused";
    case AuditEvent::kWithdrawn:
      return "withdrawn";
    case AuditEvent::kRolledBack:
      return "rolled_back";
    case AuditEvent::kQuarantined:
      return "quarantined";
    case AuditEvent::kReleased:
      return "released";
    case AuditEvent::kUnloaded:
      return "unloaded";
  }
  return "";
}

void AuditLog::write(const AuditLine& line) {
  boost::json::object object{{"at", store::format_time(line.at)}, {"event", audit_event_name(line.event)}};
  const auto add = [&](std::string_view name, const std::string& text) {
    if (!text.empty()) object[name] = process::to_utf8(text);
  };
  add("file", line.file);
  add("plugin", line.plugin);
  add("version", line.version.text());
  add("number", line.number);
  add("reason", line.reason);
  add("by", line.by);
  const Status status = append(boost::json::serialize(object) + "\n");
  const bool failed_before = std::exchange(failing_, !status);
  if (!status && !failed_before && options_.failed) options_.failed(status);
}

Status AuditLog::append(const std::string& line) {
  const std::string path = options_.path.string();
  const auto failed = [&](const std::string& doing) {
    const int error = errno;
    const std::string sentence = "Could not " + doing + " the audit log " + path + ": " + std::strerror(error) + ".";
    return error == ENOSPC || error == EDQUOT ? Status::no_space(sentence) : Status::io(sentence);
  };
  const auto open_log = [&] {
    return os::UniqueFd(::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600));
  };
  os::UniqueFd log = open_log();
  struct stat info {};
  if (!log || ::fstat(log.get(), &info) != 0) return failed("open");
  if (info.st_size > 0 && static_cast<std::uint64_t>(info.st_size) + line.size() > options_.limit) {
    if (std::rename(path.c_str(), (path + ".1").c_str()) != 0) return failed("rotate");
    log = open_log();
    if (!log || ::fstat(log.get(), &info) != 0) return failed("open");
  }
  char last = '\n';
  if (info.st_size > 0 && ::pread(log.get(), &last, 1, info.st_size - 1) != 1) return failed("read");
  const std::string whole = last == '\n' ? line : "\n" + line;  // the one before was torn
  const ssize_t written = ::write(log.get(), whole.data(), whole.size());
  if (written == static_cast<ssize_t>(whole.size())) return {};
  if (written >= 0) errno = ENOSPC;
  return failed("write");
}

}  // namespace perdure::catalog
