#include "tests/cli/fake_host.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace perdure::cli {

FakeHost::FakeHost() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

FakeHost::~FakeHost() {
  ::shutdown(listener_, SHUT_RDWR);  // ends accept()
  thread_.join();
  ::close(listener_);
}

void FakeHost::on(const std::string& request, std::vector<FakeAnswer> answers) {
  const std::lock_guard lock(mutex_);
  answers_[request] = {answers.begin(), answers.end()};
}

std::vector<FakeRequest> FakeHost::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void FakeHost::serve() {
  for (;;) {
    const int connection = ::accept(listener_, nullptr, nullptr);
    if (connection < 0) return;
    talk(connection);
    ::close(connection);
  }
}

// One request a connection: every answer says that it closes.
void FakeHost::talk(int connection) {
  std::string text;
  const auto read_more = [&] {
    char buffer[4096];
    const ssize_t got = ::read(connection, buffer, sizeof buffer);
    if (got > 0) text.append(buffer, static_cast<std::size_t>(got));
    return got > 0;
  };
  while (text.find("\r\n\r\n") == std::string::npos) {
    if (!read_more()) return;
  }
  const auto head_end = text.find("\r\n\r\n");
  FakeRequest request;
  std::string_view head = std::string_view(text).substr(0, head_end);
  const std::string_view first = head.substr(0, head.find("\r\n"));
  request.method = first.substr(0, first.find(' '));
  request.target = first.substr(request.method.size() + 1, first.rfind(' ') - request.method.size() - 1);
  for (auto end = head.find("\r\n"); end != std::string_view::npos; end = head.find("\r\n")) {
    head.remove_prefix(end + 2);
    const std::string_view line = head.substr(0, head.find("\r\n"));
    const auto colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    std::string name(line.substr(0, colon));
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    request.headers[name] = line.substr(colon + 2);
  }
  const auto length = static_cast<std::size_t>(std::atol(request.headers["content-length"].c_str()));
  while (text.size() < head_end + 4 + length) {
    if (!read_more()) return;
  }
  request.body = text.substr(head_end + 4, length);

  const FakeAnswer answer = answer_to(request);
  const std::size_t promised = answer.body.size() + (answer.breaks_off ? 10 : 0);
  const std::string out = "HTTP/1.1 " + std::to_string(answer.status) +
                          " X\r\ncontent-length: " + std::to_string(promised) + "\r\nconnection: close\r\n\r\n" +
                          answer.body;
  for (std::size_t sent = 0; sent < out.size();) {
    const ssize_t wrote = ::send(connection, out.data() + sent, out.size() - sent, MSG_NOSIGNAL);
    if (wrote <= 0) return;
    sent += static_cast<std::size_t>(wrote);
  }
}

FakeAnswer FakeHost::answer_to(const FakeRequest& request) {
  const std::lock_guard lock(mutex_);
  requests_.push_back(request);
  const auto found = answers_.find(request.method + " " + request.target);
  if (found == answers_.end()) {
    return {.status = 404, .body = R"({"error":"no answer for )" + request.method + " " + request.target + R"("})"};
  }
  const FakeAnswer answer = found->second.front();
  if (found->second.size() > 1) found->second.pop_front();
  return answer;
}

}  // namespace perdure::cli
