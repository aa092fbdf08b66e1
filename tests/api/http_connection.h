// A client's connection, byte by byte: sends what it is told, however wrong, and reads answers one after another.
// Nothing waits longer than ten seconds. Single-threaded.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace perdure::api {

struct Answer {
  int status = 0;                              // 0: the connection ended instead
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;                            // of a stream: all its pieces

  [[nodiscard]] boost::json::value json() const;
  /// The header's value; empty when there is none.
  [[nodiscard]] std::string header(const std::string& name) const;
  /// json()["error"].
  [[nodiscard]] std::string error() const;
};

class HttpConnection {
 public:
  explicit HttpConnection(std::uint16_t port, int receive_buffer = 0);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  void send(std::string_view bytes) const;
  void half_close() const;
  Answer read(bool of_head = false);
  /// Reads what has come until `bytes` has, of a stream.
  std::string read_until(std::string_view bytes);
  /// Takes up to so many bytes, of no interest; how many.
  [[nodiscard]] std::size_t skip(std::size_t most) const;
  /// Whether the server has reset the connection, whatever there is to read.
  [[nodiscard]] bool is_reset() const;
  /// Whether the server closes, with nothing more to read.
  bool closed();

 private:
  bool receive();

  int socket_;
  std::string received_;
};

/// The text of a request with the usual headers.
std::string request_text(std::string_view method, std::string_view target, std::string_view body = {},
                         std::string_view more_headers = {});

inline constexpr std::string_view kTestKey = "tr_prod_0123456789abcdef0123456789abcdef";

}  // namespace perdure::api
