#include "host/api/auth/public_token.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "host/api/auth/digest.h"
#include "host/api/auth/random_text.h"
#include "host/api/json_text.h"
#include "store/model/json_members.h"
#include "store/model/json_text.h"

namespace perdure::api::auth {
namespace {

using store::Result;
using store::Status;
using Members = std::vector<store::JsonMember>;

constexpr std::size_t kLongestToken = 8192;
constexpr store::JsonLimits kLimits{kLongestToken, 16};
constexpr std::string_view kIssuer = "https://id.trigger.dev";
constexpr std::string_view kAudience = "https://api.trigger.dev";
constexpr std::size_t kTokenIdLength = 22;
constexpr std::string_view kHeader = R"({"alg":"HS256"})";

std::string text_of(const Members& members, std::string_view name) {
  const auto value = store::find_member(members, name);
  return value ? store::json_string(*value).value_or("") : "";
}

std::optional<double> number_of(const Members& members, std::string_view name) {
  const auto value = store::find_member(members, name);
  if (!value) return std::nullopt;
  double number = 0;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), number);
  if (error != std::errc() || end != value->data() + value->size()) return std::nullopt;
  return number;
}

// The texts of an array of texts; nothing when it is something else.
std::optional<std::vector<std::string>> texts_in(std::string_view array) {
  const auto elements = store::json_elements(array);
  if (!elements) return std::nullopt;
  std::vector<std::string> texts;
  for (const std::string_view element : *elements) {
    std::optional<std::string> text = store::json_string(element);
    if (!text) return std::nullopt;
    texts.push_back(std::move(*text));
  }
  return texts;
}

// "aud" may be a text or a list of texts.
bool is_for_us(const Members& claims) {
  if (text_of(claims, "aud") == kAudience) return true;
  const auto value = store::find_member(claims, "aud");
  const auto list = value ? texts_in(*value) : std::nullopt;
  return list && std::ranges::find(*list, kAudience) != list->end();
}

Status refused(const std::string& what) { return Status::invalid("the public access token " + what); }

Result<PublicToken> read_claims(const Members& claims, store::Time now) {
  if (text_of(claims, "iss") != kIssuer) return refused("has another issuer than " + std::string(kIssuer));
  if (!is_for_us(claims)) return refused("has another audience than " + std::string(kAudience));
  if (text_of(claims, "sub") != kEnvironmentId) return refused("is for another environment");
  if (store::find_member(claims, "pub") != "true") return refused("is none: its claim \"pub\" is not true");

  const double seconds = std::chrono::duration<double>(now.time_since_epoch()).count();
  const std::optional<double> expires = number_of(claims, "exp");
  if (!expires) return refused("never expires: it needs the claim \"exp\", in seconds");
  if (*expires <= seconds) return refused("has expired; ask for a new one");
  if (store::find_member(claims, "nbf") && number_of(claims, "nbf").value_or(seconds + 1) > seconds) {
    return refused("is not valid yet");
  }

  PublicToken token;
  constexpr double kLatest = 253402300799;  // the year 9999
  token.expires = store::Time(std::chrono::seconds(static_cast<std::int64_t>(std::min(*expires, kLatest))));
  if (const auto scopes = store::find_member(claims, "scopes")) {
    auto texts = texts_in(*scopes);
    if (!texts) return refused("must have a list of texts as its claim \"scopes\"");
    token.scopes = std::move(*texts);
  }
  token.one_time = store::find_member(claims, "otu") == "true";
  token.key = text_of(claims, "key");
  if (const auto realtime = store::find_member(claims, "realtime")) {
    const auto members = store::json_members(*realtime);
    const auto skipped = members ? store::find_member(*members, "skipColumns") : std::nullopt;
    if (skipped) token.skip_columns = texts_in(*skipped).value_or(std::vector<std::string>{});
  }
  return token;
}

void put_texts(JsonText& json, std::string_view name, const std::vector<std::string>& texts) {
  json.key(name).begin_array();
  for (const std::string& text : texts) json.text(text);
  json.end_array();
}

}  // namespace

bool looks_like_token(std::string_view text) { return std::ranges::count(text, '.') == 2; }

Result<PublicToken> read_public_token(std::string_view text, const std::vector<std::string>& secrets, store::Time now) {
  if (text.size() > kLongestToken) return refused("has more than 8192 characters");
  const auto first = text.find('.');
  const auto second = text.rfind('.');
  if (!looks_like_token(text)) return refused("must have three parts");

  // The algorithm is pinned: what a token says of it is compared, never followed. "crit" asks for what nobody here
  // knows.
  const auto header_text = from_base64url(text.substr(0, first));
  if (!header_text || !store::check_json(*header_text, kLimits)) return refused("has a header that is no JSON");
  const auto header = store::json_members(*header_text);
  if (!header || text_of(*header, "alg") != "HS256" || store::find_member(*header, "crit")) {
    return refused("is not signed by HS256");
  }

  const auto signature = from_base64url(text.substr(second + 1));
  const std::string_view signed_part = text.substr(0, second);
  bool good = false;
  for (const std::string& secret : secrets) {
    good = (signature && equal_in_constant_time(*signature, hmac_sha256(secret, signed_part))) || good;
  }
  if (!good) return refused("is not signed with a key of this host");

  const auto claims_text = from_base64url(text.substr(first + 1, second - first - 1));
  if (!claims_text || !store::check_json(*claims_text, kLimits)) return refused("has claims that are no JSON");
  const auto claims = store::json_members(*claims_text);
  if (!claims) return refused("has claims that are no JSON object");
  Result<PublicToken> token = read_claims(*claims, now);
  if (token) token->digest = to_hex(sha256(text));
  return token;
}

std::string sign_public_token(const PublicToken& token, std::string_view secret, store::Time now) {
  const auto seconds = [](store::Time time) {
    return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
  };
  JsonText json;
  json.begin_object().text("sub", kEnvironmentId).boolean("pub", true);
  put_texts(json, "scopes", token.scopes);
  // Two that are made in the same second for the same are two.
  if (token.one_time) json.boolean("otu", true).text("jti", random_text(kTokenIdLength));
  if (!token.key.empty()) json.text("key", token.key);
  if (!token.skip_columns.empty()) {
    put_texts(json.key("realtime").begin_object(), "skipColumns", token.skip_columns);
    json.end_object();
  }
  json.number("iat", seconds(now)).number("exp", seconds(token.expires));
  json.text("iss", kIssuer).text("aud", kAudience).end_object();

  std::string text = to_base64url(kHeader);
  text += '.';
  text += to_base64url(json.str());
  const std::string signature = to_base64url(hmac_sha256(secret, text));
  return text + "." + signature;
}

}  // namespace perdure::api::auth
