// Target: public access tokens, their scopes, and the file of keys. Input: a letter for the kind (a token, claims that
// are signed here, a file of keys, bytes for base64, scopes), then the text.
#include <string>
#include <vector>

#include "host/api/auth/digest.h"
#include "host/api/auth/key_file.h"
#include "host/api/auth/public_token.h"
#include "host/api/auth/scopes.h"
#include "tests/fuzz/claim.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/targets.h"

namespace perdure::fuzz {
namespace {

namespace auth = api::auth;

constexpr std::string_view kSecret = "tr_dev_fuzzed";
const store::Time kNow{std::chrono::milliseconds(1'700'000'000'000)};

store::Result<auth::PublicToken> read(std::string_view text) {
  return auth::read_public_token(text, {"tr_dev_another", std::string(kSecret)}, kNow);
}

void claim_token(const auth::PublicToken& token) {
  claim(token.expires > kNow, "a token that is accepted has not expired");
  const store::Result<auth::PublicToken> again = read(auth::sign_public_token(token, kSecret, kNow));
  if (!again) return;  // longer than tokens may be, since its texts are written with escapes
  claim(again->scopes == token.scopes && again->key == token.key && again->one_time == token.one_time &&
            again->skip_columns == token.skip_columns,
        "a token that is signed says the same");
}

void try_token(std::string_view text) {
  const store::Result<auth::PublicToken> token = read(text);
  claim(!token || auth::looks_like_token(text), "what is accepted looks like a token");
  if (token) claim_token(*token);
}

void try_claims(std::string_view claims) {
  std::string text = auth::to_base64url(R"({"alg":"HS256"})") + '.' + auth::to_base64url(claims);
  text += '.' + auth::to_base64url(auth::hmac_sha256(kSecret, text));
  if (const store::Result<auth::PublicToken> token = read(text)) {
    claim_token(*token);
    text.back() = text.back() == 'A' ? 'B' : 'A';
    claim(!read(text), "a token with another signature is refused");
  }
}

void try_keys(std::string_view text) {
  const store::Result<auth::KeyTable> table = auth::parse_key_table(text);
  if (!table) return;
  const store::Result<auth::KeyTable> again = auth::parse_key_table(auth::to_text(*table));
  claim(again.status().is_ok() && *again == *table, "a file of keys comes back as it was");
}

void try_base64(std::string_view bytes) {
  claim(auth::from_base64url(auth::to_base64url(bytes)) == bytes, "bytes come back from base64");
  if (const auto decoded = auth::from_base64url(bytes)) {
    claim(auth::to_base64url(*decoded) == bytes, "one text only stands for some bytes");
  }
  claim(auth::equal_in_constant_time(bytes, std::string(bytes)), "what is equal compares so");
}

void try_scopes(std::string_view text) {
  Input input(text);
  const std::string_view asked = input.line();
  std::vector<std::string> scopes;
  while (!input.rest().empty()) scopes.emplace_back(input.line());
  const auth::Scope scope = auth::parse_scope(asked);
  const bool permitted = auth::permits(scopes, scope.action, {scope.type, scope.id});
  claim(!permitted || !scopes.empty(), "who has no scope may nothing");
  claim(!permitted || auth::may_permit(scopes, scope.action, {scope.type}), "what is permitted may be");
  scopes.emplace_back("admin");
  claim(auth::permits(scopes, scope.action, {scope.type, scope.id}), "admin permits all");
}

}  // namespace

void access_tokens(std::string_view bytes) {
  constexpr void (*kKinds[])(std::string_view) = {try_token, try_claims, try_keys, try_base64, try_scopes};
  Input input(bytes);
  const std::size_t kind = input.letter(std::size(kKinds));
  kKinds[kind](input.rest());
}

}  // namespace perdure::fuzz
