// Large payloads: PUT /api/v2/packets/{name} and GET /api/v1/packets/{name} say where a packet is to be uploaded to and
// downloaded from, GET /api/v1/runs/{id}/packets/{field} where a run's payload or output is. That place is
// /packets/{what}, which takes no key: the address itself is signed, for one thing, one method and some minutes.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "host/api/access.h"
#include "host/api/api.h"
#include "host/api/auth/digest.h"
#include "host/api/errors.h"
#include "host/api/json_text.h"
#include "host/api/packets.h"

namespace perdure::api {
namespace {

constexpr std::chrono::minutes kSignedFor{15};
constexpr std::size_t kLongestName = 512;

std::string sealed_text(Method method, std::string_view what, std::string_view expires) {
  return std::string(method_name(method)) + " " + std::string(what) + " " + std::string(expires);
}

// Where `what` can be had or put, by the name under which the client knows this host.
std::string signed_address(const Api& api, const Request& request, Method method, const std::string& what) {
  const std::string* const host = request.header("host");
  const std::string* const scheme = request.header("x-forwarded-proto");
  const std::string expires = std::to_string((wall_clock() + kSignedFor).time_since_epoch().count());
  return (scheme != nullptr && *scheme == "https" ? "https://" : "http://") +
         (host == nullptr ? api.options.listen : *host) + "/packets/" + auth::to_base64url(what) +
         "?expires=" + expires + "&signature=" + api.keys.seal(sealed_text(method, what, expires));
}

// What the address of the request is of, if it was made here and is still good.
std::optional<std::string> named_by(const Api& api, const Request& request, Method method) {
  const std::string* const expires = request.parameter("expires");
  const std::string* const signature = request.parameter("signature");
  const std::optional<std::string> what = auth::from_base64url(request.argument);
  if (expires == nullptr || signature == nullptr || !what) return std::nullopt;
  const store::Time now = wall_clock();
  std::int64_t until = 0;
  std::from_chars(expires->data(), expires->data() + expires->size(), until);
  if (until <= now.time_since_epoch().count()) return std::nullopt;
  if (!api.keys.is_sealed(sealed_text(method, *what, *expires), *signature, now)) return std::nullopt;
  return what;
}

Response bad_address() { return error_response(403, "this address of a packet was not made here, or is too old"); }

// What a page could be led to execute is not served from here.
constexpr std::array<std::string_view, 3> kTypes{"application/json", "application/super+json", "text/plain"};

std::optional<Response> refuse_name(const std::string& name) {
  if (name.size() <= kLongestName) return std::nullopt;
  return error_response(400, "a packet's name has at most 512 bytes");
}

// "packet NAME", "payload RUN", "output RUN": the second of these words.
std::string_view rest_after(std::string_view what, std::string_view word) {
  return what.starts_with(word) && what.substr(word.size()).starts_with(' ') ? what.substr(word.size() + 1)
                                                                             : std::string_view();
}

store::Result<Packet> read(const Api& api, std::string_view what) {
  if (const auto name = rest_after(what, "packet"); !name.empty()) {
    return api.packets.get(std::string(name), std::chrono::steady_clock::now());
  }
  const bool is_output = what.starts_with("output ");
  const store::RunId run(std::string(rest_after(what, is_output ? "output" : "payload")));
  store::Result<std::string> text = is_output ? api.engine.store().output(run) : api.engine.store().payload(run);
  if (!text) return text.status();
  return Packet{"application/json", std::move(text).value()};
}

}  // namespace

Handling prepare_upload(Api& api, ExchangePtr exchange) {
  const Request& request = exchange->request();
  if (std::optional<Response> refusal = refuse_name(request.argument)) {
    exchange->reply(std::move(*refusal));
    co_return;
  }
  JsonText json;
  json.begin_object().text("presignedUrl", signed_address(api, request, Method::kPut, "packet " + request.argument));
  exchange->reply(ok(json.text("storagePath", request.argument).end_object().take()));
}

Handling find_packet(Api& api, ExchangePtr exchange) {
  const Request& request = exchange->request();
  const auto packet = api.packets.get(request.argument, std::chrono::steady_clock::now());
  if (!packet) {
    exchange->reply(error_response(packet.status()));
    co_return;
  }
  JsonText json;
  json.begin_object().text("presignedUrl", signed_address(api, request, Method::kGet, "packet " + request.argument));
  exchange->reply(ok(json.end_object().take()));
}

Handling find_run_packet(Api& api, ExchangePtr exchange) {
  const Request& request = exchange->request();
  const store::RunId id(request.argument);
  const store::Result<store::Run> run = store::is_run_id(id.text())
                                            ? api.engine.store().run(id)
                                            : store::Status::not_found("there is no run " + id.text());
  if (!run) {
    exchange->reply(error_response(run.status()));
    co_return;
  }
  if (std::optional<Response> refusal = refuse_run(request, "read", *run)) {
    exchange->reply(std::move(*refusal));
    co_return;
  }
  const bool there = request.second_argument == "payload" ||
                     (request.second_argument == "output" && run->status == store::RunStatus::kCompleted);
  if (!there) {
    exchange->reply(error_response(404, "the run " + id.text() + " has no " + request.second_argument +
                                            "; it has a payload and, once completed, an output"));
    co_return;
  }
  JsonText json;
  json.begin_object().text("presignedUrl",
                           signed_address(api, request, Method::kGet, request.second_argument + " " + id.text()));
  exchange->reply(ok(json.end_object().take()));
}

Handling upload_packet(Api& api, ExchangePtr exchange) {
  Request& request = exchange->request();
  const std::optional<std::string> what = named_by(api, request, Method::kPut);
  if (!what) {
    exchange->reply(bad_address());
    co_return;
  }
  const std::string* const given = request.header("content-type");
  const std::string type = given == nullptr ? "application/json" : given->substr(0, given->find(';'));
  if (std::ranges::find(kTypes, type) == kTypes.end()) {
    exchange->reply(error_response(
        415, "a packet is application/json, application/super+json or text/plain, not \"" + type + "\""));
    co_return;
  }
  api.packets.put(std::string(rest_after(*what, "packet")), {type, std::move(request.body)},
                  std::chrono::steady_clock::now());
  exchange->reply(ok("{}"));
}

Handling download_packet(Api& api, ExchangePtr exchange) {
  const std::optional<std::string> what = named_by(api, exchange->request(), Method::kGet);
  if (!what) {
    exchange->reply(bad_address());
    co_return;
  }
  store::Result<Packet> packet = read(api, *what);
  if (!packet) {
    exchange->reply(error_response(packet.status()));
    co_return;
  }
  exchange->reply({.body = std::move(packet->text), .content_type = packet->type});
}

}  // namespace perdure::api
