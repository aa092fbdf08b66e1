// The least HTTP client a test needs, over libcurl: one request, one answer. Single-threaded per object.
#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <memory>
#include <string>

namespace perdure::e2e {

struct Answer {
  int status = 0;  // 0: no answer, `body` says why
  std::string body;
  /// The body as JSON; null where it is none.
  [[nodiscard]] boost::json::value json() const;
};

class Http {
 public:
  /// `base`: http://127.0.0.1:PORT; `key`: sent as a bearer key.
  Http(std::string base, std::string key);
  ~Http();
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;

  Answer get(const std::string& target);
  Answer post(const std::string& target, const std::string& body);
  /// The same with lines of JSON as its body.
  Answer post_lines(const std::string& target, const std::string& lines);
  /// Gives every line of an answer that goes on and on to `seen` as it comes, until that says true, or false at the
  /// answer's end, or after 90 seconds.
  bool follow(const std::string& target, const std::function<bool(const std::string& line)>& seen);

 private:
  using Receive = std::size_t (*)(char* data, std::size_t one, std::size_t size, void* to);
  int perform(const std::string& target, Receive receive, void* to);
  Answer ask(const std::string& target, const std::string* body);
  struct Handle;
  std::unique_ptr<Handle> handle_;
  std::string base_, key_;
};

}  // namespace perdure::e2e
