// unroll serve as a process of its own.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace unroll {

class ServedProgram {
 public:
  // `unroll serve` with these arguments, at any free port. Returns once it listens.
  ServedProgram(const std::string& unroll, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {unroll, "serve", "--port", "0"});
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    std::array<int, 2> notes{};
    if (::pipe(notes.data()) != 0) throw std::runtime_error("no pipe");
    process_ = ::fork();
    if (process_ == 0) {
      ::dup2(::open("/dev/null", O_WRONLY), STDOUT_FILENO);
      ::dup2(notes[1], STDERR_FILENO);
      ::close(notes[0]);
      ::close(notes[1]);
      ::execv(unroll.c_str(), pointers.data());
      ::_exit(127);
    }
    ::close(notes[1]);
    port_ = read_port(notes[0]);
    ::close(notes[0]);
  }
  ServedProgram(const ServedProgram&) = delete;
  ServedProgram& operator=(const ServedProgram&) = delete;
  ~ServedProgram() {
    ::kill(process_, SIGTERM);
    ::waitpid(process_, nullptr, 0);
  }

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

  // Of memory that is resident.
  [[nodiscard]] double mebibytes() const {
    std::ifstream file(fmt::format("/proc/{}/statm", process_));
    std::int64_t total = 0;
    std::int64_t resident = 0;
    file >> total >> resident;
    return static_cast<double>(resident * ::sysconf(_SC_PAGESIZE)) / (1 << 20);
  }

  struct ProcessorSeconds {
    double sockets = 0;  // of the first thread, which owns them
    double others = 0;
  };
  [[nodiscard]] ProcessorSeconds processor_seconds() const {
    ProcessorSeconds seconds;
    for (const auto& thread : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", process_))) {
      std::ifstream file(thread.path() / "schedstat");
      std::int64_t nanoseconds = 0;
      file >> nanoseconds;
      const bool is_first = thread.path().filename() == std::to_string(process_);
      (is_first ? seconds.sockets : seconds.others) += 1e-9 * static_cast<double>(nanoseconds);
    }
    return seconds;
  }

 private:
  static std::uint16_t read_port(int notes) {
    std::string text;
    for (char byte = 0; byte != '\n' && ::read(notes, &byte, 1) == 1;) text += byte;
    const std::size_t colon = text.rfind(':');
    if (!text.starts_with("listening on ")) throw std::runtime_error("unroll serve does not listen: " + text);
    return static_cast<std::uint16_t>(std::stoi(text.substr(colon + 1)));
  }

  pid_t process_ = -1;
  std::uint16_t port_ = 0;
};

}  // namespace unroll
