// What every client verb has: the options that find the host and its key, and requests whose failures become one
// sentence and an exit status. One thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "host/cli/console.h"
#include "host/cli/http_client.h"

namespace CLI {
class App;
}

namespace perdure::cli {

struct ClientOptions {
  std::string url;   // --url; empty: PERDURE_URL, else http://127.0.0.1:3030
  std::string data;  // --data; empty: PERDURE_DATA, else the default data directory: where `secret` is looked for
  bool json = false;
};

/// Adds --url, --data and --json to a verb.
void add_client_options(CLI::App& verb, ClientOptions& options);

class Client {
 public:
  Client(Console& console, const ClientOptions& options);

  /// The body of a 2xx answer; nothing otherwise, and then report() tells.
  std::optional<std::string> get(const std::string& path);
  /// A POST whose answer broke off is sent once more, under the same request key, so that it is done once.
  std::optional<std::string> post(const std::string& path, const std::string& body);
  /// The same with lines of JSON as its body, of what may be sent twice.
  std::optional<std::string> post_lines(const std::string& path, const std::string& lines);
  std::optional<std::string> put(const std::string& path, const std::string& body);
  /// A DELETE.
  std::optional<std::string> remove(const std::string& path);
  /// Gives each line of the answer to `on_line`. False: it did not end well.
  bool lines(const std::string& path, const std::function<void(std::string_view line)>& on_line,
             const std::function<void()>& on_tick = {});

  /// Whether the last failure was nobody answering, or the connection breaking: worth trying again.
  [[nodiscard]] bool broke_off() const { return broke_off_; }
  /// Says on the console why the last request failed; what the verb ends with.
  int report() const;

 private:
  std::optional<std::string> take(store::Result<Answer> answer);
  [[nodiscard]] std::string refusal(const Answer& answer) const;

  Console& console_;
  std::string url_;
  std::string key_source_;  // where the key came from, or was looked for in vain
  bool has_key_ = false;
  std::unique_ptr<HttpClient> http_;
  std::string problem_;
  ExitStatus exit_status_ = kFailed;
  bool broke_off_ = false;
  bool answer_lost_ = false;  // the request may have been done
};

}  // namespace perdure::cli
