// Zygotes that outlived the host which started them, as the next one finds them: through the sockets in a directory,
// before it does anything else. Values; the function blocks, and is called before there is an event loop.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "host/os/unique_fd.h"
#include "host/protocol/roster.h"

namespace perdure::process {

struct SurvivingZygote {
  pid_t pid = 0;
  os::UniqueFd control, process;  // its link, and what stands for it
  protocol::Roster roster;
  std::string temporary;  // its directories for attempts
  /// One that executes an attempt, or did when the host died.
  struct Child {
    std::uint64_t id = 0;
    pid_t pid = 0;
    os::UniqueFd link, out, err;  // empty when it ended at that moment
    protocol::RosterEntry attempt{};
    std::uint32_t place = protocol::Roster::kNone;  // of that in the roster
  };
  std::vector<Child> children;
};

/// Takes over every zygote that can be found through `directory`; the caller holds the data directory, so that nobody
/// else does. One that does not answer within some seconds, or that this build cannot speak with, is ended with its
/// attempts, of which `warn` is told in a sentence. Sockets of zygotes that are gone are removed.
std::vector<SurvivingZygote> find_surviving_zygotes(const std::string& directory,
                                                    const std::function<void(const std::string&)>& warn);

}  // namespace perdure::process
