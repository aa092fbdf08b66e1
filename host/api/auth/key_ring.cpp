#include "host/api/auth/key_ring.h"

#include <algorithm>
#include <utility>

#include "host/api/auth/digest.h"
#include "host/api/auth/random_text.h"

namespace perdure::api::auth {
namespace {

using store::Result;
using store::Status;

// By this form the official client knows that a key cannot sign tokens.
constexpr std::string_view kFurtherKeyPrefix = "tr_prod_sk_";
constexpr std::size_t kFurtherKeyLength = 24;
constexpr std::string_view kRootKeyPrefix = "tr_prod_";
constexpr std::size_t kRootKeyLength = 43;  // 256 bits
constexpr std::size_t kKeyIdLength = 21;
constexpr std::size_t kHintLength = 4;
constexpr std::size_t kLongestName = 100;
constexpr std::size_t kMostKeys = 1000;

}  // namespace

KeyRing::KeyRing(std::string root_key, KeyTable table, Places places)
    : places_(std::move(places)), root_key_(std::move(root_key)), table_(std::move(table)) {}

Result<std::unique_ptr<KeyRing>> KeyRing::open(std::string root_key, Places places) {
  Result<KeyTable> table = places.keys.empty() ? Result(KeyTable{}) : read_key_file(places.keys);
  if (!table) return table.status();
  return std::unique_ptr<KeyRing>(new KeyRing(std::move(root_key), std::move(table).value(), std::move(places)));
}

const StoredKey* KeyRing::find(std::string_view bearer) const {
  if (!bearer.starts_with(kFurtherKeyPrefix)) return nullptr;
  const std::string digest = to_hex(sha256(bearer));
  const StoredKey* found = nullptr;
  for (const StoredKey& key : table_.keys) {
    if (equal_in_constant_time(key.digest, digest)) found = &key;
  }
  return found;
}

Result<CallerPtr> KeyRing::authenticate(std::string_view bearer, store::Time now) const {
  const std::shared_lock lock(mutex_);
  if (equal_in_constant_time(bearer, root_key_)) return CallerPtr();
  if (const StoredKey* const key = find(bearer)) {
    return CallerPtr(std::make_shared<Caller>(Caller{key->rights, key->id, std::nullopt}));
  }
  std::vector<std::string> secrets{root_key_};
  for (const FormerRootKey& former : table_.former_root_keys) {
    if (former.accepted_until <= now) continue;
    if (equal_in_constant_time(bearer, former.text)) return CallerPtr();
    secrets.push_back(former.text);
  }
  if (!looks_like_token(bearer)) return Status::invalid("the API key is not valid here");

  Result<PublicToken> token = read_public_token(bearer, secrets, now);
  if (!token) return token.status();
  if (!token->key.empty() && std::ranges::find(table_.keys, token->key, &StoredKey::id) == table_.keys.end()) {
    return Status::invalid("the key that the public access token was made for was revoked");
  }
  auto caller = std::make_shared<Caller>();
  caller->key = token->key;
  caller->token = std::move(token).value();
  return CallerPtr(std::move(caller));
}

std::string KeyRing::sign(const PublicToken& token, store::Time now) const {
  const std::shared_lock lock(mutex_);
  return sign_public_token(token, root_key_, now);
}

std::string KeyRing::seal(std::string_view text) const {
  const std::shared_lock lock(mutex_);
  return to_hex(hmac_sha256(root_key_, text));
}

bool KeyRing::is_sealed(std::string_view text, std::string_view seal, store::Time now) const {
  const std::shared_lock lock(mutex_);
  if (equal_in_constant_time(to_hex(hmac_sha256(root_key_, text)), seal)) return true;
  return std::ranges::any_of(table_.former_root_keys, [&](const FormerRootKey& former) {
    return former.accepted_until > now && equal_in_constant_time(to_hex(hmac_sha256(former.text, text)), seal);
  });
}

KeyTable KeyRing::current() const {
  const std::shared_lock lock(mutex_);
  return table_;
}

Status KeyRing::keep(KeyTable table) {
  if (!places_.keys.empty()) {
    if (Status written = write_key_file(places_.keys, table); !written) return written;
  }
  const std::lock_guard lock(mutex_);
  table_ = std::move(table);
  return Status::ok();
}

Result<KeyRing::Created> KeyRing::create(std::string name, Rights rights, store::Time now) {
  if (rights == 0) return Status::invalid("a key needs at least one scope: read, trigger or admin");
  if (name.size() > kLongestName) return Status::invalid("a key's name has at most 100 bytes");
  const std::lock_guard change(change_mutex_);
  KeyTable table = current();
  if (table.keys.size() >= kMostKeys) return Status::invalid("there are 1000 keys already; revoke some");
  Created created;
  created.text = std::string(kFurtherKeyPrefix) + random_text(kFurtherKeyLength);
  created.key = {.id = "key_" + random_text(kKeyIdLength),
                 .name = std::move(name),
                 .digest = to_hex(sha256(created.text)),
                 .hint = created.text.substr(created.text.size() - kHintLength),
                 .rights = rights,
                 .created_at = now};
  table.keys.push_back(created.key);
  if (Status kept = keep(std::move(table)); !kept) return kept;
  return created;
}

std::vector<StoredKey> KeyRing::keys() const { return current().keys; }

Result<StoredKey> KeyRing::revoke(std::string_view id) {
  const std::lock_guard change(change_mutex_);
  KeyTable table = current();
  const auto found = std::ranges::find(table.keys, id, &StoredKey::id);
  if (found == table.keys.end()) return Status::not_found("there is no key " + std::string(id));
  StoredKey revoked = *found;
  table.keys.erase(found);
  if (Status kept = keep(std::move(table)); !kept) return kept;
  return revoked;
}

Result<std::string> KeyRing::replace_root(store::Time accepted_until, store::Time now) {
  if (places_.secret.empty() || places_.keys.empty()) {
    return Status::invalid(
        "the root key of this host comes from its configuration: change it there, and restart the host");
  }
  const std::lock_guard change(change_mutex_);
  KeyTable table = current();
  std::erase_if(table.former_root_keys, [&](const FormerRootKey& former) { return former.accepted_until <= now; });
  // The old key is noted before the new one is there: a host that dies in between goes on with the old one alone.
  if (accepted_until > now) table.former_root_keys.push_back({root_key_, accepted_until});
  if (Status kept = keep(std::move(table)); !kept) return kept;
  std::string key = std::string(kRootKeyPrefix) + random_text(kRootKeyLength);
  if (Status written = write_secret_file(places_.secret, key); !written) return written;
  const std::lock_guard lock(mutex_);
  root_key_ = key;
  return key;
}

}  // namespace perdure::api::auth
