// A waitpoint token as the public contract shows it, and the URL by which anybody completes it. Pure functions; any
// thread.
#pragma once

#include <string>
#include <string_view>

#include "host/api/http.h"
#include "host/api/json_text.h"
#include "store/model/token.h"

namespace perdure::api {

/// What ends the token's URL: nobody can guess it who has not `key`, the host's.
std::string callback_hash(std::string_view key, const store::TokenId& id);

/// The token's URL at `base`, such as http://127.0.0.1:3030.
std::string callback_url(std::string_view base, std::string_view key, const store::TokenId& id);

/// The base by which whoever sent `request` reaches this host; at `listen` where that is not said.
std::string base_of(const Request& request, std::string_view listen);

/// Adds the members of the contract's token object to the one that is open in `json`.
void put_waitpoint(JsonText& json, const store::Token& token, std::string_view url);
/// … and what it was completed with, or that it timed out; nothing while it waits.
void put_waitpoint_output(JsonText& json, const store::Token& token);

}  // namespace perdure::api
