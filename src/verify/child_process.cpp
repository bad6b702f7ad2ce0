#include "verify/child_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <system_error>
#include <thread>

#include "tieout/error.h"

namespace tieout {

namespace {

constexpr std::size_t last_bytes = 16384;
constexpr std::size_t last_lines = 3;

// The file's last lines that are not blank, joined by " | ".
std::string last_words_in(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  in.seekg(0, std::ios::end);
  const auto size = static_cast<std::streamoff>(in.tellg());
  in.seekg(std::max<std::streamoff>(0, size - static_cast<std::streamoff>(last_bytes)));
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    std::erase_if(line, [](unsigned char c) { return c < ' ' || c == 0x7f; });
    if (line.find_first_not_of(' ') == std::string::npos) continue;
    lines.push_back(line);
    if (lines.size() > last_lines) lines.erase(lines.begin());
  }
  std::string text;
  for (const auto& line : lines)
    text += (text.empty() ? "" : " | ") + line.substr(line.find_first_not_of(' '));
  return text;
}

std::string signal_name(int signal) {
  const char* name = sigabbrev_np(signal);
  return name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(signal);
}

// Fills `end` once the child has ended, or kills it at the limit.
void wait_for(pid_t child, std::chrono::seconds limit, ChildEnd& end) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + limit;
  int status = 0;
  while (true) {
    const pid_t ended = waitpid(child, &status, end.timed_out ? 0 : WNOHANG);
    if (ended == child) break;
    if (ended < 0 && errno != EINTR) throw internal_error("waiting for a child process failed");
    if (ended == 0 && Clock::now() >= deadline) {
      end.timed_out = true;
      kill(child, SIGKILL);
    } else if (ended == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
}

}  // namespace

std::string ChildEnd::describe(const std::string& program) const {
  std::string text;
  if (!started) return program + " cannot be started: " + start_error;
  if (timed_out) {
    text = "did not end within " + std::to_string(limit.count()) + " s";
  } else if (signal != 0) {
    text = "died: " + signal_name(signal);
  } else {
    text = "ended with exit code " + std::to_string(exit_code);
  }
  return text + (last_words.empty() ? "; it said nothing" : "; its last words: " + last_words);
}

ChildEnd run_child(const std::vector<std::string>& arguments, const std::filesystem::path& directory,
                   std::chrono::seconds limit) {
  const std::string out = (directory / "stdout.txt").string();
  const std::string err = (directory / "stderr.txt").string();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  constexpr int flags = O_WRONLY | O_CREAT | O_TRUNC;
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), flags, S_IRUSR | S_IWUSR);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), flags, S_IRUSR | S_IWUSR);
  std::vector<std::string> copies = arguments;
  std::vector<char*> pointers;
  for (auto& copy : copies) pointers.push_back(copy.data());
  pointers.push_back(nullptr);
  pid_t child = 0;
  const int error = posix_spawnp(&child, pointers[0], &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ChildEnd end;
  end.limit = limit;
  if (error != 0) {
    end.start_error = std::generic_category().message(error);
    return end;
  }
  end.started = true;
  wait_for(child, limit, end);
  end.last_words = last_words_in(err);
  return end;
}

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "tieout-XXXXXX").string();
  // mkdtemp gives the mode 0700.
  if (mkdtemp(name.data()) == nullptr) {
    throw io_error(name, "a temporary directory cannot be made: " + std::generic_category().message(errno),
                   "set TMPDIR to a directory that can be written to");
  }
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace tieout
