// See info_log.h.
#include "store/rocks/info_log.h"

#include <cstdarg>
#include <cstdio>
#include <utility>

namespace perdure::store::rocks {
namespace {

LogSinkLevel level_of(rocksdb::InfoLogLevel level) {
  switch (level) {
    case rocksdb::DEBUG_LEVEL:
      return LogSinkLevel::kDebug;
    case rocksdb::INFO_LEVEL:
    case rocksdb::HEADER_LEVEL:
      return LogSinkLevel::kInfo;
    case rocksdb::WARN_LEVEL:
      return LogSinkLevel::kWarn;
    default:
      return LogSinkLevel::kError;
  }
}

class InfoLog final : public rocksdb::Logger {
 public:
  InfoLog(LogSink sink, std::function<void(const std::string&)> recovery)
      : rocksdb::Logger(rocksdb::WARN_LEVEL), sink_(std::move(sink)), recovery_(std::move(recovery)) {}

  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override { Logv(rocksdb::WARN_LEVEL, format, arguments); }
  void Logv(const rocksdb::InfoLogLevel level, const char* format, va_list arguments) override {
    if (level < GetInfoLogLevel()) return;
    char text[1024];
    std::vsnprintf(text, sizeof text, format, arguments);
    std::string line(text);
    while (!line.empty() && line.back() == '\n') line.pop_back();
    if (recovery_ && line.find("dropping ") != std::string::npos) recovery_(line);
    if (sink_) sink_(level_of(level), line);
  }

 private:
  LogSink sink_;
  std::function<void(const std::string&)> recovery_;
};

}  // namespace

std::shared_ptr<rocksdb::Logger> make_info_log(LogSink sink, std::function<void(const std::string& line)> recovery) {
  return std::make_shared<InfoLog>(std::move(sink), std::move(recovery));
}

}  // namespace perdure::store::rocks
