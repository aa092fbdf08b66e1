// Content codings: what a client offers to take, what it has sent, and which answers are worth compressing.
// Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "host/api/http.h"

namespace perdure::api {

/// How a body is sent, by the headers: content-encoding.
enum class ContentCoding : std::uint8_t { kIdentity, kGzip, kOther };
ContentCoding content_coding_of(const Request& request);

/// Whether the client takes gzip: accept-encoding, with its weights.
bool takes_gzip(const Request& request);

/// Whether an answer is text of a size that compressing pays for, and short enough that nobody waits for it long: the
/// thread that compresses serves other connections too.
bool is_worth_compressing(const Response& response);

}  // namespace perdure::api
