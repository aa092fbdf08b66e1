#include "tests/bench/http_client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <vector>

#include "tests/bench/clock.h"
#include "tests/bench/process.h"

namespace perdure::bench {
namespace {

int connect_to(unsigned short port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    close(fd);
    return -1;
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

struct Cut {
  int status;
  std::size_t body;  // where it starts
  std::size_t end;   // of the answer
};

// The first answer in `text`, when all of it is there.
std::optional<Cut> first_answer(std::string_view text) {
  const auto head = text.find("\r\n\r\n");
  if (head == std::string_view::npos) return std::nullopt;
  std::size_t length = 0;
  bool has_length = false;
  for (std::size_t at = text.find("\r\n"); at < head; at = text.find("\r\n", at + 2)) {
    constexpr std::string_view kName = "content-length:";
    const std::string_view line = text.substr(at + 2);
    if (line.size() > kName.size() && strncasecmp(line.data(), kName.data(), kName.size()) == 0) {
      length = std::strtoul(line.data() + kName.size(), nullptr, 10);
      has_length = true;
    }
  }
  if (!has_length) {
    std::fprintf(stderr, "perdure-bench: an answer without content-length:\n%.*s\n", static_cast<int>(head),
                 text.data());
    std::exit(1);
  }
  const std::size_t end = head + 4 + length;
  if (text.size() < end) return std::nullopt;
  const auto space = text.find(' ');
  return Cut{std::atoi(text.data() + space + 1), head + 4, end};
}

[[noreturn]] void refused(int status, std::string_view body) {
  std::fprintf(stderr, "perdure-bench: the server answered %d: %.*s\n", status,
               static_cast<int>(std::min<std::size_t>(body.size(), 500)), body.data());
  std::exit(1);
}

// One connection under load.
struct Lane {
  int fd = -1;
  int under_way = 0;
  std::string out;
  std::string in;
  std::string next;  // empty: as the others
  bool wants_write = false;
};

}  // namespace

std::string request_text(std::string_view method, std::string_view target, std::string_view key,
                         std::string_view body) {
  std::string text;
  text.append(method).append(" ").append(target).append(" HTTP/1.1\r\nhost: 127.0.0.1\r\n");
  if (!key.empty()) text.append("authorization: Bearer ").append(key).append("\r\n");
  if (!body.empty()) {
    text.append("content-type: application/json\r\ncontent-length: ")
        .append(std::to_string(body.size()))
        .append("\r\n");
  }
  return text.append("\r\n").append(body);
}

Connection::Connection(unsigned short port) : fd_(connect_to(port)) {
  const timeval patience{60, 0};
  if (fd_ >= 0) setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

Connection::~Connection() {
  if (fd_ >= 0) close(fd_);
}

Answer Connection::ask(const std::string& request) {
  if (send(fd_, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
    die("sending a request");
  for (;;) {
    if (const auto cut = first_answer(received_)) {
      Answer answer{cut->status, received_.substr(cut->body, cut->end - cut->body)};
      received_.erase(0, cut->end);
      return answer;
    }
    char buffer[16384];
    const ssize_t got = recv(fd_, buffer, sizeof buffer, 0);
    if (got <= 0) die("reading an answer");
    received_.append(buffer, static_cast<std::size_t>(got));
  }
}

LoadResult press(unsigned short port, const std::string& request, const Load& load) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  std::vector<Lane> lanes(static_cast<std::size_t>(load.connections));
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    lanes[i].fd = connect_to(port);
    if (lanes[i].fd < 0) die("connecting to the server");
    epoll_event event{EPOLLIN, {}};
    event.data.u64 = i;
    epoll_ctl(epoll, EPOLL_CTL_ADD, lanes[i].fd, &event);
  }
  LoadResult result;
  result.started = std::chrono::steady_clock::now();
  long sent = 0;
  const auto more = [&] { return sent < load.requests && seconds_since(result.started) < load.seconds; };
  const auto flush = [&](std::size_t index) {
    Lane& lane = lanes[index];
    const ssize_t written = send(lane.fd, lane.out.data(), lane.out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written < 0 && errno != EAGAIN) die("sending requests");
    if (written > 0) lane.out.erase(0, static_cast<std::size_t>(written));
    if (lane.out.empty() == lane.wants_write) {
      lane.wants_write = !lane.out.empty();
      epoll_event event{lane.wants_write ? EPOLLIN | EPOLLOUT : EPOLLIN, {}};
      event.data.u64 = index;
      epoll_ctl(epoll, EPOLL_CTL_MOD, lane.fd, &event);
    }
  };
  const auto fill = [&](std::size_t index) {
    Lane& lane = lanes[index];
    while (lane.under_way < load.depth && more()) {
      lane.out += lane.next.empty() ? request : lane.next;
      ++lane.under_way;
      ++sent;
    }
    if (!lane.out.empty()) flush(index);
  };
  for (std::size_t i = 0; i < lanes.size(); ++i) fill(i);
  while (result.answers < sent) {
    epoll_event events[64];
    const int count = epoll_wait(epoll, events, 64, 60000);
    if (count == 0) {
      errno = ETIMEDOUT;
      die("waiting for answers");
    }
    for (int e = 0; e < count; ++e) {
      const auto index = static_cast<std::size_t>(events[e].data.u64);
      Lane& lane = lanes[index];
      char buffer[65536];
      const ssize_t got = recv(lane.fd, buffer, sizeof buffer, MSG_DONTWAIT);
      if (got == 0 || (got < 0 && errno != EAGAIN)) die("reading answers");
      if (got > 0) lane.in.append(buffer, static_cast<std::size_t>(got));
      std::size_t at = 0;
      while (const auto cut = first_answer(std::string_view(lane.in).substr(at))) {
        const std::string_view body = std::string_view(lane.in).substr(at + cut->body, cut->end - cut->body);
        if (cut->status != 200) refused(cut->status, body);
        result.last_body = body;
        if (load.next) lane.next = load.next(body);
        at += cut->end;
        --lane.under_way;
        ++result.answers;
      }
      lane.in.erase(0, at);
      fill(index);
    }
  }
  result.seconds = seconds_since(result.started);
  for (const Lane& lane : lanes) close(lane.fd);
  close(epoll);
  return result;
}

}  // namespace perdure::bench
