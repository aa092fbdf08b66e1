#include "host/cli/serve_confinement.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace perdure::cli {
namespace {

using store::Result;
using store::Status;

constexpr std::size_t kLongestEntry = std::size_t{1} << 20;

struct Account {
  process::SupervisorOptions::User user;
  std::string name, home;
};

Result<Account> account_of(const std::string& name) {
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> text(4096);
  int error = 0;
  while ((error = getpwnam_r(name.c_str(), &entry, text.data(), text.size(), &found)) == ERANGE &&
         text.size() < kLongestEntry) {
    text.resize(text.size() * 2);
  }
  if (found == nullptr) {
    const std::string why = error == 0 ? "" : std::string(" (") + strerror(error) + ")";
    return Status::invalid("[attempts] user: this system has no user \"" + name + "\"" + why +
                           "; make it, such as by: useradd --system --no-create-home " + name);
  }
  return Account{{entry.pw_uid, entry.pw_gid}, entry.pw_name, entry.pw_dir};
}

Status set_mode(const std::string& path, mode_t mode) {
  if (chmod(path.c_str(), mode) == 0 || errno == ENOENT) return Status::ok();
  return Status::io("cannot change the mode of " + path + ": " + strerror(errno));
}

Status make_passable(const std::string& data) {
  const std::pair<const char*, mode_t> modes[] = {{"/store", 0700}, {"", 0711}, {"/plugins", 0711}, {"/run", 0711}};
  for (const auto& [name, mode] : modes) {
    if (const Status set = set_mode(data + name, mode); !set) return set;
  }
  return Status::ok();
}

}  // namespace

Status confine_attempts(const config::Config& config, process::SupervisorOptions& options) {
  constexpr auto kLeastStall = std::chrono::seconds(1);
  constexpr int kSigns = 10;  // of life in that time
  if (config.attempts.stalled_after < kLeastStall) {
    return Status::invalid("[attempts] stalled_after: expected at least \"1s\", got " +
                           std::to_string(config.attempts.stalled_after.count()) + " ms");
  }
  options.stall_after = config.attempts.stalled_after;
  options.heartbeat_interval = std::min(options.heartbeat_interval, options.stall_after / kSigns);
  options.environment = config.attempts.environment;
  options.core_dumps = config.attempts.core_dumps;
  options.cores = std::filesystem::absolute(config.host.data + "/cores").string();
  options.core_size = config.attempts.core_size;
  options.cores_size = config.attempts.cores_size;
  options.temporary = std::filesystem::absolute(config.host.data + "/run/tmp").string();
  options.handover = std::filesystem::absolute(config.host.data + "/run/zygotes").string();
  options.orphaned_after = std::chrono::ceil<std::chrono::seconds>(config.attempts.orphaned_after);
  std::error_code failed;
  std::filesystem::create_directories(options.temporary, failed);
  if (failed) return Status::io("cannot make the directory " + options.temporary + ": " + failed.message());
  if (::mkdir(options.handover.c_str(), 0700) != 0 && errno != EEXIST) {
    return Status::io("cannot make the directory " + options.handover + ": " + strerror(errno));
  }
  if (config.attempts.user.empty()) return Status::ok();

  const Result<Account> account = account_of(config.attempts.user);
  if (!account) return account.status();
  if (account->user.uid == geteuid()) return Status::ok();
  if (geteuid() != 0) {
    return Status::invalid(
        "[attempts] user: only root can run attempts as another user, and this host is not root; "
        "run it as " +
        config.attempts.user + ", or leave the key out");
  }
  options.user = account->user;
  options.further_environment = {"HOME=" + account->home, "USER=" + account->name, "LOGNAME=" + account->name};
  return make_passable(config.host.data);
}

}  // namespace perdure::cli
