#include "store/rocks/token_record.h"

#include "store/rocks/codec.h"

namespace perdure::store::rocks {
namespace {

// How a token's timeout is moved between the wall clock and timer time: that of one which is over is history.
Duration moved(const Token& token, Duration by) {
  return token.status == TokenStatus::kWaiting && !token.calendar ? by : Duration::zero();
}

}  // namespace

std::string encode(const Token& token, Duration ahead) {
  std::string bytes;
  bytes.reserve(64 + token.output.size() + token.idempotency_key.size());
  Encoder out(bytes);
  out.u8(kValueVersion);
  out.u8(static_cast<std::uint8_t>(token.status));
  out.time(token.created_at);
  out.time(later(token.timeout_at, moved(token, ahead)));
  out.flag(token.calendar);
  out.time(token.completed_at);
  out.text(token.output);
  out.u64(token.tags.size());
  for (const std::string& tag : token.tags) out.text(tag);
  out.text(token.idempotency_key);
  out.time(token.key_expires_at ? std::optional(later(*token.key_expires_at, ahead)) : std::nullopt);
  out.name(token.run);
  out.u64(token.attempt);
  return bytes;
}

Result<Token> decode_token(PackedId id, std::string_view bytes, Duration ahead) {
  Decoder in(bytes);
  if (!has_version(in)) return damaged("token " + unpack_token(id).text());
  Token token;
  token.id = unpack_token(id);
  token.status = in.one_of(TokenStatus::kWaiting, TokenStatus::kTimedOut);
  token.created_at = in.time();
  token.timeout_at = in.time();
  token.calendar = in.flag();
  token.timeout_at = earlier(token.timeout_at, moved(token, ahead));
  token.completed_at = in.maybe_time();
  token.output = in.string();
  const std::size_t tags = in.count();
  for (std::size_t i = 0; i < tags && in.ok(); ++i) token.tags.push_back(in.string());
  token.idempotency_key = in.string();
  token.key_expires_at = in.maybe_time();
  if (token.key_expires_at) token.key_expires_at = earlier(*token.key_expires_at, ahead);
  token.run = in.name<RunId>();
  token.attempt = in.u32();
  if (!in.ok()) return damaged("token " + token.id.text());
  return token;
}

std::string encode(const TokenTimeout& timeout, Duration ahead) {
  std::string bytes;
  Encoder out(bytes);
  out.u8(kValueVersion);
  out.time(timeout.calendar ? timeout.at : later(timeout.at, ahead));
  out.flag(timeout.calendar);
  return bytes;
}

Result<TokenTimeout> decode_token_timeout(std::string_view bytes, Duration ahead) {
  Decoder in(bytes);
  if (!has_version(in)) return damaged("timeout of a token");
  TokenTimeout timeout;
  timeout.at = in.time();
  timeout.calendar = in.flag();
  if (!timeout.calendar) timeout.at = earlier(timeout.at, ahead);
  if (!in.ok()) return damaged("timeout of a token");
  return timeout;
}

}  // namespace perdure::store::rocks
