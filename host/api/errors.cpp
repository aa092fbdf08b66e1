#include "host/api/errors.h"

#include <algorithm>

#include "host/api/json_text.h"

namespace perdure::api {
namespace {

Response failed(unsigned status, std::string json) {
  Response response{.status = status, .body = std::move(json)};
  const bool for_ever = status < 500 || status == 501 || status == 505;
  if (for_ever) response.headers.push_back({"x-should-retry", "false"});
  if (status == 503) response.headers.push_back({"retry-after", "1"});
  if (status == 401) response.headers.push_back({"www-authenticate", "Bearer"});
  return response;
}

// An issue with what one part of the request holds; `path` is an array's JSON text.
void issue(JsonText& json, std::string_view message, std::string_view path) {
  json.begin_array().begin_object();
  json.text("code", "custom").text("message", message).raw("path", path);
  json.end_object().end_array();
}

// The parts of a JSON pointer below "payload", as a JSON array; those that look like indices as numbers.
std::string path_of(std::string_view pointer) {
  JsonText path;
  path.begin_array().text("payload");
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    std::string part;
    for (std::size_t i = 0; i < end; i++) {
      const bool escape = pointer[i] == '~' && i + 1 < end;
      part += escape ? (pointer[++i] == '0' ? '~' : '/') : pointer[i];
    }
    const bool index = !part.empty() && part.size() < 10 && part.find_first_not_of("0123456789") == std::string::npos;
    if (index) {
      path.raw(part);
    } else {
      path.text(part);
    }
    pointer.remove_prefix(end);
  }
  path.end_array();
  return path.take();
}

}  // namespace

Response error_response(unsigned status, std::string_view sentence) {
  JsonText json;
  json.begin_object().text("error", sentence).end_object();
  return failed(status, json.take());
}

Response error_response(const store::Status& status) {
  switch (status.code()) {
    case store::Code::kNotFound:
      return error_response(404, status.message());
    case store::Code::kConflict:  // a 409 would be tried again by clients
    case store::Code::kInvalid:
      return error_response(422, status.message());
    case store::Code::kNoSpace:
      return error_response(507, status.message());
    case store::Code::kUnavailable:
    case store::Code::kCancelled:
      return error_response(503, status.message());
    case store::Code::kOk:
    case store::Code::kIo:
    case store::Code::kCorruption:
      break;
  }
  return error_response(500, status.message());
}

Response query_error(std::string_view parameter, std::string_view message) {
  JsonText path;
  path.begin_array().text(parameter).end_array();
  JsonText json;
  json.begin_object().text("error", "Query Error").key("details");
  issue(json, message, path.str());
  json.end_object();
  return failed(400, json.take());
}

Response body_error(std::string_view message) {
  JsonText json;
  json.begin_object().text("error", "Invalid request body: " + std::string(message)).key("issues");
  issue(json, message, "[]");
  json.end_object();
  return failed(400, json.take());
}

Response option_error(std::string_view option, std::string_view message) {
  JsonText path;
  path.begin_array().text("options").text(option).end_array();
  JsonText json;
  json.begin_object().text("error", "options." + std::string(option) + " " + std::string(message)).key("issues");
  issue(json, message, path.str());
  json.end_object();
  return failed(422, json.take());
}

Response payload_error(std::string_view sentence, const schema::Fault& fault) {
  JsonText json;
  json.begin_object().text("error", sentence).key("issues");
  json.begin_array().begin_object();
  json.text("code", "custom").text("message", fault.sentence()).raw("path", path_of(fault.pointer));
  json.text("pointer", fault.pointer).end_object().end_array().end_object();
  return failed(422, json.take());
}

Response no_such(std::string_view kind, std::string_view name) {
  return error_response(404, "the " + std::string(kind) + " \"" + std::string(name) + "\" does not exist");
}

}  // namespace perdure::api
