#include "containers/hdf5/trial.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace tieout::hdf5 {

namespace {

constexpr rlim_t most_memory = rlim_t{4}
                               << 30;  // bytes of address space beyond a mapped file's own are never needed
constexpr rlim_t most_seconds = 60;

void bound(int what, rlim_t most) {
  rlimit limit{};
  if (::getrlimit(static_cast<__rlimit_resource>(what), &limit) != 0) return;
  if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > most) limit.rlim_cur = most;
  ::setrlimit(static_cast<__rlimit_resource>(what), &limit);
}

[[noreturn]] void attempt_and_leave(const std::function<void()>& attempt) {
  // A crash here is expected, and not news to anybody: no words on the terminal, no core file.
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere >= 0) ::dup2(nowhere, STDERR_FILENO);
  bound(RLIMIT_CORE, 0);
  bound(RLIMIT_CPU, most_seconds);
#ifndef __SANITIZE_ADDRESS__  // the sanitizer's shadow needs terabytes of addresses
  bound(RLIMIT_DATA, most_memory);
#endif
  try {
    attempt();
  } catch (...) {  // the caller's own attempt throws it again
  }
  ::_exit(0);
}

}  // namespace

void survive(const std::function<void()>& attempt, const Where& where) {
  const pid_t child = ::fork();
  if (child < 0)
    throw io_error(where.file,
                   std::string("cannot start a process to try the file in: ") + std::strerror(errno));
  if (child == 0) attempt_and_leave(attempt);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR)
      throw io_error(where.file, std::string("cannot wait for a process: ") + std::strerror(errno));
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  Where place = where;
  place.offset = 0;
  const std::string end =
      WIFSIGNALED(status) ? ::strsignal(WTERMSIG(status)) : "an error that the library did not report";
  throw malformed("the HDF5 library dies of it (" + end + "): the file is damaged", place);
}

}  // namespace tieout::hdf5
