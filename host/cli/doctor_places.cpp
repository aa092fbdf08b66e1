// Where a host keeps things and finds plugins: rights, room, and the store.
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "host/catalog/trust.h"
#include "host/cli/client.h"
#include "host/cli/doctor.h"
#include "host/cli/json_view.h"
#include "host/os/small_file.h"
#include "host/os/unique_fd.h"
#include "store/model/machine.h"
#include "store/rocks/rocks.h"

namespace perdure::cli {
namespace {

namespace fs = std::filesystem;
using store::memory_in_words;

std::string octal(mode_t mode) {
  char digits[8];
  std::snprintf(digits, sizeof digits, "%04o", mode & 07777U);
  return digits;
}

// The nearest directory above that exists.
fs::path existing(fs::path path) {
  std::error_code failed;
  while (!fs::exists(path, failed) && path.has_relative_path()) path = path.parent_path();
  return path.empty() ? fs::path(".") : path;
}

// Who has the data directory's lock: a process id, "?" when that is not known, empty when nobody has.
std::string lock_holder(const fs::path& data) {
  const os::UniqueFd lock(open((data / "lock").c_str(), O_RDONLY | O_CLOEXEC));
  if (!lock) return {};
  if (flock(lock.get(), LOCK_SH | LOCK_NB) == 0) return {};
  std::string pid = os::read_small_file(lock.get());
  std::erase(pid, '\n');
  return pid.empty() ? "?" : pid;
}

// Where the host with this configuration answers, as far as that can be told.
std::string url_of(const config::Config& config) {
  std::string address = config.host.listen;
  for (const char* any : {"0.0.0.0:", "[::]:"}) {
    if (address.starts_with(any)) address = "127.0.0.1:" + address.substr(std::strlen(any));
  }
  return "http://" + address;
}

void ask_host(const config::Config& config, const std::string& holder, Console& console, Findings& findings) {
  ClientOptions options;
  options.data = config.host.data;
  if (!console.environment("PERDURE_URL")) options.url = url_of(config);
  Client client(console, options);
  const auto answer = client.get("/perdure/v1/status");
  if (!answer) {
    findings.push_back(
        {"host", Grade::kBad, "process " + holder + " has the data directory, and does not answer as its host",
         "name its address by PERDURE_URL or the configuration it was started with, or look at its log"});
    return;
  }
  const JsonView status(*answer);
  findings.push_back({"host", Grade::kGood,
                      "runs as process " + status["pid"].text() + ", version " + status["version"].text() + ", " +
                          status["engine"]["executing"].text() + " attempts executing",
                      ""});
  const std::string health = status["health"]["store"].text();
  if (health == "ok") {
    findings.push_back({"store", Grade::kGood, "takes changes", ""});
  } else {
    findings.push_back({"store", Grade::kBad, "takes no changes: " + status["health"]["message"].text(),
                        "it serves again by itself once the reason is gone"});
  }
}

}  // namespace

void examine_data(const config::Config& config, Findings& findings) {
  const fs::path data = config.host.data;
  const auto tell = [&](Grade grade, std::string found, std::string advice = {}) {
    findings.push_back({"data directory", grade, std::move(found), std::move(advice)});
  };
  struct stat status {};
  if (stat(data.c_str(), &status) != 0) {
    const fs::path above = existing(data);
    if (access(above.c_str(), W_OK | X_OK) == 0)
      return tell(Grade::kGood, data.string() + " is made at the first start");
    return tell(Grade::kBad, data.string() + " is not there, and " + above.string() + " may not be written to",
                "make it for the host's user, or name another with --data");
  }
  if (!S_ISDIR(status.st_mode))
    return tell(Grade::kBad, data.string() + " is no directory", "name another with --data");
  if (access(data.c_str(), R_OK | W_OK | X_OK) != 0) {
    return tell(Grade::kBad,
                "this user may not write to " + data.string() + " (mode " + octal(status.st_mode) + ", owner " +
                    std::to_string(status.st_uid) + ")",
                "run as the host's user, or give the directory to this one");
  }
  if ((status.st_mode & 022U) != 0) {
    tell(Grade::kBad, data.string() + " may be written to by others (mode " + octal(status.st_mode) + ")",
         "chmod go-w " + data.string());
  } else if ((status.st_mode & 055U) != 0) {
    tell(Grade::kWarning, data.string() + " may be read by others (mode " + octal(status.st_mode) + ")",
         "chmod 0700 " + data.string());
  } else {
    tell(Grade::kGood, data.string());
  }
  struct stat secret {};
  if (stat((data / "secret").c_str(), &secret) == 0 && (secret.st_mode & 077U) != 0) {
    findings.push_back(
        {"key", Grade::kBad, (data / "secret").string() + " may be read by others (mode " + octal(secret.st_mode) + ")",
         "chmod 0600 it, and make a new key if somebody may have read it: remove the file and start the host"});
  }
}

void examine_space(const config::Config& config, Findings& findings) {
  const fs::path place = existing(config.host.data);
  struct statvfs disk {};
  if (statvfs(place.c_str(), &disk) != 0) return;
  const std::uint64_t free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  const std::uint64_t all = std::uint64_t{disk.f_blocks} * disk.f_frsize;
  const std::uint64_t reserve = std::max(config.store.reserve, all / 20);
  const std::string found =
      memory_in_words(free) + " of " + memory_in_words(all) + " are free; " + memory_in_words(reserve) + " stay so";
  if (free < reserve) {
    findings.push_back(
        {"disk", Grade::kBad, found + ", so new runs are refused", "make room, or lower reserve in [store]"});
  } else if (free < 2 * reserve) {
    findings.push_back({"disk", Grade::kWarning, found, "make room soon: triggers are refused when less is left"});
  } else {
    findings.push_back({"disk", Grade::kGood, found, ""});
  }
}

void examine_store(const config::Config& config, Console& console, Findings& findings) {
  const fs::path data = config.host.data;
  if (const std::string holder = lock_holder(data); !holder.empty()) return ask_host(config, holder, console, findings);
  findings.push_back({"host", Grade::kGood, "none runs on the data directory", ""});
  std::error_code failed;
  if (!fs::exists(data / "store", failed)) {
    findings.push_back({"store", Grade::kGood, "is made at the first start", ""});
    return;
  }
  store::RocksOptions options;
  options.directory = data.string();
  options.space.ballast_bytes = 0;
  const auto opened = store::open_rocks(std::move(options));
  if (!opened) {
    findings.push_back(
        {"store", Grade::kBad, opened.status().message(), "see the README's \"Operating it\" before anything else"});
    return;
  }
  std::uint64_t runs = 0;
  for (const auto& [status, count] : (*opened)->counts()) runs += count;
  findings.push_back({"store", Grade::kGood, "opens, and has " + std::to_string(runs) + " runs", ""});
}

void examine_plugins(const config::Config& config, Findings& findings) {
  const fs::path plugins = config.host.plugins;
  std::error_code failed;
  const fs::directory_iterator end;
  fs::directory_iterator entry(plugins, failed);
  if (failed) {
    findings.push_back({"plugin directory", Grade::kBad,
                        "cannot be read: " + plugins.string() + ": " + failed.message(),
                        "make it, or name another with --plugins"});
    return;
  }
  catalog::TrustOptions trust;
  trust.allow_writable = config.trust.allow_writable;
  std::size_t count = 0;
  for (; !failed && entry != end; entry.increment(failed)) {
    if (entry->path().extension() != ".so") continue;
    ++count;
    if (const store::Status trusted = catalog::check_permissions(entry->path(), trust); !trusted) {
      findings.push_back(
          {"plugin", Grade::kBad, trusted.message(), "until then it is refused; `perdure plugins check` tells more"});
    }
  }
  findings.push_back({"plugin directory", count > 0 ? Grade::kGood : Grade::kWarning,
                      plugins.string() + " has " + std::to_string(count) + " plugins",
                      count > 0 ? "" : "put one there; `perdure plugins check FILE` says whether it will be taken"});
}

}  // namespace perdure::cli
