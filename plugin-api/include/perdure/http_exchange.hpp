// One HTTP exchange over libcurl, made ready and read back; who drives it, and what ends it early, is the caller's
// (http_transfer.hpp for attempts, client/connections.hpp for the client). One thread at a time for each Transfer;
// libcurl may resolve names on a thread of its own meanwhile. Only for what links libcurl.
#pragma once

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <map>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <perdure/errors.hpp>

namespace perdure::retry {

struct HttpRequest {
  std::string url;  // http or https
  std::string method = "GET";
  std::vector<std::pair<std::string, std::string>> headers{};
  std::optional<std::string> body{};
};

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case; those of one name joined by ", "
  std::string body;
  int attempts = 1;  // that were made until this one came

  bool ok() const { return status >= 200 && status < 300; }
  /// Empty when there is none. `name` in lower case.
  std::string_view header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
  }
};

namespace detail {

/// Why there was no response.
struct NoResponse {
  bool timed_out = false;
  bool hopeless = false;  // no further attempt can change it
  bool unsent = false;    // the server has seen nothing of the request
  std::string why{};
};

struct Transfer {
  Transfer() : easy(curl_easy_init()), multi(curl_multi_init()) {
    if (easy == nullptr || multi == nullptr) throw OutOfMemory("libcurl could not be set up");
    curl_multi_add_handle(multi, easy);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() {
    if (multi != nullptr && easy != nullptr) curl_multi_remove_handle(multi, easy);
    if (easy != nullptr) curl_easy_cleanup(easy);
    if (multi != nullptr) curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
  }
  /// Forgets the exchange; its connection stays open for the next one.
  void clear() {
    curl_multi_remove_handle(multi, easy);
    curl_easy_reset(easy);
    curl_slist_free_all(headers);
    headers = nullptr;
    body.clear();
    error[0] = '\0';
    curl_multi_add_handle(multi, easy);
  }
  void add_header(const std::string& line) {
    curl_slist* const longer = curl_slist_append(headers, line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    headers = longer;
  }

  CURL* easy;
  CURLM* multi;
  curl_slist* headers = nullptr;
  std::string body;
  std::size_t most_body = 0;
  char error[CURL_ERROR_SIZE] = "";
};

inline std::size_t take_body(char* data, std::size_t, std::size_t size, void* to) {
  auto& transfer = *static_cast<Transfer*>(to);
  if (transfer.body.size() + size > transfer.most_body) return 0;  // an error to libcurl: it ends the transfer
  transfer.body.append(data, size);
  return size;
}

inline bool is_hopeless(CURLcode code) {
  return code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT || code == CURLE_TOO_MANY_REDIRECTS ||
         code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE || code == CURLE_WRITE_ERROR ||
         code == CURLE_BAD_FUNCTION_ARGUMENT;
}

inline bool is_unsent(CURLcode code) {
  return code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_COULDNT_CONNECT ||
         code == CURLE_SSL_CONNECT_ERROR;
}

/// Makes a transfer without an exchange ready for this one, which follows up to ten redirects. `request` outlives it.
inline std::optional<NoResponse> prepare(Transfer& transfer, const HttpRequest& request,
                                         std::optional<std::chrono::milliseconds> timeout, std::size_t most_body) {
  transfer.most_body = most_body;
  for (const auto& [name, value] : request.headers) {
    if ((name + value).find_first_of("\r\n") != std::string::npos) {
      return NoResponse{.hopeless = true,
                        .why = "the header " + name.substr(0, name.find_first_of("\r\n")) + " has more than one line"};
    }
    transfer.add_header(value.empty() ? name + ";" : name + ": " + value);
  }
  CURL* const easy = transfer.easy;
  bool good = true;
  const auto set = [&](auto option, auto value) { good = good && curl_easy_setopt(easy, option, value) == CURLE_OK; };
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_FOLLOWLOCATION, 1L);
  set(CURLOPT_MAXREDIRS, 10L);
  set(CURLOPT_ACCEPT_ENCODING, "");
  set(CURLOPT_HTTPHEADER, transfer.headers);
  set(CURLOPT_ERRORBUFFER, transfer.error);
  set(CURLOPT_WRITEFUNCTION, &take_body);
  set(CURLOPT_WRITEDATA, &transfer);
  if (timeout) set(CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(1, timeout->count())));
  if (request.body) {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body->size()));
    set(CURLOPT_POSTFIELDS, request.body->data());
  }
  if (request.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else if (request.method != (request.body ? "POST" : "GET")) {
    set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  if (!good) return NoResponse{.hopeless = true, .why = "libcurl refuses the request"};
  return std::nullopt;
}

/// What came of a transfer that was driven to its end. Nothing of a response is in `response` when it has failed.
inline std::optional<NoResponse> conclude(Transfer& transfer, CURLcode code, HttpResponse& response) {
  if (code != CURLE_OK) {
    std::string why = transfer.error[0] != '\0' ? transfer.error : curl_easy_strerror(code);
    if (code == CURLE_WRITE_ERROR) why = "its body is larger than " + std::to_string(transfer.most_body) + " bytes";
    return NoResponse{code == CURLE_OPERATION_TIMEDOUT, is_hopeless(code), is_unsent(code), why};
  }
  long status = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
  response.status = static_cast<int>(status);
  response.body = std::move(transfer.body);
  response.headers.clear();
  for (curl_header* each = nullptr; (each = curl_easy_nextheader(transfer.easy, CURLH_HEADER, -1, each)) != nullptr;) {
    std::string name(each->name);
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    std::string& value = response.headers[name];
    value += (value.empty() ? "" : ", ") + std::string(each->value);
  }
  return std::nullopt;
}

}  // namespace detail
}  // namespace perdure::retry
