// Public access tokens: POST /api/v1/auth/jwt/claims, what clients that have the root key begin theirs with, and POST
// /api/v1/auth/public-tokens, where those with a further key get one made.
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "host/api/api.h"
#include "host/api/auth/random_text.h"
#include "host/api/auth/scopes.h"
#include "host/api/errors.h"
#include "host/api/json_members.h"
#include "host/api/json_text.h"
#include "store/model/json_text.h"

namespace perdure::api {
namespace {

constexpr store::JsonLimits kBodyLimits{64u << 10, 16};
constexpr store::Duration kUsualLifetime = std::chrono::minutes(15);
constexpr double kLongestLifetimeSeconds = 10.0 * 365 * 24 * 3600;
constexpr std::size_t kMostScopes = 100;
constexpr std::size_t kClaimsIdLength = 22;

// "15m", "1 hour", "90 seconds": a number and a unit, as the official client's library for tokens reads them.
std::optional<double> seconds_in(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, double>, 6> kUnits{{{"s sec secs second seconds", 1},
                                                                       {"m min mins minute minutes", 60},
                                                                       {"h hr hrs hour hours", 3600},
                                                                       {"d day days", 86400},
                                                                       {"w week weeks", 604800},
                                                                       {"y yr yrs year years", 31557600}}};
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  std::string_view unit = trimmed(text.substr(static_cast<std::size_t>(end - text.data())));
  for (const auto& [names, seconds] : kUnits) {
    std::string_view rest = names;
    while (!rest.empty()) {
      const auto blank = std::min(rest.find(' '), rest.size());
      if (unit == rest.substr(0, blank)) return number * seconds;
      rest.remove_prefix(std::min(blank + 1, rest.size()));
    }
  }
  return std::nullopt;
}

// When the token ends: a duration from now, or seconds since the epoch.
std::optional<store::Time> expiry_of(std::string_view value, store::Time now) {
  std::optional<double> lifetime;
  if (const auto text = json_string(value)) {
    lifetime = seconds_in(*text);
  } else {
    double at = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), at);
    if (error == std::errc() && end == value.data() + value.size()) {
      lifetime = at - std::chrono::duration<double>(now.time_since_epoch()).count();
    }
  }
  if (!lifetime || !(*lifetime > 0 && *lifetime <= kLongestLifetimeSeconds)) return std::nullopt;
  return now + std::chrono::milliseconds(std::llround(*lifetime * 1000));
}

std::optional<std::vector<std::string>> texts_in(std::string_view array) {
  const auto elements = json_elements(array);
  if (!elements) return std::nullopt;
  std::vector<std::string> texts;
  for (const std::string_view element : *elements) {
    auto text = json_string(element);
    if (!text) return std::nullopt;
    texts.push_back(std::move(*text));
  }
  return texts;
}

// Whether a key with these rights may do all that the scope says: nobody gives away what he has not.
bool may_give(auth::Rights rights, std::string_view text) {
  const std::string_view action = auth::parse_scope(text).action;
  if (action == "read") return auth::has(rights, auth::Right::kRead);
  const bool triggers = action == "trigger" || action == "batchTrigger" || action == "write";
  return auth::has(rights, triggers ? auth::Right::kTrigger : auth::Right::kAdmin);
}

std::variant<auth::PublicToken, Response> read_wish(const Request& request, store::Time now) {
  if (store::Status checked = store::check_json(request.body, kBodyLimits, "the body"); !checked) {
    return body_error(checked.message());
  }
  const auto members = json_members(request.body);
  if (!members) return body_error("the body must be an object");
  auth::PublicToken token{.scopes = {}, .expires = now + kUsualLifetime, .skip_columns = {}};
  const auto scopes = find_member(*members, "scopes");
  auto names = scopes ? texts_in(*scopes) : std::nullopt;
  if (!names || names->empty() || names->size() > kMostScopes) {
    return body_error(R"("scopes" must be a list of one to 100 texts such as "read:runs:run_…")");
  }
  token.scopes = std::move(*names);
  if (const auto expiry = find_member(*members, "expirationTime")) {
    const auto expires = expiry_of(*expiry, now);
    if (!expires) {
      return body_error(
          "\"expirationTime\" must be a duration such as \"15m\" or seconds since 1970, within ten years from now");
    }
    token.expires = *expires;
  }
  token.one_time = find_member(*members, "oneTimeUse") == "true";
  if (const auto realtime = find_member(*members, "realtime")) {
    const auto inner = json_members(*realtime);
    const auto skipped = inner ? find_member(*inner, "skipColumns") : std::nullopt;
    if (skipped) token.skip_columns = texts_in(*skipped).value_or(std::vector<std::string>{});
  }
  return token;
}

Response make_token(Api& api, const Request& request) {
  const store::Time now = wall_clock();
  auto wish = read_wish(request, now);
  if (Response* const refusal = std::get_if<Response>(&wish)) return std::move(*refusal);
  auto& token = std::get<auth::PublicToken>(wish);
  if (request.caller) {
    token.key = request.caller->key;
    for (const std::string& scope : token.scopes) {
      if (may_give(request.caller->rights, scope)) continue;
      return error_response(403, "this key may not do what \"" + scope + "\" says, so it can give no token for it");
    }
  }
  JsonText json;
  json.begin_object().text("token", api.keys.sign(token, now)).end_object();
  return ok(json.take());
}

}  // namespace

Handling show_token_claims(Api&, ExchangePtr exchange) {
  // The client adds to these and signs: what it makes twice in a second for the same is to be two tokens all the same.
  std::string claims(auth::kBaseClaims);
  claims.pop_back();
  exchange->reply(ok(claims + R"(,"jti":")" + auth::random_text(kClaimsIdLength) + "\"}"));
  co_return;
}

Handling make_public_token(Api& api, ExchangePtr exchange) {
  exchange->reply(make_token(api, exchange->request()));
  co_return;
}

}  // namespace perdure::api
