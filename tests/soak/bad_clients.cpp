#include "tests/soak/bad_clients.h"

#include <algorithm>
#include <functional>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

#include "tests/soak/peer.h"

namespace perdure::soak {
namespace {

constexpr int kPipelined = 1000;
constexpr milliseconds kPause{100};   // between two bytes
constexpr milliseconds kBetween{50};  // two of a kind, which are to disturb and not to use the machine up
// The host's limits, as its README has them, and what a busy machine may add.
constexpr milliseconds kSlack{60'000};
constexpr milliseconds kHeadTime{10'000};
constexpr milliseconds kBodyTime{30'000};
constexpr milliseconds kWriteTime{30'000};

const std::string kStopped = "stopped";
const std::string kTurnedAway = "turned away";

std::string request(const std::string& method, const std::string& target, const std::string& key,
                    const std::string& more = {}, const std::string& body = {}) {
  return method + " " + target + " HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer " + key +
         "\r\ncontent-type: application/json\r\n" + more + "\r\n" + body;
}

// The answer is this one, and the connection ends after it; or there was no place.
std::string expect_last(Peer& peer, int expected) {
  const int status = peer.read();
  if (status == 503) return kTurnedAway;
  if (status != expected) return "answered " + std::to_string(status) + " " + peer.body();
  return peer.ends(kSlack) ? "" : "not closed after its last answer";
}

// Sends a byte now and then until the host says something.
std::string drip(Peer& peer, const std::string& text, milliseconds limit, const std::atomic<bool>& ending) {
  const Clock::time_point until = Clock::now() + limit + kSlack;
  for (std::size_t at = 0; Clock::now() < until; ++at) {
    if (ending) return kStopped;
    if (peer.readable(kPause)) return expect_last(peer, 408);
    peer.send(at < text.size() ? text.substr(at, 1) : "x");
  }
  return "not cut off in time";
}

// Takes nothing, or a byte now and then, until the host has enough.
std::string take_little(Peer& peer, bool some, const std::atomic<bool>& ending) {
  const int status = peer.look();
  if (status == 503) return kTurnedAway;
  if (status != 200) return "answered " + std::to_string(status);
  const Clock::time_point until = Clock::now() + kWriteTime + kSlack;
  while (Clock::now() < until) {
    if (ending) return kStopped;
    if (peer.is_reset(kPause)) return "";
    if (some) peer.take_byte();
  }
  return "not cut off in time";
}

std::string read_in_order(Peer& peer) {
  for (int i = 0; i < kPipelined; ++i) {
    const int status = peer.read();
    if (status == 503 && i == 0) return kTurnedAway;
    if (status != 200) return "pipelined request " + std::to_string(i) + " was answered " + std::to_string(status);
  }
  return "";
}

std::string send_endless_body(Peer& peer, const std::string& key) {
  peer.send(request("POST", "/api/v1/tasks/echo/trigger", key, "transfer-encoding: chunked\r\n"));
  const std::string chunk = "10000\r\n" + std::string(0x10000, ' ') + "\r\n";
  for (int i = 0; i < 256; ++i) {
    if (peer.readable(milliseconds(0)) || !peer.send(chunk)) return expect_last(peer, 413);
  }
  return "16 MiB of a body were taken";
}

std::string send_malformed(std::uint16_t port) {
  const std::vector<std::string> texts{
      "NONSENSE\r\n\r\n",
      "GET /healthz\r\n\r\n",
      "GET http://127.0.0.1/healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
      std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 15),
      "POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n0\r\n\r\n",
      "GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: a\r\n folded\r\n\r\n"};
  for (const std::string& text : texts) {
    Peer peer(port);
    peer.send(text);
    if (std::string wrong = expect_last(peer, 400); !wrong.empty()) return wrong;
  }
  return "";
}

std::string half_close(std::uint16_t port) {
  Peer whole(port);
  whole.send("GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
  whole.half_close();
  if (std::string wrong = expect_last(whole, 200); !wrong.empty()) return wrong;
  Peer half(port);
  half.send("GET /heal");
  half.half_close();
  return half.ends(kSlack) ? "" : "not closed though no request can come any more";
}

// Keeps so many connections open that do nothing. Each is closed by the host within the time of a head.
std::string crowd(std::uint16_t port, std::size_t size, const std::atomic<bool>& ending) {
  struct Idle {
    std::unique_ptr<Peer> peer;
    Clock::time_point since;
  };
  std::list<Idle> all;
  const Clock::time_point until = Clock::now() + kHeadTime + kHeadTime;
  while (Clock::now() < until && !ending) {
    while (all.size() < size) {
      all.push_back({std::make_unique<Peer>(port), Clock::now()});
      if (!all.back().peer->connected()) return "nobody accepts connections";
    }
    const auto late = Clock::now() - kHeadTime - kSlack;
    std::erase_if(all, [](const Idle& idle) { return idle.peer->ends(milliseconds(1)); });
    if (std::ranges::any_of(all, [&](const Idle& idle) { return idle.since < late; })) {
      return "an idle connection was not closed in time";
    }
  }
  return ending ? kStopped : "";
}

}  // namespace

struct BadClients::Kind {
  std::mutex mutex;
  Treatment so_far;  // by mutex
  std::thread thread;
};

BadClients::BadClients(std::uint16_t port, const std::string& key, const std::string& large_run, std::size_t idle) {
  using Act = std::function<std::string()>;
  const auto& ending = ending_;
  const std::string large = request("GET", "/api/v3/runs/" + large_run, key);
  const std::string target = "/api/v1/tasks/echo/trigger";
  const auto many = [](const std::string& text, int count) {
    std::string all;
    for (int i = 0; i < count; ++i) all += text;
    return all;
  };
  const std::vector<std::pair<std::string, Act>> acts{
      {"a head byte by byte",
       [=, &ending] {
         Peer peer(port);
         return drip(peer, "GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ", kHeadTime, ending);
       }},
      {"a body byte by byte",
       [=, &ending] {
         Peer peer(port);
         peer.send(request("POST", target, key, "content-length: 60000\r\n"));
         return drip(peer, "", kBodyTime, ending);
       }},
      {"an answer read byte by byte",
       [=, &ending] {
         Peer peer(port, true);
         peer.send(many(large, 8));
         return take_little(peer, true, ending);
       }},
      {"a thousand requests, no answer read",
       [=, &ending] {
         Peer peer(port, true);
         peer.send(many(large, kPipelined), milliseconds(100));
         return take_little(peer, false, ending);
       }},
      {"a thousand requests at once",
       [=] {
         Peer peer(port);
         peer.send(many("GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n", kPipelined));
         return read_in_order(peer);
       }},
      {"too large a head",
       [=] {
         Peer peer(port);
         peer.send("GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nx: " + std::string(20'000, 'x') + "\r\n\r\n");
         return expect_last(peer, 431);
       }},
      {"too large a body, as it says",
       [=] {
         Peer peer(port);
         peer.send(request("POST", target, key, "content-length: 9000000\r\n", std::string(100'000, ' ')));
         return expect_last(peer, 413);
       }},
      {"too large a body, without saying so",
       [=] {
         Peer peer(port);
         return send_endless_body(peer, key);
       }},
      {"no HTTP", [=] { return send_malformed(port); }},
      {"half a connection", [=] { return half_close(port); }},
      {"idle connections up to the limit", [=, &ending] { return crowd(port, idle, ending); }},
  };
  for (const auto& [name, act] : acts) {
    kinds_.push_back(std::make_unique<Kind>());
    Kind& kind = *kinds_.back();
    kind.so_far.kind = name;
    kind.thread = std::thread([this, &kind, does = act] {
      while (!pause()) {
        const Clock::time_point begin = Clock::now();
        std::string outcome = does();
        const auto took = std::chrono::ceil<milliseconds>(Clock::now() - begin);
        const std::lock_guard lock(kind.mutex);
        if (outcome == kStopped) continue;
        if (outcome == kTurnedAway) {
          ++kind.so_far.turned_away;
        } else if (outcome.empty()) {
          ++kind.so_far.as_expected;
          kind.so_far.longest = std::max(kind.so_far.longest, took);
        } else {
          kind.so_far.wrong.push_back(std::move(outcome));
        }
      }
    });
  }
}

// Between two of a kind. Whether they are to end.
bool BadClients::pause() {
  std::unique_lock lock(mutex_);
  return ended_.wait_for(lock, kBetween, [this] { return ending_.load(); });
}

BadClients::~BadClients() { (void)end(); }

bool BadClients::all_done() const {
  return std::ranges::all_of(kinds_, [](const std::unique_ptr<Kind>& kind) {
    const std::lock_guard lock(kind->mutex);
    return kind->so_far.as_expected > 0 || !kind->so_far.wrong.empty();
  });
}

std::vector<Treatment> BadClients::end() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  ended_.notify_all();
  std::vector<Treatment> all;
  for (const std::unique_ptr<Kind>& kind : kinds_) {
    if (kind->thread.joinable()) kind->thread.join();
    all.push_back(kind->so_far);
  }
  return all;
}

}  // namespace perdure::soak
