#include "host/api/server.h"

#include <atomic>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <charconv>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "host/api/api.h"
#include "host/api/router.h"
#include "host/api/worker.h"

namespace perdure::api {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// "127.0.0.1:3030" or "[::1]:3030".
std::optional<tcp::endpoint> parse_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host == "localhost") host = "127.0.0.1";
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (failed != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  error_code error;
  const asio::ip::address address = asio::ip::make_address(std::string(host), error);
  if (error) return std::nullopt;
  return tcp::endpoint(address, port);
}

class ServerImpl final : public Server {
 public:
  ServerImpl(ApiOptions options, std::unique_ptr<auth::KeyRing> keys, engine::Engine& engine)
      : options_(std::move(options)),
        keys_(std::move(keys)),
        sets_(engine),
        api_{engine, options_, *keys_, sets_, packets_, wall_clock()},
        router_(api_) {
    for (std::size_t i = 0; i < options_.threads; ++i) {
      workers_.push_back(std::make_shared<Worker>(router_, options_.limits, connections_));
    }
    acceptor_.emplace(workers_[0]->context());
    pause_.emplace(workers_[0]->context());
  }
  ~ServerImpl() override { stop(); }

  store::Status listen(const tcp::endpoint& endpoint) {
    error_code error;
    acceptor_->open(endpoint.protocol(), error);
    if (!error) acceptor_->set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_->bind(endpoint, error);
    if (!error) acceptor_->listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      const std::string what = "cannot listen on " + options_.listen + ": " + error.message();
      if (error == asio::error::address_in_use) {
        return store::Status::unavailable(what + "; end what listens there, or choose another port");
      }
      return store::Status::io(what);
    }
    port_ = acceptor_->local_endpoint().port();
    accept();
    for (const std::shared_ptr<Worker>& worker : workers_) worker->start();
    return store::Status::ok();
  }

  void stop() override {
    std::lock_guard lock(stop_lock_);
    if (std::exchange(stopped_, true)) return;
    asio::post(workers_[0]->context(), [this] {
      error_code ignored;
      if (acceptor_->is_open()) accept_waiting();
      acceptor_->close(ignored);
      pause_->cancel();
      for (const std::shared_ptr<Worker>& worker : workers_) worker->begin_stop();
    });
    for (const std::shared_ptr<Worker>& worker : workers_) worker->join();
    acceptor_.reset();
    pause_.reset();
  }

  [[nodiscard]] std::uint16_t port() const override { return port_; }

 private:
  void hand_over(tcp::socket socket) {
    const bool beyond_limit = ++connections_ > options_.limits.connections;
    workers_[next_]->adopt(std::move(socket), beyond_limit);
    next_ = (next_ + 1) % workers_.size();
  }

  // Those who have connected by now, though nobody has looked.
  void accept_waiting() {
    error_code error;
    acceptor_->non_blocking(true, error);
    while (!error) {
      tcp::socket socket(workers_[next_]->context());
      acceptor_->accept(socket, error);
      if (!error) hand_over(std::move(socket));
    }
  }

  void accept() {
    acceptor_->async_accept(workers_[next_]->context(), [this](const error_code& error, tcp::socket socket) {
      if (error == asio::error::operation_aborted || !acceptor_->is_open()) return;
      if (error) {  // no descriptors left, most likely: some may be free again soon
        pause_->expires_after(std::chrono::milliseconds(100));
        pause_->async_wait([this](const error_code& cancelled) {
          if (!cancelled) accept();
        });
        return;
      }
      hand_over(std::move(socket));
      accept();
    });
  }

  const ApiOptions options_;
  const std::unique_ptr<auth::KeyRing> keys_;
  RunSets sets_;
  Packets packets_;
  Api api_;
  const Router router_;
  std::atomic<std::size_t> connections_{0};
  std::vector<std::shared_ptr<Worker>> workers_;
  std::optional<tcp::acceptor> acceptor_;
  std::optional<asio::steady_timer> pause_;  // before accepting again
  std::size_t next_ = 0;
  std::uint16_t port_ = 0;
  std::mutex stop_lock_;
  bool stopped_ = false;
};

}  // namespace

store::Time wall_clock() { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }

store::Result<std::unique_ptr<Server>> Server::start(ApiOptions options, engine::Engine& engine) {
  const std::optional<tcp::endpoint> endpoint = parse_endpoint(options.listen);
  if (!endpoint) {
    return store::Status::invalid("cannot listen on \"" + options.listen +
                                  "\": expected ADDRESS:PORT, such as 127.0.0.1:3030 or [::1]:3030");
  }
  if (options.key.empty()) return store::Status::invalid("the HTTP server needs an API key");
  if (options.threads == 0) options.threads = 1;
  auto keys = auth::KeyRing::open(options.key, {options.keys_file, options.secret_file});
  if (!keys) return keys.status();
  auto server = std::make_unique<ServerImpl>(std::move(options), std::move(keys).value(), engine);
  if (store::Status status = server->listen(*endpoint); !status) return status;
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace perdure::api
