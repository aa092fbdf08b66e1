#include "host/api/request_parser.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <optional>
#include <utility>

#include "host/api/content_coding.h"
#include "host/api/errors.h"
#include "host/api/gzip.h"
#include "host/api/target.h"

namespace perdure::api {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

constexpr std::size_t kLongestTarget = 8192;
constexpr std::size_t kMostHeaders = 100;

Method method_of(http::verb verb) {
  switch (verb) {
    case http::verb::get:
      return Method::kGet;
    case http::verb::head:
      return Method::kHead;
    case http::verb::post:
      return Method::kPost;
    case http::verb::put:
      return Method::kPut;
    case http::verb::delete_:
      return Method::kDelete;
    case http::verb::options:
      return Method::kOptions;
    default:
      return Method::kOther;
  }
}

std::string lower(string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

bool is_chunked(std::string_view coding) {
  return std::ranges::equal(coding, std::string_view("chunked"),
                            [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x + 32 : x) == y; });
}

// Why something is no request.
struct Fault {
  unsigned status;
  std::string sentence;
};

Fault fault_of(const error_code& error) {
  if (error == http::error::body_limit) return {413, "the body is too large"};
  if (error == http::error::header_limit) return {431, "the request's headers are too large"};
  if (error == http::error::bad_version) return {505, "only HTTP/1.1 and HTTP/1.0 are served here"};
  return {400, "this is not an HTTP/1.1 request: " + error.message()};
}

}  // namespace

// One request's parsing; made anew for each.
class Parsing final : public http::basic_parser<true> {
 public:
  Parsing(std::size_t head_limit, const RequestParser::BodyLimit& of_body) : limit_of_body(of_body) {
    header_limit(static_cast<std::uint32_t>(head_limit));
  }

  const RequestParser::BodyLimit& limit_of_body;
  std::size_t largest_body = 0;
  Request request;
  std::optional<Fault> fault;
  bool version_11 = true;
  bool chunked = false;
  bool expects_continue = false;
  bool discard = false;
  bool gzipped = false;
  std::unique_ptr<GzipReader> gzip;  // once there is something to decompress

 private:
  void refuse(unsigned status, std::string sentence, error_code& error) {
    fault = Fault{status, std::move(sentence)};
    error = http::error::bad_field;
  }

  void on_request_impl(http::verb verb, string_view, string_view target, int version, error_code& error) override {
    version_11 = version >= 11;
    request.method = method_of(verb);
    request.target.assign(target.data(), target.size());
    request.headers.reserve(8);
    if (target.size() > kLongestTarget) return refuse(414, "the request's target is too long", error);
    if (target.front() != '/') return refuse(400, "the request's target must be a path", error);
    if (!take_apart(request.target, request.path, request.query)) {
      return refuse(400, "the request's target has a broken percent escape", error);
    }
    largest_body = limit_of_body(request.path);
    body_limit(largest_body);
  }
  void on_response_impl(int, string_view, int, error_code&) override {}

  void on_field_impl(http::field field, string_view name, string_view value, error_code& error) override {
    if (is_header_done()) return;  // a trailer: nobody asked for it
    if (request.headers.size() == kMostHeaders) return refuse(431, "the request has too many headers", error);
    Field header{lower(name), std::string(value)};
    const bool again = request.header(header.name) != nullptr;
    if (field == http::field::host || field == http::field::authorization || field == http::field::content_type ||
        field == http::field::content_length) {
      if (again) return refuse(400, "the request has the header " + header.name + " twice", error);
    } else if (field == http::field::transfer_encoding) {
      if (again || !is_chunked(header.value)) {
        return refuse(501, "the only transfer coding understood is \"chunked\"", error);
      }
      chunked = true;
    } else if (field == http::field::expect) {
      if (lower(value) != "100-continue") return refuse(417, "the only expectation met is \"100-continue\"", error);
      expects_continue = true;
    }
    request.headers.push_back(std::move(header));
  }

  void on_header_impl(error_code& error) override {
    if (version_11 && request.header("host") == nullptr) return refuse(400, "the request has no Host header", error);
    if (!version_11 && chunked) return refuse(400, "HTTP/1.0 knows no transfer codings", error);
    if (!version_11) expects_continue = false;
    gzipped = content_coding_of(request) == ContentCoding::kGzip;
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) override {
    if (length && !discard) request.body.reserve(std::min<std::uint64_t>(*length, 1u << 20));
  }
  std::size_t on_body_impl(string_view body, error_code& error) override {
    if (discard) return body.size();
    if (gzipped) {
      decompress({body.data(), body.size()}, error);
    } else {
      request.body.append(body.data(), body.size());
    }
    return body.size();
  }
  // The limit is that of what comes out, so a small body that is endless inside gets no further than a large one.
  void decompress(std::string_view bytes, error_code& error) {
    if (!gzip) gzip = std::make_unique<GzipReader>();
    const GzipReader::Outcome outcome = gzip->feed(bytes, request.body, largest_body);
    if (outcome == GzipReader::Outcome::kTooLarge) refuse(413, "the body is too large once it is decompressed", error);
    if (outcome == GzipReader::Outcome::kDamaged) refuse(400, "the body is not the gzip that it is said to be", error);
  }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code& error) override {
    return on_body_impl(body, error);
  }
  void on_finish_impl(error_code& error) override {
    if (gzip && !gzip->complete()) refuse(400, "the body's gzip has no end", error);
  }
};

struct RequestParser::Impl {
  std::size_t head_limit;
  BodyLimit body_limit;
  std::optional<Parsing> parsing;
  bool told_done = false;   // of `parsing`, so that the next call begins anew
  std::size_t scanned = 0;  // of the head that is not yet complete
  Fault fault{400, {}};

  Progress fail(Fault why) {
    fault = std::move(why);
    return Progress::kFailed;
  }

  Progress feed_head(std::string_view& bytes);
};

RequestParser::RequestParser(std::size_t head_limit, BodyLimit of_body)
    : impl_(new Impl{.head_limit = head_limit, .body_limit = std::move(of_body), .parsing = {}}) {}
RequestParser::~RequestParser() = default;

// The head is given to Beast in one piece, so that what it does not check can be looked for first.
RequestParser::Progress RequestParser::Impl::feed_head(std::string_view& bytes) {
  for (; bytes.starts_with("\r\n"); scanned = 0) bytes.remove_prefix(2);  // stray line ends between requests
  const auto end = bytes.find("\r\n\r\n", scanned < 3 ? 0 : scanned - 3);
  if (end == std::string_view::npos) {
    scanned = bytes.size();
    if (scanned > head_limit)
      return fail({431, "the request's head is larger than " + std::to_string(head_limit) + " bytes"});
    return Progress::kMore;
  }
  const std::string_view head = bytes.substr(0, end + 4);
  scanned = 0;
  if (head.size() > head_limit) {
    return fail({431, "the request's head is larger than " + std::to_string(head_limit) + " bytes"});
  }
  for (auto line = head.find('\n'); line + 1 < head.size(); line = head.find('\n', line + 1)) {
    if (head[line + 1] == ' ' || head[line + 1] == '\t') return fail({400, "folded headers are not accepted"});
  }
  parsing.emplace(head_limit, body_limit);
  error_code error;
  const std::size_t taken = parsing->put(boost::asio::const_buffer(head.data(), head.size()), error);
  if (error) return fail(parsing->fault ? std::move(*parsing->fault) : fault_of(error));
  if (taken != head.size()) return fail({400, "the request's head ends before its headers do"});
  parsing->eager(true);
  bytes.remove_prefix(taken);
  return Progress::kHead;
}

RequestParser::Progress RequestParser::feed(std::string_view& bytes) {
  Impl& impl = *impl_;
  if (std::exchange(impl.told_done, false)) impl.parsing.reset();
  if (!impl.parsing) return impl.feed_head(bytes);
  Parsing& parsing = *impl.parsing;
  if (!parsing.is_done() && !bytes.empty()) {
    error_code error;
    const std::size_t taken = parsing.put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    bytes.remove_prefix(taken);
    if (error && error != http::error::need_more) {
      return impl.fail(parsing.fault ? std::move(*parsing.fault) : fault_of(error));
    }
  }
  if (!parsing.is_done()) return Progress::kMore;
  impl.told_done = true;
  return Progress::kDone;
}

bool RequestParser::begun() const { return impl_->parsing ? !impl_->told_done : impl_->scanned > 0; }
Request& RequestParser::request() { return impl_->parsing->request; }
const Request* RequestParser::head() const { return begun() && impl_->parsing ? &impl_->parsing->request : nullptr; }
bool RequestParser::has_body() const { return !impl_->parsing->is_done(); }
std::size_t RequestParser::content_length() const {
  return static_cast<std::size_t>(impl_->parsing->content_length().value_or(0));
}
std::size_t RequestParser::body_limit() const { return impl_->parsing->largest_body; }
bool RequestParser::expects_continue() const { return impl_->parsing->expects_continue; }
bool RequestParser::keep_alive() const { return impl_->parsing->keep_alive() && impl_->parsing->version_11; }
bool RequestParser::is_http_10() const { return !impl_->parsing->version_11; }
void RequestParser::discard_body() { impl_->parsing->discard = true; }
Response RequestParser::failure() const {
  Response response = error_response(impl_->fault.status, impl_->fault.sentence);
  response.close = true;
  return response;
}

}  // namespace perdure::api
