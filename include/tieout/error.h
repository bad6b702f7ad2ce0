// The one exception of tieout, and the exit codes that follow from it.
//
// Errors stop a command at once; what can be said about a model without stopping is a Finding
// (src/model/finding.h).
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace tieout {

// The exit codes of the command line. A program may rely on them.
enum class ExitCode : int {
  done = 0,         // done, or: the models tie out
  differs = 1,      // the models do not tie out
  usage = 2,        // the command line is wrong, or something needed is missing on it
  io = 3,           // a file cannot be read or written
  malformed = 4,    // a file is damaged or hostile
  unsupported = 5,  // refused by name; nothing was written
  not_proven = 6,   // verify could not prove either way
  internal = 70     // a bug in tieout
};

enum class ErrorKind { usage, io, malformed, unsupported, internal };

ExitCode exit_code(ErrorKind kind);
const char* to_string(ErrorKind kind);

// Where an error happened; every part may be unknown (empty).
struct Where {
  std::string file;
  std::string entry;                    // record inside an archive, or HDF5 path
  std::optional<std::uint64_t> offset;  // byte offset in the file (or in the entry, when one is named)
  std::string tensor;
  std::string layer;
};

// Message: one sentence, what was expected and what was found. Hint: what the user can do next.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message, Where where = {}, std::string hint = {});

  [[nodiscard]] ErrorKind kind() const { return kind_; }
  [[nodiscard]] const Where& where() const { return where_; }
  [[nodiscard]] const std::string& hint() const { return hint_; }

  // Fills the parts of `where` that are still empty. Callers further out know more (the file, the layer).
  Error& at(const Where& outer);

  // "lenet5.pt, record data/0, byte 42: message", for people. The hint is not part of it.
  [[nodiscard]] std::string describe() const;

 private:
  ErrorKind kind_;
  Where where_;
  std::string hint_;
};

// Shorthands for throwing; each makes an Error of that kind.
Error usage_error(const std::string& message, const std::string& hint = {});
Error io_error(const std::string& file, const std::string& message, const std::string& hint = {});
Error malformed(const std::string& message, Where where = {});
Error unsupported(const std::string& message, Where where = {}, const std::string& hint = {});
Error internal_error(const std::string& message);

}  // namespace tieout
