// What holds of every answer of the HTTP API, whatever was asked. For the targets of HTTP.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "host/api/http.h"
#include "store/model/json_text.h"
#include "tests/fuzz/claim.h"

namespace perdure::fuzz {

inline bool is_header_text(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

inline void claim_answer(const api::Response& response) {
  claim(response.status >= 200 && response.status < 600, "an answer has a status");
  claim(response.status != 500, "no request makes the host fail");
  claim(!api::reason_phrase(response.status).empty(), "an answer's status has words");
  claim(is_header_text(response.content_type), "no request can add headers to an answer");
  for (const api::Field& field : response.headers) {
    claim(is_header_text(field.name) && is_header_text(field.value), "no request can add headers to an answer");
  }
  if (response.content_type == "application/json" && !response.body.empty()) {
    claim(store::check_json(response.body, {std::size_t{64} << 20, 512}).is_ok(), "an answer that says so is JSON");
  }
  claim(response.status < 400 || response.content_type == "application/json", "a refusal is JSON");
}

/// One that refuses a body.
inline void claim_refusal(const api::Response& response) {
  claim_answer(response);
  claim(response.status == 400 || response.status == 413 || response.status == 422, "a body is refused as one");
  claim(response.body.find("\"error\":") != std::string::npos, "a refusal has a sentence");
}

}  // namespace perdure::fuzz
