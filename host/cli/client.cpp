#include "host/cli/client.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <ostream>
#include <random>
#include <utility>

#include "host/cli/json_view.h"
#include "host/config/places.h"

namespace perdure::cli {
namespace {

std::optional<std::string> variable(const Console& console, const char* name) {
  auto value = console.environment ? console.environment(name) : std::nullopt;
  if (value && value->empty()) value.reset();
  return value;
}

std::string random_key() {
  std::random_device random;
  std::string key;
  for (int i = 0; i < 4; ++i) key += fmt::format("{:08x}", random());
  return key;
}

}  // namespace

void add_client_options(CLI::App& verb, ClientOptions& options) {
  verb.add_option("--url", options.url, "The host's address [PERDURE_URL, else http://127.0.0.1:3030]")
      ->type_name("URL")
      ->group("The host");
  verb.add_option("--data", options.data,
                  "The data directory whose key to use [PERDURE_API_KEY, else the default directory's]")
      ->type_name("DIR")
      ->group("The host");
  verb.add_flag("--json", options.json, "Print JSON: one document, or one a line for lists");
}

Client::Client(Console& console, const ClientOptions& options) : console_(console) {
  url_ = !options.url.empty() ? options.url : variable(console, "PERDURE_URL").value_or("http://127.0.0.1:3030");
  while (url_.ends_with('/')) url_.pop_back();

  std::string key;
  const bool told_where = !options.data.empty() || variable(console, "PERDURE_DATA").has_value();
  if (const auto given = variable(console, "PERDURE_API_KEY"); given && options.data.empty()) {
    key = *given;
    key_source_ = "PERDURE_API_KEY";
  } else if (!told_where && !is_loopback_url(url_)) {
    key_source_ = "PERDURE_API_KEY, which is not set; this machine's own key is not sent to other machines unasked";
  } else {
    std::string data = !options.data.empty() ? options.data : variable(console, "PERDURE_DATA").value_or("");
    if (data.empty()) data = config::default_data_directory(console.environment);
    key_source_ = data + "/secret";
    std::ifstream(key_source_) >> key;
  }
  has_key_ = !key.empty();
  http_ = std::make_unique<HttpClient>(url_, std::move(key));
}

std::optional<std::string> Client::get(const std::string& path) { return take(http_->get(path)); }

std::optional<std::string> Client::post(const std::string& path, const std::string& body) {
  const std::string request_key = random_key();
  auto answer = take(http_->post(path, body, request_key));
  if (!answer && answer_lost_) answer = take(http_->post(path, body, request_key));
  return answer;
}

std::optional<std::string> Client::post_lines(const std::string& path, const std::string& lines) {
  auto answer = take(http_->post_lines(path, lines));
  if (!answer && answer_lost_) answer = take(http_->post_lines(path, lines));
  return answer;
}

std::optional<std::string> Client::put(const std::string& path, const std::string& body) {
  auto answer = take(http_->put(path, body));
  if (!answer && answer_lost_) answer = take(http_->put(path, body));  // doing it twice is doing it once
  return answer;
}

std::optional<std::string> Client::remove(const std::string& path) { return take(http_->remove(path)); }

bool Client::lines(const std::string& path, const std::function<void(std::string_view)>& on_line,
                   const std::function<void()>& on_tick) {
  return take(http_->lines(path, on_line, on_tick)).has_value();
}

std::optional<std::string> Client::take(store::Result<Answer> answer) {
  broke_off_ = false;
  answer_lost_ = false;
  exit_status_ = kFailed;
  if (answer && answer->status >= 200 && answer->status < 300) return std::move(answer->body);
  if (answer) {
    problem_ = refusal(*answer);
    broke_off_ = answer->status == 502 || answer->status == 503;
    return std::nullopt;
  }
  const store::Status& status = answer.status();
  problem_ = status.message();
  if (status.code() == store::Code::kUnavailable) {
    problem_ = "no host answers at " + url_ + " (" + status.message() +
               "); start one with `perdure serve`, or name another with --url or PERDURE_URL";
    exit_status_ = kUnreachable;
    broke_off_ = true;
  } else if (status.code() == store::Code::kInvalid) {
    exit_status_ = kWrongUsage;
  } else {
    broke_off_ = true;
    answer_lost_ = true;
  }
  return std::nullopt;
}

std::string Client::refusal(const Answer& answer) const {
  const JsonView body(answer.body);
  std::string why = body["error"].text();
  if (why.empty()) why = "the host answered with status " + std::to_string(answer.status) + " and no reason";
  for (const JsonView& detail : body["details"].items()) {
    if (detail["message"]) why += "; " + detail["message"].text();
  }
  if (answer.status == 401) {
    why += has_key_ ? " (the key came from " + key_source_ + ")"
                    : " (no key was sent: it was looked for in " + key_source_ +
                          "; set PERDURE_API_KEY, or name the host's data directory with --data)";
  }
  return why;
}

int Client::report() const {
  console_.err << styled(color_err(console_), Style::kRed, "perdure:") << " " << printable(problem_) << "\n";
  return exit_status_;
}

}  // namespace perdure::cli
