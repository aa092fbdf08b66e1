// The keys of a host, and whom they let in. Any thread.
#pragma once

#include <shared_mutex>
#include <string>
#include <string_view>

#include "host/api/auth/caller.h"

namespace perdure::api::auth {

class KeyRing {
 public:
  explicit KeyRing(std::string root_key);

  /// Who carries `bearer`, a key or a public access token; kInvalid says why nobody does.
  [[nodiscard]] store::Result<CallerPtr> authenticate(std::string_view bearer, store::Time now) const;

  /// A public access token that says what `token` says.
  [[nodiscard]] std::string sign(const PublicToken& token, store::Time now) const;

 private:
  mutable std::shared_mutex mutex_;
  std::string root_key_;
};

}  // namespace perdure::api::auth
