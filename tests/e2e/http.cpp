#include "tests/e2e/http.h"

#include <curl/curl.h>

#include <boost/json/parse.hpp>
#include <utility>

namespace perdure::e2e {

boost::json::value Answer::json() const {
  boost::system::error_code failed;
  boost::json::parse_options options;
  options.max_depth = 200;
  auto value = boost::json::parse(body, failed, {}, options);
  return failed ? boost::json::value() : value;
}

struct Http::Handle {
  CURL* easy = curl_easy_init();
  curl_slist* headers = nullptr;
  curl_slist* of_lines = nullptr;
  curl_slist* now = nullptr;  // one of the two
  ~Handle() {
    curl_slist_free_all(headers);
    curl_slist_free_all(of_lines);
    curl_easy_cleanup(easy);
  }
};

Http::Http(std::string base, std::string key)
    : handle_(std::make_unique<Handle>()), base_(std::move(base)), key_(std::move(key)) {
  handle_->headers = curl_slist_append(nullptr, ("authorization: Bearer " + key_).c_str());
  handle_->headers = curl_slist_append(handle_->headers, "content-type: application/json");
  handle_->of_lines = curl_slist_append(nullptr, ("authorization: Bearer " + key_).c_str());
  handle_->of_lines = curl_slist_append(handle_->of_lines, "content-type: application/x-ndjson");
  handle_->now = handle_->headers;
}

Http::~Http() = default;

Answer Http::get(const std::string& target) { return ask(target, nullptr); }
Answer Http::post(const std::string& target, const std::string& body) { return ask(target, &body); }

Answer Http::post_lines(const std::string& target, const std::string& lines) {
  handle_->now = handle_->of_lines;
  Answer answer = ask(target, &lines);
  handle_->now = handle_->headers;
  return answer;
}

Answer Http::ask(const std::string& target, const std::string* body) {
  Answer answer;
  CURL* easy = handle_->easy;
  curl_easy_reset(easy);
  if (body != nullptr) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body->c_str());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(body->size()));
  }
  const int code = perform(
      target,
      +[](char* data, std::size_t one, std::size_t size, void* to) -> std::size_t {
        static_cast<std::string*>(to)->append(data, one * size);
        return one * size;
      },
      &answer.body);
  if (code != CURLE_OK) return {0, curl_easy_strerror(static_cast<CURLcode>(code))};
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  return answer;
}

bool Http::follow(const std::string& target, const std::function<bool(const std::string& line)>& seen) {
  struct Lines {
    const std::function<bool(const std::string&)>& seen;
    std::string rest{};
    bool found = false;
  } lines{seen};
  curl_easy_reset(handle_->easy);
  (void)perform(
      target,
      +[](char* data, std::size_t one, std::size_t size, void* to) -> std::size_t {
        auto& [tell, rest, found] = *static_cast<Lines*>(to);
        rest.append(data, one * size);
        for (auto end = rest.find('\n'); end != std::string::npos && !found; end = rest.find('\n')) {
          found = tell(rest.substr(0, end));
          rest.erase(0, end + 1);
        }
        return found ? 0 : one * size;
      },
      &lines);
  return lines.found;
}

int Http::perform(const std::string& target, Receive receive, void* to) {
  CURL* easy = handle_->easy;
  const std::string url = base_ + target;
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, handle_->now);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT, 90L);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, to);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
  return curl_easy_perform(easy);
}

}  // namespace perdure::e2e
