// Writes log lines to a descriptor without ever keeping a caller waiting.
#pragma once

#include <cstdint>
#include <string>
#include <thread>

#include "server/bounded_queue.h"
#include "server/call.h"

namespace unroll {

// A JSON object per line: {"time", "level", ...}. Lines that the reader of the descriptor does not take in time are
// dropped, and counted in the next one that is written. For any number of threads.
class RequestLog {
 public:
  explicit RequestLog(int descriptor);
  ~RequestLog();  // writes what is left, for a second at most
  RequestLog(const RequestLog&) = delete;
  RequestLog& operator=(const RequestLog&) = delete;

  void request(const CallRecord& record);
  void event(const std::string& level, const std::string& message);

 private:
  void put(std::string line);
  void run();

  int descriptor_;
  BoundedQueue<std::string> lines_;
  std::atomic<std::int64_t> dropped_ = 0;
  std::atomic<bool> closing_ = false;
  std::thread thread_;
};

}  // namespace unroll
