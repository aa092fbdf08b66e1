#include "host/cli/http_client.h"

#include <arpa/inet.h>
#include <curl/curl.h>

#include <array>
#include <utility>

namespace perdure::cli {
namespace {

using store::Result;
using store::Status;

constexpr long kConnectTimeoutMs = 5000;
constexpr long kAnswerTimeoutMs = 90'000;  // three times as long as a host is ever asked to wait

std::string_view host_of(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  const auto at = url.rfind('@');
  if (at != std::string_view::npos) url.remove_prefix(at + 1);
  if (url.starts_with('[')) return url.substr(1, url.find(']') - 1);
  return url.substr(0, url.rfind(':'));
}

}  // namespace

struct HttpClient::Transfer {
  Answer answer;
  CURL* easy = nullptr;
  const std::function<void(std::string_view)>* on_line = nullptr;
  const std::function<void()>* on_tick = nullptr;
  std::string partial;  // of a line
  const std::string* body = nullptr;
  std::string request_key;
  const char* type = "Content-Type: application/json";
  const char* method = nullptr;  // other than GET, or POST when there is a body

  std::size_t write(std::string_view data) {
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (on_line == nullptr || status >= 300) {
      answer.body.append(data);
      return data.size();
    }
    partial.append(data);
    std::string_view rest = partial;
    for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      std::string_view line = rest.substr(0, end);
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (!line.empty()) (*on_line)(line);
      rest.remove_prefix(end + 1);
    }
    partial.erase(0, partial.size() - rest.size());
    return data.size();
  }
};

namespace {

extern "C" std::size_t perdure_cli_curl_write(char* data, std::size_t size, std::size_t count, void* sink) {
  auto& write = *static_cast<const std::function<std::size_t(std::string_view)>*>(sink);
  return write({data, size * count});
}

extern "C" int perdure_cli_curl_tick(void* tick, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  (*static_cast<const std::function<void()>*>(tick))();
  return 0;
}

}  // namespace

HttpClient::HttpClient(std::string url, std::string key) : url_(std::move(url)), key_(std::move(key)) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  easy_ = curl_easy_init();
}

HttpClient::~HttpClient() {
  curl_easy_cleanup(easy_);
  curl_global_cleanup();
}

Result<Answer> HttpClient::get(const std::string& path) {
  Transfer transfer;
  return perform(transfer, path);
}

Result<Answer> HttpClient::post(const std::string& path, const std::string& body, const std::string& request_key) {
  Transfer transfer;
  transfer.body = &body;
  transfer.request_key = request_key;
  return perform(transfer, path);
}

Result<Answer> HttpClient::post_lines(const std::string& path, const std::string& lines) {
  Transfer transfer;
  transfer.body = &lines;
  transfer.type = "Content-Type: application/x-ndjson";
  return perform(transfer, path);
}

Result<Answer> HttpClient::put(const std::string& path, const std::string& body) {
  Transfer transfer;
  transfer.body = &body;
  transfer.method = "PUT";
  return perform(transfer, path);
}

Result<Answer> HttpClient::remove(const std::string& path) {
  Transfer transfer;
  transfer.method = "DELETE";
  return perform(transfer, path);
}

Result<Answer> HttpClient::lines(const std::string& path, const std::function<void(std::string_view)>& on_line,
                                 const std::function<void()>& on_tick) {
  Transfer transfer;
  transfer.on_line = &on_line;
  if (on_tick) transfer.on_tick = &on_tick;
  return perform(transfer, path);
}

Result<Answer> HttpClient::perform(Transfer& transfer, const std::string& path) {
  CURL* const easy = easy_;
  if (easy == nullptr) return Status::io("no HTTP client could be made; is there memory left?");
  transfer.easy = easy;
  const std::function<std::size_t(std::string_view)> write = [&](std::string_view data) {
    return transfer.write(data);
  };
  std::array<char, CURL_ERROR_SIZE> why{};
  const std::string url = url_ + path;

  curl_slist* headers = curl_slist_append(nullptr, transfer.type);
  headers = curl_slist_append(headers, "x-trigger-api-version: 2025-07-16");
  headers = curl_slist_append(headers, "Expect:");
  if (!key_.empty()) headers = curl_slist_append(headers, ("Authorization: Bearer " + key_).c_str());

  if (!transfer.request_key.empty()) {
    headers = curl_slist_append(headers, ("x-trigger-request-idempotency-key: " + transfer.request_key).c_str());
  }

  curl_easy_reset(easy);  // keeps the connection
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "perdure");
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, why.data());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, perdure_cli_curl_write);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &write);
  if (is_loopback_url(url_)) curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  if (transfer.on_line == nullptr) curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, kAnswerTimeoutMs);
  if (transfer.on_tick != nullptr) {
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, perdure_cli_curl_tick);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, transfer.on_tick);
  }
  if (transfer.body != nullptr) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(transfer.body->size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer.body->data());
  }

  if (transfer.method != nullptr) curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, transfer.method);

  const CURLcode code = curl_easy_perform(easy);
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &transfer.answer.status);
  curl_slist_free_all(headers);
  const std::string reason = why[0] != '\0' ? std::string(why.data()) : std::string(curl_easy_strerror(code));
  switch (code) {
    case CURLE_OK:
      return std::move(transfer.answer);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return Status::invalid("\"" + url_ + "\" is no address of a host (" + reason + "); write http://HOST:PORT");
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
      return Status::unavailable(reason);
    default:
      return Status::io("the answer from " + url_ + " broke off: " + reason);
  }
}

bool is_loopback_url(std::string_view url) {
  const std::string_view host = host_of(url);
  in_addr address{};
  return host == "localhost" || host == "::1" ||
         (::inet_pton(AF_INET, std::string(host).c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127);
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

}  // namespace perdure::cli
