// A waitpoint token as the public contract shows it, and the URL by which anybody completes it. Pure functions; any
// thread.
#pragma once

#include <string>
#include <string_view>

#include "host/api/http.h"
#include "host/api/json_text.h"
#include "store/model/token.h"

namespace perdure::api {

/// The token's URL at `base`, such as http://127.0.0.1:3030. `seal` of its id (auth::KeyRing) ends it, which nobody can
/// guess.
std::string callback_url(std::string_view base, const store::TokenId& id, std::string_view seal);
/// The same for who has the root key and no key ring.
std::string callback_url_by_key(std::string_view base, const store::TokenId& id, std::string_view root_key);

/// The base by which whoever sent `request` reaches this host; at `listen` where that is not said.
std::string base_of(const Request& request, std::string_view listen);

/// Adds the members of the contract's token object to the one that is open in `json`.
void put_waitpoint(JsonText& json, const store::Token& token, std::string_view url);
/// … and what it was completed with, or that it timed out; nothing while it waits.
void put_waitpoint_output(JsonText& json, const store::Token& token);

}  // namespace perdure::api
