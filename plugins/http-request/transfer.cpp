#include "transfer.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <string_view>

namespace http {
namespace {

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

// An easy handle inside a multi handle, which can be waited for beside a descriptor of ours.
class Handles {
 public:
  Handles() : easy_(curl_easy_init()), multi_(curl_multi_init()) {
    if (easy_ == nullptr || multi_ == nullptr) throw perdure::OutOfMemory("libcurl could not be set up");
    curl_multi_add_handle(multi_, easy_);
  }
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;
  ~Handles() {
    if (multi_ != nullptr && easy_ != nullptr) curl_multi_remove_handle(multi_, easy_);
    if (easy_ != nullptr) curl_easy_cleanup(easy_);
    if (multi_ != nullptr) curl_multi_cleanup(multi_);
  }
  CURL* easy() const { return easy_; }
  CURLM* multi() const { return multi_; }

 private:
  CURL* easy_;
  CURLM* multi_;
};

size_t take_body(char* data, size_t, size_t size, void* to) {
  auto& body = *static_cast<std::string*>(to);
  if (body.size() + size > kMostBody) return 0;  // an error to libcurl: it ends the transfer
  body.append(data, size);
  return size;
}

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  if (const CURLcode code = curl_easy_setopt(easy, option, value); code != CURLE_OK) {
    throw perdure::Abort(std::string("libcurl refuses an option of the request: ") + curl_easy_strerror(code));
  }
}

bool comes_right_later(CURLcode code) {
  switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_TOO_MANY_REDIRECTS:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_WRITE_ERROR:  // the body is too large
      return false;
    default:
      return true;
  }
}

std::map<std::string, std::string> headers_of(CURL* easy) {
  std::map<std::string, std::string> headers;
  for (curl_header* header = nullptr; (header = curl_easy_nextheader(easy, CURLH_HEADER, -1, header)) != nullptr;) {
    std::string name(header->name);
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    std::string& value = headers[name];
    value += (value.empty() ? "" : ", ") + std::string(header->value);
  }
  return headers;
}

// Drives the transfer to its end, or leaves the task function.
CURLcode perform(const Handles& handles, perdure::Attempt& run) {
  const perdure::StopToken stop = run.stop_token();
  curl_waitfd stopped{stop.descriptor(), CURL_WAIT_POLLIN, 0};
  const bool pollable = stopped.fd >= 0;
  for (;;) {
    run.stop_if_requested();
    int running = 0;
    if (const CURLMcode code = curl_multi_perform(handles.multi(), &running); code != CURLM_OK) {
      throw perdure::Error("HttpRequestFailed", curl_multi_strerror(code));
    }
    int left = 0;
    if (const CURLMsg* message = curl_multi_info_read(handles.multi(), &left)) return message->data.result;
    (void)curl_multi_poll(handles.multi(), &stopped, pollable ? 1 : 0, pollable ? 1000 : 50, nullptr);
  }
}

}  // namespace

Answer transfer(const Exchange& exchange, perdure::Attempt& run) {
  const Handles handles;
  CURL* const easy = handles.easy();
  Answer answer;
  char error[CURL_ERROR_SIZE] = "";

  List headers;
  for (const std::string& header : exchange.headers) {
    curl_slist* const longer = curl_slist_append(headers.get(), header.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    (void)headers.release();
    headers.reset(longer);
  }
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_URL, exchange.url.c_str());
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_FOLLOWLOCATION, 1L);
  set(easy, CURLOPT_MAXREDIRS, 10L);
  set(easy, CURLOPT_ACCEPT_ENCODING, "");
  set(easy, CURLOPT_USERAGENT, "perdure-http-request/1.0");
  set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(exchange.timeout.count()));
  set(easy, CURLOPT_HTTPHEADER, headers.get());
  set(easy, CURLOPT_ERRORBUFFER, error);
  set(easy, CURLOPT_WRITEFUNCTION, take_body);
  set(easy, CURLOPT_WRITEDATA, &answer.body);
  if (exchange.body) {
    set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(exchange.body->size()));
    set(easy, CURLOPT_POSTFIELDS, exchange.body->c_str());
  }
  if (exchange.method == "HEAD") {
    set(easy, CURLOPT_NOBODY, 1L);
  } else if (exchange.method != (exchange.body ? "POST" : "GET")) {
    set(easy, CURLOPT_CUSTOMREQUEST, exchange.method.c_str());
  }

  if (const CURLcode code = perform(handles, run); code != CURLE_OK) {
    const std::string why = code == CURLE_WRITE_ERROR
                                ? "its body is larger than " + std::to_string(kMostBody) + " bytes"
                            : error[0] != '\0' ? error
                                               : curl_easy_strerror(code);
    const std::string message = exchange.method + " " + exchange.url + ": " + why;
    if (!comes_right_later(code)) throw perdure::Abort(message);
    throw perdure::Error("HttpRequestFailed", message, {{"curl", static_cast<int>(code)}});
  }
  long status = 0;
  curl_off_t retry_after = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after);
  answer.status = static_cast<int>(status);
  answer.retry_after = std::chrono::seconds(std::max<curl_off_t>(retry_after, 0));
  answer.headers = headers_of(easy);
  return answer;
}

}  // namespace http
