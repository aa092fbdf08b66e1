// Target: bytes of a connection to requests, and what is decided by their heads: the route, Host, Origin, key. Input: a
// byte for where the bytes are cut, then the bytes.
#include <algorithm>
#include <string>
#include <variant>
#include <vector>

#include "host/api/api.h"
#include "host/api/request_parser.h"
#include "host/api/router.h"
#include "tests/api/fake_engine.h"
#include "tests/fuzz/answer.h"
#include "tests/fuzz/claim.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/targets.h"

namespace perdure::fuzz {
namespace {

using api::RequestParser;

constexpr std::string_view kKey = "tr_dev_fuzzed";
constexpr std::size_t kHead = 1024, kBody = 512, kBatchBody = 1024;

// What became of some bytes.
struct Read {
  std::vector<api::Request> requests;
  std::vector<bool> keeps_alive;
  unsigned failure = 0;  // the status; 0: none

  [[nodiscard]] bool has_requests_of(const Read& other) const {
    return keeps_alive == other.keeps_alive &&
           std::ranges::equal(requests, other.requests, [](const api::Request& a, const api::Request& b) {
             const auto field = [](const api::Field& x, const api::Field& y) {
               return x.name == y.name && x.value == y.value;
             };
             return a.method == b.method && a.target == b.target && a.path == b.path && a.body == b.body &&
                    std::ranges::equal(a.query, b.query, field) && std::ranges::equal(a.headers, b.headers, field);
           });
  }
};

// As a connection does it: what arrives is put behind what was not taken.
Read read_in_pieces(std::string_view bytes, std::size_t piece) {
  RequestParser parser(
      kHead, [](const std::vector<std::string>& path) { return api::Router::takes_items(path) ? kBatchBody : kBody; });
  Read read;
  std::string in;
  while (!bytes.empty()) {
    in += bytes.substr(0, piece);
    bytes.remove_prefix(std::min(piece, bytes.size()));
    std::string_view rest = in;
    for (bool more = true; more && !rest.empty();) {
      switch (parser.feed(rest)) {
        case RequestParser::Progress::kMore:
          more = false;
          break;
        case RequestParser::Progress::kFailed:
          claim_answer(parser.failure());
          read.failure = parser.failure().status;
          return read;
        case RequestParser::Progress::kHead:
          claim(parser.begun(), "a request whose head is there has begun");
          if (parser.has_body()) break;
          claim(parser.feed(rest) == RequestParser::Progress::kDone, "a request without a body ends with its head");
          [[fallthrough]];
        case RequestParser::Progress::kDone:
          claim(parser.request().body.size() <= parser.body_limit(), "a body keeps its limit");
          read.requests.push_back(parser.request());
          read.keeps_alive.push_back(parser.keep_alive());
          break;
      }
    }
    in.erase(0, in.size() - rest.size());
  }
  return read;
}

// The host whose router is asked. Nothing is answered, so that nothing changes.
struct Host {
  api::FakeEngine engine;
  api::ApiOptions options{.host_names = {"perdure.example"}};
  api::auth::KeyRing keys{std::string(kKey)};
  api::RunSets sets{engine};
  api::Packets packets;
  api::Api api{engine, options, keys, sets, packets, {}};
};

void try_head(api::Request request) {
  static Host& host = *new Host();
  const api::Router router(host.api);  // one each, so that keys that are none are not counted together
  const auto admitted = router.admit(request);
  if (const auto* refusal = std::get_if<api::Response>(&admitted)) {
    claim(refusal->status == 204 || (refusal->status >= 400 && refusal->status < 500), "a head is refused as one");
    return claim_answer(*refusal);
  }
  claim(!request.path.empty(), "nothing is at the root");
  const bool for_keys = request.path[0] == "perdure";
  const std::string* const authorization = request.header("authorization");
  claim(!for_keys || (authorization != nullptr && authorization->ends_with(kKey)), "only who has a key is let in");
}

}  // namespace

void http_request(std::string_view bytes) {
  Input input(bytes);
  const std::size_t piece = input.byte() + std::size_t{1};
  const Read whole = read_in_pieces(input.rest(), input.rest().size() + 1);
  const Read cut = read_in_pieces(input.rest(), piece);
  claim(whole.has_requests_of(cut), "requests are the same, however their bytes are cut");
  // Beast counts a chunk against the body's limit whenever it looks for the end of a quoted extension that has none.
  const bool counted_again = cut.failure == 413;
  claim(whole.failure == cut.failure || counted_again, "what is no request is refused alike, however it is cut");
  for (const api::Request& request : whole.requests) try_head(request);
}

}  // namespace perdure::fuzz
