#include "base/mapped_file.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "tieout/error.h"

using namespace tieout;
namespace fs = std::filesystem;

namespace {

// A file of two pages.
class TemporaryFile {
 public:
  TemporaryFile() {
    path_ = (fs::temp_directory_path() / "tieout_mapped_XXXXXX").string();
    ::close(::mkstemp(path_.data()));
    fs::resize_file(path_, 8192);
  }
  ~TemporaryFile() { fs::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("a file that changes while it is mapped is noticed") {
  const TemporaryFile file;
  const MappedFile mapped(file.path());
  CHECK_NOTHROW(check_files_unchanged());
  fs::resize_file(file.path(), 8193);
  CHECK_THROWS_WITH_AS(check_files_unchanged(), doctest::Contains("was changed while it was read"), Error);
}

TEST_CASE("a file that was changed and is not mapped any more is nobody's concern") {
  const TemporaryFile file;
  { const MappedFile mapped(file.path()); }
  fs::resize_file(file.path(), 1);
  CHECK_NOTHROW(check_files_unchanged());
}

TEST_CASE("a file that is cut short under a reader ends the program with a message") {
  const TemporaryFile file;
  int pipe_ends[2];
  REQUIRE(::pipe(pipe_ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(pipe_ends[1], STDERR_FILENO);
    end_with_message_when_a_file_is_lost();
    const MappedFile mapped(file.path());
    fs::resize_file(file.path(), 0);
    const volatile std::byte lost = mapped.bytes()[5000];
    static_cast<void>(lost);
    ::_exit(0);
  }
  ::close(pipe_ends[1]);
  std::string said;
  for (char letter = 0; ::read(pipe_ends[0], &letter, 1) == 1;) said.push_back(letter);
  ::close(pipe_ends[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == static_cast<int>(ExitCode::io));
  CHECK(said.find(file.path()) != std::string::npos);
}
