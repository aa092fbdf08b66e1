#include "tests/api/http_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <cctype>
#include <cstdlib>

namespace perdure::api {

boost::json::value Answer::json() const {
  boost::system::error_code failed;
  boost::json::value value = boost::json::parse(body, failed);
  return failed ? boost::json::value() : value;
}

std::string Answer::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

std::string Answer::error() const {
  const boost::json::value value = json();
  if (!value.is_object() || !value.as_object().contains("error")) return "(no error) " + body;
  return std::string(value.at("error").as_string());
}

HttpConnection::HttpConnection(std::uint16_t port, int receive_buffer)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const timeval patience{10, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (receive_buffer > 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) std::abort();
}

HttpConnection::~HttpConnection() { ::close(socket_); }

void HttpConnection::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the server has had enough; its answer may still be there to read
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void HttpConnection::half_close() const { ::shutdown(socket_, SHUT_WR); }

bool HttpConnection::receive() {
  char buffer[16384];
  const ssize_t got = ::recv(socket_, buffer, sizeof buffer, 0);
  if (got > 0) received_.append(buffer, static_cast<std::size_t>(got));
  return got > 0;
}

Answer HttpConnection::read(bool of_head) {
  Answer answer;
  std::size_t head = 0;
  while ((head = received_.find("\r\n\r\n")) == std::string::npos) {
    if (!receive()) return answer;
  }
  answer.status = std::atoi(received_.c_str() + received_.find(' ') + 1);
  for (std::size_t at = received_.find("\r\n"); at < head;) {
    const std::size_t end = received_.find("\r\n", at + 2);
    const std::string line = received_.substr(at + 2, end - at - 2);
    const std::size_t colon = line.find(':');
    std::string name = line.substr(0, colon);
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    answer.headers[name] = line.substr(colon + 2);
    at = end;
  }
  received_.erase(0, head + 4);
  if (answer.headers.contains("content-length") && !of_head) {
    const auto size = std::strtoul(answer.headers["content-length"].c_str(), nullptr, 10);
    while (received_.size() < size && receive()) {
    }
    answer.body = received_.substr(0, size);
    received_.erase(0, size);
  } else if (answer.headers.contains("transfer-encoding")) {
    for (;;) {
      std::size_t line = 0;
      while ((line = received_.find("\r\n")) == std::string::npos) {
        if (!receive()) return answer;
      }
      const auto size = std::strtoul(received_.c_str(), nullptr, 16);
      while (received_.size() < line + 4 + size && receive()) {
      }
      answer.body += received_.substr(line + 2, size);
      received_.erase(0, line + 4 + size);
      if (size == 0) break;
    }
  }
  return answer;
}

std::string HttpConnection::read_until(std::string_view bytes) {
  std::size_t at = 0;
  std::size_t searched = 0;
  while ((at = received_.find(bytes, searched)) == std::string::npos) {
    searched = received_.size() - std::min(received_.size(), bytes.size() - 1);
    if (!receive()) return {};
  }
  std::string read = received_.substr(0, at + bytes.size());
  received_.erase(0, at + bytes.size());
  return read;
}

std::size_t HttpConnection::skip(std::size_t most) const {
  std::string bytes(most, '\0');
  const ssize_t got = ::recv(socket_, bytes.data(), most, 0);
  return got > 0 ? static_cast<std::size_t>(got) : 0;
}

bool HttpConnection::is_reset() const {
  pollfd nothing{socket_, 0, 0};
  return ::poll(&nothing, 1, 0) == 1 && (nothing.revents & POLLERR) != 0;
}

bool HttpConnection::closed() {
  if (!received_.empty()) return false;
  char byte = 0;
  return ::recv(socket_, &byte, 1, 0) == 0;
}

std::string request_text(std::string_view method, std::string_view target, std::string_view body,
                         std::string_view more_headers) {
  std::string text;
  text.append(method).append(" ").append(target).append(" HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ");
  text.append(kTestKey).append("\r\n").append(more_headers);
  if ((method == "POST" || method == "PUT") && more_headers.find("transfer-encoding") == std::string_view::npos) {
    if (more_headers.find("content-type") == std::string_view::npos) text.append("content-type: application/json\r\n");
    text.append("content-length: ").append(std::to_string(body.size())).append("\r\n");
  }
  return text.append("\r\n").append(body);
}

}  // namespace perdure::api
