#include "tests/plugin-api/canned_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <utility>

namespace perdure::test {

CannedServer::CannedServer(std::vector<std::string> answers)
    : answers_(std::move(answers)),
      listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      asked_(eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(bind(listener_, reinterpret_cast<const sockaddr*>(&address), size), 0);
  EXPECT_EQ(listen(listener_, 8), 0);
  EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

CannedServer::~CannedServer() {
  shutdown(listener_, SHUT_RDWR);
  if (thread_.joinable()) thread_.join();
  close(listener_);
  close(asked_);
}

const std::vector<std::string>& CannedServer::requests() {
  if (thread_.joinable()) thread_.join();
  return requests_;
}

int CannedServer::connections() {
  if (thread_.joinable()) thread_.join();
  return accepted_;
}

void CannedServer::await_request() {
  std::uint64_t count = 0;
  EXPECT_EQ(read(asked_, &count, sizeof count), static_cast<ssize_t>(sizeof count));
}

std::string CannedServer::read_request(int connection) const {
  std::string text;
  char buffer[4096];
  for (;;) {
    const auto end = text.find("\r\n\r\n");
    if (end != std::string::npos) {
      const char* const length = strcasestr(text.c_str(), "content-length:");
      const std::size_t body = length != nullptr ? static_cast<std::size_t>(std::atol(length + 15)) : 0;
      if (text.size() >= end + 4 + body) return text;
    }
    const ssize_t n = read(connection, buffer, sizeof buffer);
    if (n <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(n));
  }
}

// On the connection that is open, or on the next one.
bool CannedServer::next_request(int& connection) {
  for (;;) {
    if (connection < 0) {
      connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) return false;
      ++accepted_;
    }
    std::string request = read_request(connection);
    if (!request.empty()) {
      requests_.push_back(std::move(request));
      return true;
    }
    close(connection);
    connection = -1;
  }
}

void CannedServer::serve() {
  int connection = -1;
  for (const std::string& text : answers_) {
    if (!next_request(connection)) return;
    const std::uint64_t one = 1;
    EXPECT_EQ(write(asked_, &one, sizeof one), static_cast<ssize_t>(sizeof one));
    // The other side may leave before all is written.
    for (std::size_t sent = 0; sent < text.size();) {
      const ssize_t n = send(connection, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) break;
      sent += static_cast<std::size_t>(n);
    }
    if (text.empty()) {
      char byte;
      while (read(connection, &byte, 1) > 0) {
      }
    }
    if (text.empty() || text.find("Connection: close") != std::string::npos) close(std::exchange(connection, -1));
  }
  if (connection >= 0) close(connection);
}

std::string answer(int status, const std::string& headers, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) + " Canned\r\n" + headers +
         "Connection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace perdure::test
