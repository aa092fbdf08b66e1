// What keys and tokens are made and compared with: HMAC and SHA-256 (OpenSSL's), the base64 of tokens, a comparison
// that tells nothing by its time. Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace perdure::api::auth {

/// The 32 bytes of SHA-256 of `text`.
std::string sha256(std::string_view text);

/// The 32 bytes of HMAC-SHA-256 of `text` under `key`.
std::string hmac_sha256(std::string_view key, std::string_view text);

/// `bytes` in the URL alphabet of base64, without padding.
std::string to_base64url(std::string_view bytes);
/// The bytes; nothing when `text` is not exactly what to_base64url() would have made of them.
std::optional<std::string> from_base64url(std::string_view text);

/// `bytes` as lower-case hexadecimal digits.
std::string to_hex(std::string_view bytes);

/// Whether the two are equal, in a time that depends on their lengths only.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace perdure::api::auth
