// Whether a plugin file may be loaded by the rights it has: nobody but root and the host's own user may be able to
// change what is loaded. Reads the file system and, for files that a group may write, the user database. Any thread.
//
// Checked are the file, the directory that holds it and, when its name is a symbolic link, every such link and its
// directory. Each must be owned by root or the host's user, and be writable by neither group nor others, except
//   - by a private group: that of root or the host's user (the same name, or no entry in the database and the same
//     number), which has no other member, as distributions with umask 002 give every user; an access control list that
//     lets somebody write ends that exception;
//   - a directory with the sticky bit, such as /tmp: there nobody can replace what others own.
// Directories further up are not checked: whoever can replace one puts a directory of their own there, which is
// refused. So that nothing changes between the check and the copy, give the descriptor that the copy is read from.
#pragma once

#include <sys/types.h>

#include <filesystem>

#include "store/model/status.h"

namespace perdure::catalog {

struct TrustOptions {
  bool allow_writable = false;  // check nothing, owners included
  uid_t user;                   // the host's, by default the effective one

  TrustOptions();
};

/// kInvalid: one sentence for people that names the file or directory, its mode, owner and group, what was expected and
/// what to do. kIo: something on the way cannot be examined. `opened`: the file that `file` led to when it was opened,
/// or -1 to examine what it leads to now.
store::Status check_permissions(const std::filesystem::path& file, const TrustOptions& options, int opened = -1);

}  // namespace perdure::catalog
