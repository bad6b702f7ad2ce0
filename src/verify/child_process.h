// Running another program and learning how it ended.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace tieout {

struct ChildEnd {
  bool started = false;
  int exit_code = 0;  // where it ended by itself
  int signal = 0;     // that ended it; 0: none
  bool timed_out = false;
  std::string last_words;  // the last lines of its standard error, without control characters

  [[nodiscard]] bool is_good() const { return started && !timed_out && signal == 0 && exit_code == 0; }
  // "died: SIGFPE", "exit code 1", "did not end within 300 s", "cannot be started: ...".
  [[nodiscard]] std::string describe(const std::string& program) const;

  std::string start_error;
  std::chrono::seconds limit{};
};

// Runs arguments[0], found through PATH, without a shell, with empty standard input, and kills it after
// `limit`. What it prints goes into `directory`/stdout.txt and stderr.txt.
ChildEnd run_child(const std::vector<std::string>& arguments, const std::filesystem::path& directory,
                   std::chrono::seconds limit);

// A directory that only this user can read; removed with all that is in it. Error(io) when it cannot be made.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace tieout
