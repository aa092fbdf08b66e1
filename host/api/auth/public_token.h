// Public access tokens: what a web page may carry instead of a key. JSON Web Tokens by HS256, signed with the text of
// the root key, by clients that have it or by the host for those that have not. Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/model/ids.h"
#include "store/model/status.h"

namespace perdure::api::auth {

/// What the host calls itself in tokens, and what the base claims of every token are.
inline constexpr std::string_view kEnvironmentId = "env_local";
inline constexpr std::string_view kBaseClaims = R"({"sub":"env_local","pub":true})";

struct PublicToken {
  std::vector<std::string> scopes;
  store::Time expires;
  bool one_time = false;                  // good for one trigger
  std::vector<std::string> skip_columns;  // of subscriptions
  std::string key{};                      // the key that it was made for; empty: the root key
  std::string digest{};                   // hexadecimal; another for every token
};

/// Checks signature (by one of `secrets`), algorithm, issuer, audience, subject and times. kInvalid says what is wrong,
/// for the bearer's eyes: nothing in it depends on a secret.
store::Result<PublicToken> read_public_token(std::string_view text, const std::vector<std::string>& secrets,
                                             store::Time now);

/// A token that says what `token` says (`digest` aside), signed with `secret`.
std::string sign_public_token(const PublicToken& token, std::string_view secret, store::Time now);

/// Whether `text` has the shape of a token: three parts, which no key has.
bool looks_like_token(std::string_view text);

}  // namespace perdure::api::auth
