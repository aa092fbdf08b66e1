// Ten thousand clients that follow runs and hear nothing: what they cost the host, and that each hears what is its own.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "tests/e2e/host_process.h"

namespace perdure::e2e {
namespace {

constexpr std::size_t kSubscriptions = 10'000;
constexpr std::size_t kRuns = 100;
constexpr std::size_t kMostBytesEach = 16u << 10;  // of the host's memory

// Descriptors that this process may have.
std::size_t raise_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

std::size_t private_bytes(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with("RssAnon:")) return std::stoul(line.substr(8)) * 1024;
  }
  return 0;
}

std::uint16_t port_of(const std::string& url) {
  return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
}

class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~Client() { ::close(socket_); }
  Client(Client&& other) noexcept : socket_(std::exchange(other.socket_, -1)), connected_(other.connected_) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  Client& operator=(Client&&) = delete;

  [[nodiscard]] bool send(const std::string& text) const {
    return connected_ && ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }
  // What has come by now, or comes within a minute when `wait` is set.
  [[nodiscard]] std::string receive(bool wait) const {
    pollfd waiting{socket_, POLLIN, 0};
    if (::poll(&waiting, 1, wait ? 60'000 : 0) != 1) return {};
    std::string text(16u << 10, '\0');
    const ssize_t got = ::recv(socket_, text.data(), text.size(), 0);
    return text.substr(0, got > 0 ? static_cast<std::size_t>(got) : 0);
  }

 private:
  int socket_;
  bool connected_ = false;
};

std::string header_of(const std::string& answer, const std::string& name) {
  const auto at = answer.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  const auto begin = at + name.size() + 4;
  return answer.substr(begin, answer.find("\r\n", begin) - begin);
}

TEST(Subscriptions, TenThousandIdleOnesFitIntoMemoryAndEachHearsOfItsOwnRun) {
  if (raise_descriptors() < kSubscriptions + 1000) GTEST_SKIP() << "this process may not have so many descriptors";
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  std::vector<std::string> runs;
  for (std::size_t i = 0; i < kRuns; ++i) runs.push_back(trigger(http, "echo", "1", {{"delay", "1h"}}));
  const std::uint16_t port = port_of(host.url());
  const auto request = [&](const std::string& run, const std::string& rest) {
    return "GET /realtime/v1/runs/" + run + "?log=full&" + rest + " HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\n" +
           "authorization: Bearer " + host.key() + "\r\ntrigger-version: 4.8.3\r\nuser-agent: node\r\n" +
           "x-trigger-electric-version: 1.0.0-beta.1\r\nx-trigger-api-version: 2025-07-16\r\n\r\n";
  };
  std::vector<std::string> requests;
  {
    const Client first(port);
    for (const std::string& run : runs) {
      ASSERT_TRUE(first.send(request(run, "offset=-1")));
      const std::string answer = first.receive(true);
      requests.push_back(request(run, "live=true&cursor=0&handle=" + header_of(answer, "electric-handle") +
                                          "&offset=" + header_of(answer, "electric-offset")));
    }
  }
  const std::size_t before = private_bytes(host.pid());
  std::vector<Client> clients;
  clients.reserve(kSubscriptions);
  for (std::size_t i = 0; i < kSubscriptions; ++i) {
    clients.emplace_back(port);
    ASSERT_TRUE(clients.back().send(requests[i % kRuns])) << i;
  }
  ASSERT_EQ(http.post("/api/v2/runs/" + runs[7] + "/cancel", "").status, 200);
  for (std::size_t i = 0; i < kSubscriptions; ++i) {
    const std::string news = clients[i].receive(i % kRuns == 7);
    if (i % kRuns == 7) {
      EXPECT_NE(news.find("\"CANCELED\""), std::string::npos) << news;
    } else {
      EXPECT_EQ(news.find("\"operation\""), std::string::npos) << news;
    }
  }
  // Connections are taken in the order in which they came, and one of the last was answered.
  const std::size_t each = (private_bytes(host.pid()) - before) / kSubscriptions;
  RecordProperty("bytes_each", static_cast<int>(each));
  std::printf("a subscription that waits takes %zu bytes of the host\n", each);
#if !defined(PERDURE_SANITIZE_ADDRESS_UNDEFINED) && !defined(PERDURE_SANITIZE_THREAD)
  EXPECT_LE(each, kMostBytesEach);
#endif
  EXPECT_EQ(http.get("/perdure/v1/status").status, 200);
}

}  // namespace
}  // namespace perdure::e2e
