#include "tests/e2e/changeling.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <chrono>
#include <fstream>
#include <iterator>
#include <thread>

namespace perdure::e2e {
namespace {

std::string text(const boost::json::object& object, const char* name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace

Changelings::Changelings() {
  std::ifstream file(PERDURE_TEST_PLUGIN_DIR "/../fixtures/changeling/changeling.so", std::ios::binary);
  original_ = {std::istreambuf_iterator<char>(file), {}};
  EXPECT_FALSE(original_.empty());
}

std::string Changelings::content(const std::string& told) const { return original_ + "\nCHANGELING " + told + "\n"; }

void Changelings::put(const std::string& name, const std::string& told) const {
  const auto beside = path() / ("." + name + ".tmp");
  std::ofstream(beside, std::ios::binary) << content(told);
  std::filesystem::rename(beside, path() / name);
}

void Changelings::overwrite(const std::string& name, const std::string& told) const {
  std::ofstream(path() / name, std::ios::binary | std::ios::trunc) << content(told);
}

void Changelings::remove(const std::string& name) const { std::filesystem::remove(path() / name); }

boost::json::object await_plugin(Http& http, const std::function<bool(const boost::json::object& plugin)>& wanted) {
  // The host tells nobody of a change in its catalog, so it is asked; the deadline is for a host that never gets there.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  std::string last;
  while (std::chrono::steady_clock::now() < deadline) {
    const Answer plugins = http.get("/perdure/v1/plugins");
    EXPECT_EQ(plugins.status, 200) << plugins.body;
    if (plugins.status != 200) return {};
    last = plugins.body;
    const boost::json::value list = plugins.json();
    for (const auto& plugin : list.at("data").as_array()) {
      if (wanted(plugin.as_object())) return plugin.as_object();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  ADD_FAILURE() << "the plugin did not come to be as wanted; the last list: " << last;
  return {};
}

boost::json::object await_version(Http& http, const std::string& version, const std::string& state) {
  return await_plugin(http, [&](const boost::json::object& plugin) {
    return text(plugin, "version") == version && text(plugin, "state") == state;
  });
}

boost::json::object await_refusal(Http& http, const std::string& file, const std::string& why) {
  return await_plugin(http, [&](const boost::json::object& plugin) {
    return text(plugin, "file").ends_with("/" + file) && text(plugin, "state") == "refused" &&
           text(plugin, "reason").find(why) != std::string::npos;
  });
}

std::string answer(Http& http, const std::string& task, const std::string& name, const std::string& payload) {
  const auto run = await_run(http, trigger(http, task, payload));
  const auto* output = run.if_contains("output");
  EXPECT_TRUE(output != nullptr && output->is_object()) << boost::json::serialize(run);
  if (output == nullptr || !output->is_object()) return "";
  return text(output->get_object(), name.c_str());
}

}  // namespace perdure::e2e
