// The keys of a host, and whom they let in: the root key, whose text signs public access tokens; further keys with
// scopes of their own, of which nothing is kept that could be used as a key; root keys that were replaced, for as long
// as their bearers have to take the new one. Any thread; changes are durable when they are answered, and block for
// that.
#pragma once

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "host/api/auth/key_file.h"

namespace perdure::api::auth {

class KeyRing {
 public:
  /// Where keys are kept. No `keys`: only as long as the object lives. No `secret`: the root key is somebody else's to
  /// keep, and cannot be replaced.
  struct Places {
    std::string keys{};
    std::string secret{};
  };

  explicit KeyRing(std::string root_key) : KeyRing(std::move(root_key), {}, {}) {}
  /// With what is kept at `places`. kInvalid when others may read it; kCorruption, kIo.
  static store::Result<std::unique_ptr<KeyRing>> open(std::string root_key, Places places);

  /// Who carries `bearer`, a key or a public access token; kInvalid says why nobody does.
  [[nodiscard]] store::Result<CallerPtr> authenticate(std::string_view bearer, store::Time now) const;

  /// A public access token that says what `token` says.
  [[nodiscard]] std::string sign(const PublicToken& token, store::Time now) const;

  /// A signature of `text`, for addresses that are made here; and whether `seal` is one, by this or a former root key.
  [[nodiscard]] std::string seal(std::string_view text) const;
  [[nodiscard]] bool is_sealed(std::string_view text, std::string_view seal, store::Time now) const;

  struct Created {
    StoredKey key;
    std::string text;  // told once, and kept nowhere
  };
  /// A key with these rights. kInvalid: no rights, a name that is too long, too many keys.
  store::Result<Created> create(std::string name, Rights rights, store::Time now);
  /// All further keys, oldest first.
  [[nodiscard]] std::vector<StoredKey> keys() const;
  /// From now on neither the key nor a token that was made for it is accepted. kNotFound.
  store::Result<StoredKey> revoke(std::string_view id);
  /// A new root key, at once; the one before it is accepted until then too. kInvalid when the root key is not kept
  /// here.
  store::Result<std::string> replace_root(store::Time accepted_until, store::Time now);

 private:
  KeyRing(std::string root_key, KeyTable table, Places places);
  [[nodiscard]] const StoredKey* find(std::string_view bearer) const;  // by mutex_
  [[nodiscard]] KeyTable current() const;
  store::Status keep(KeyTable table);

  const Places places_;
  std::mutex change_mutex_;          // one change at a time, its writing included; taken before mutex_
  mutable std::shared_mutex mutex_;  // for what follows
  std::string root_key_;
  KeyTable table_;
};

}  // namespace perdure::api::auth
