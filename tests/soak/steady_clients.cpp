#include "tests/soak/steady_clients.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <memory>
#include <utility>

namespace perdure::soak {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::minutes kPatience{2};

std::string text_at(const boost::json::value& value, std::string_view name) {
  const auto* const object = value.if_object();
  const auto* const found = object != nullptr ? object->if_contains(name) : nullptr;
  return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
}

}  // namespace

// One client: its connection, and how far it is with its run.
class SteadyClients::Lane {
 public:
  Lane(std::uint16_t port, const std::string& key, std::string name)
      : key_(key), name_(std::move(name)), socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) wrong_ = "no connection";
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~Lane() { ::close(socket_); }
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  [[nodiscard]] int socket() const { return socket_; }
  [[nodiscard]] const std::string& wrong() const { return wrong_; }
  [[nodiscard]] Clock::time_point asked_at() const { return asked_at_; }

  // Begins with the next run.
  void trigger() {
    expected_ = name_ + ":" + std::to_string(++count_);
    stage_ = Stage::kTriggered;
    ask("POST /api/v1/tasks/echo/trigger", R"({"payload":"\")" + expected_ + R"(\""})");
  }

  // Reads what has come. True when that was the last answer about a run, or something is wrong.
  bool proceed(Steadiness& result) {
    char buffer[16384];
    const ssize_t got = ::recv(socket_, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got <= 0) return fail("the connection ended");
    received_.append(buffer, static_cast<std::size_t>(got));
    const std::size_t head = received_.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    constexpr std::string_view kLength = "\r\ncontent-length: ";
    const std::size_t at = received_.find(kLength);
    if (at > head) return fail("an answer without content-length: " + received_);
    const std::size_t size = std::strtoul(received_.c_str() + at + kLength.size(), nullptr, 10);
    if (received_.size() < head + 4 + size) return false;
    if (received_.size() > head + 4 + size) return fail("more than one answer: " + received_);
    const bool good = received_.starts_with("HTTP/1.1 200 ");
    const bool stays = received_.find("\r\nconnection: close") == std::string::npos;
    const std::string body = received_.substr(head + 4);
    if (!good || !stays) return fail(received_);
    received_.clear();
    ++result.requests;
    if (stage_ != Stage::kAwaited) {
      result.slowest = std::max(result.slowest, std::chrono::ceil<std::chrono::milliseconds>(Clock::now() - asked_at_));
    }
    return take(body, result);
  }

 private:
  enum class Stage { kTriggered, kRetrieved, kAwaited };

  bool take(const std::string& body, Steadiness& result) {
    boost::system::error_code error;
    const boost::json::value json = boost::json::parse(body, error);
    if (error) return fail("no JSON: " + body);
    switch (stage_) {
      case Stage::kTriggered:
        run_ = text_at(json, "id");
        if (!run_.starts_with("run_")) return fail("no run: " + body);
        stage_ = Stage::kRetrieved;
        ask("GET /api/v3/runs/" + run_);
        return false;
      case Stage::kRetrieved:
        if (text_at(json, "id") != run_ || text_at(json, "payload") != expected_) return fail("another run: " + body);
        stage_ = Stage::kAwaited;
        ask("GET /perdure/v1/runs/" + run_ + "?wait=90s");
        return false;
      case Stage::kAwaited:
        if (text_at(json, "id") != run_ || text_at(json, "status") != "COMPLETED" ||
            text_at(json, "output") != expected_) {
          return fail("the run has not completed with its output: " + body);
        }
        result.runs.push_back(run_);
        return true;
    }
    return true;
  }

  void ask(const std::string& line, const std::string& body = {}) {
    std::string text = line + " HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer " + key_ + "\r\n";
    if (!body.empty()) {
      text += "content-type: application/json\r\ncontent-length: " + std::to_string(body.size()) + "\r\n";
    }
    text += "\r\n" + body;
    asked_at_ = Clock::now();
    if (::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) {
      (void)fail("a request was not taken");
    }
  }

  bool fail(std::string what) {
    if (wrong_.empty()) wrong_ = expected_ + " (" + run_ + "): " + std::move(what);
    return true;
  }

  const std::string& key_;
  const std::string name_;
  const int socket_;
  long count_ = 0;
  Stage stage_ = Stage::kTriggered;
  std::string expected_;
  std::string run_;
  std::string received_;
  std::string wrong_;
  Clock::time_point asked_at_{};
};

SteadyClients::SteadyClients(std::uint16_t port, std::string key, std::size_t connections)
    : port_(port), key_(std::move(key)), connections_(connections), thread_([this] { work(); }) {}

SteadyClients::~SteadyClients() {
  if (thread_.joinable()) (void)end();
}

void SteadyClients::work() {
  std::vector<std::unique_ptr<Lane>> lanes;
  std::vector<pollfd> sockets;
  for (std::size_t i = 0; i < connections_; ++i) {
    lanes.push_back(std::make_unique<Lane>(port_, key_, "client-" + std::to_string(i)));
    lanes.back()->trigger();
    sockets.push_back({lanes.back()->socket(), POLLIN, 0});
  }
  std::size_t open = lanes.size();
  while (open > 0) {
    ::poll(sockets.data(), static_cast<nfds_t>(sockets.size()), 1000);
    for (std::size_t i = 0; i < lanes.size(); ++i) {
      if (sockets[i].fd < 0) continue;
      Lane& lane = *lanes[i];
      bool over = sockets[i].revents != 0 && lane.proceed(result_);
      std::string wrong = lane.wrong();
      if (wrong.empty() && Clock::now() - lane.asked_at() > kPatience) wrong = "no answer";
      if (wrong.empty() && over && !ending_) {
        lane.trigger();
        wrong = lane.wrong();
        over = false;
      }
      if (!wrong.empty()) {
        result_.wrong.push_back(std::move(wrong));
        content_ = false;
      } else if (!over) {
        continue;
      }
      sockets[i].fd = -1;  // poll() passes over it
      --open;
    }
    requests_ = result_.requests;
  }
}

Steadiness SteadyClients::end() {
  ending_ = true;
  thread_.join();
  return std::move(result_);
}

}  // namespace perdure::soak
