#include "verify/child_process.h"

#include <doctest/doctest.h>

using namespace tieout;
using std::chrono::seconds;

TEST_CASE("a child's end is told with its last words") {
  const TemporaryDirectory directory;
  const auto run = [&](const std::string& script, seconds limit = seconds(60)) {
    return run_child({"sh", "-c", script}, directory.path(), limit);
  };
  CHECK(run("exit 0").is_good());
  CHECK(run("echo one >&2; echo two >&2; exit 3").describe("sh") ==
        "ended with exit code 3; its last words: one | two");
  CHECK(run("kill -FPE $$").describe("sh") == "died: SIGFPE; it said nothing");
  CHECK(run("exec sleep 600", seconds(0)).describe("sh") == "did not end within 0 s; it said nothing");
  const ChildEnd none = run_child({"tieout-no-such-program"}, directory.path(), seconds(1));
  CHECK(none.describe("x") == "x cannot be started: No such file or directory");
}

TEST_CASE("a temporary directory is private and goes away") {
  namespace fs = std::filesystem;
  fs::path path;
  {
    const TemporaryDirectory directory;
    path = directory.path();
    CHECK((fs::status(path).permissions() & (fs::perms::group_all | fs::perms::others_all)) ==
          fs::perms::none);
  }
  CHECK(!fs::exists(path));
}
