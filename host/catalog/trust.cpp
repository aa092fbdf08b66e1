#include "host/catalog/trust.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "host/os/path_walk.h"

namespace perdure::catalog {
namespace {

using store::Status;

// As long as an entry of the user database may be; a longer group has so many members that it is nobody's own.
using EntryText = std::array<char, 1u << 14>;

std::string user_name(uid_t user) {
  EntryText text;
  passwd entry{}, *found = nullptr;
  ::getpwuid_r(user, &entry, text.data(), text.size(), &found);
  return found == nullptr ? std::string() : found->pw_name;
}

std::string group_name(gid_t group) {
  EntryText text;
  ::group entry{}, *found = nullptr;
  ::getgrgid_r(group, &entry, text.data(), text.size(), &found);
  return found == nullptr ? std::string() : found->gr_name;
}

std::string shown(const std::string& name, unsigned number) {
  return name.empty() ? std::to_string(number) : name + " (" + std::to_string(number) + ")";
}

/// Whether the group is the user's own: called like the user, with no other member.
bool is_private_group(gid_t group, uid_t user) {
  EntryText text;
  ::group entry{}, *found = nullptr;
  if (::getgrgid_r(group, &entry, text.data(), text.size(), &found) != 0) return false;
  const std::string name = user_name(user);
  if (found == nullptr) return name.empty() && group == user;  // as in a container that has no database
  if (name.empty() || name != found->gr_name) return false;
  for (char** member = found->gr_mem; *member != nullptr; ++member) {
    if (name != *member && std::strcmp(*member, "root") != 0) return false;
  }
  return true;
}

struct Checked {
  std::string path;
  struct stat info {};
  bool access_list = false;
};

Status check(const Checked& checked, const TrustOptions& options) {
  const struct stat& info = checked.info;
  const bool directory = S_ISDIR(info.st_mode), link = S_ISLNK(info.st_mode);
  std::array<char, 8> mode;
  std::snprintf(mode.data(), mode.size(), "%04o", static_cast<unsigned>(info.st_mode & 07777));
  const std::string what = std::string(directory ? "the directory "
                                       : link    ? "the symbolic link "
                                                 : "the file ") +
                           checked.path + " (mode " + mode.data() + ", owner " +
                           shown(user_name(info.st_uid), info.st_uid) + ", group " +
                           shown(group_name(info.st_gid), info.st_gid) + ")";
  const std::string otherwise = ", or set [trust] allow_writable = true.";
  if (info.st_uid != 0 && info.st_uid != options.user) {
    const std::string user = shown(user_name(options.user), options.user);
    return Status::invalid(
        "It is not trusted: " + what +
        (options.user == 0 ? " does not belong to root" : " belongs to neither root nor the host's user " + user) +
        ", and its owner could replace the plugin; run: chown -h " + std::to_string(options.user) + " '" +
        checked.path + "'" + otherwise);
  }
  if (link) return {};  // its mode says nothing
  if (directory && (info.st_mode & S_ISVTX) != 0) return {};
  const bool others = (info.st_mode & S_IWOTH) != 0;
  const bool group =
      (info.st_mode & S_IWGRP) != 0 &&
      (checked.access_list || (!is_private_group(info.st_gid, 0) && !is_private_group(info.st_gid, options.user)));
  if (!others && !group) return {};
  return Status::invalid("It is not trusted: " + what + " is writable by " +
                         (others                ? "everybody"
                          : checked.access_list ? "others through its access control list"
                                                : "others of its group") +
                         ", who could replace the plugin; run: " +
                         (group && checked.access_list ? "setfacl -b '" + checked.path + "' && " : "") +
                         "chmod go-w '" + checked.path + "'" + otherwise);
}

Status unreadable(const std::string& path, int error) {
  return Status::io("Could not examine who may write " + path + ": " + std::strerror(error) + ".");
}

bool has_access_list(const std::string& path) {
  return ::getxattr(path.c_str(), "system.posix_acl_access", nullptr, 0) > 0;
}

}  // namespace

TrustOptions::TrustOptions() : user(::geteuid()) {}

Status check_permissions(const std::filesystem::path& file, const TrustOptions& options, int opened) {
  if (options.allow_writable) return {};
  const os::PathWalk walk = os::walk_path(file.string());
  if (walk.end.empty()) return unreadable(file.string(), walk.error);
  Checked target{.path = walk.end};
  if ((opened >= 0 ? ::fstat(opened, &target.info) : ::stat(walk.end.c_str(), &target.info)) != 0) {
    return unreadable(walk.end, errno);
  }
  target.access_list =
      opened >= 0 ? ::fgetxattr(opened, "system.posix_acl_access", nullptr, 0) > 0 : has_access_list(walk.end);
  if (Status status = check(target, options); !status) return status;
  for (const os::Lookup& lookup : walk.lookups) {
    if (!lookup.last) continue;
    Checked holder{.path = lookup.directory};
    if (::stat(holder.path.c_str(), &holder.info) != 0) return unreadable(holder.path, errno);
    holder.access_list = has_access_list(holder.path);
    if (Status status = check(holder, options); !status) return status;
    Checked name{.path = (std::filesystem::path(lookup.directory) / lookup.name).string()};
    if (::lstat(name.path.c_str(), &name.info) != 0) return unreadable(name.path, errno);
    if (!S_ISLNK(name.info.st_mode)) continue;
    if (Status status = check(name, options); !status) return status;
  }
  return {};
}

}  // namespace perdure::catalog
