#include "tieout/error.h"

#include <utility>

namespace tieout {

ExitCode exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
      return ExitCode::usage;
    case ErrorKind::io:
      return ExitCode::io;
    case ErrorKind::malformed:
      return ExitCode::malformed;
    case ErrorKind::unsupported:
      return ExitCode::unsupported;
    case ErrorKind::internal:
      return ExitCode::internal;
  }
  return ExitCode::internal;
}

const char* to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
      return "usage";
    case ErrorKind::io:
      return "io";
    case ErrorKind::malformed:
      return "malformed";
    case ErrorKind::unsupported:
      return "unsupported";
    case ErrorKind::internal:
      return "internal";
  }
  return "internal";
}

Error::Error(ErrorKind kind, const std::string& message, Where where, std::string hint)
    : std::runtime_error(message), kind_(kind), where_(std::move(where)), hint_(std::move(hint)) {}

Error& Error::at(const Where& outer) {
  const auto fill = [](std::string& mine, const std::string& theirs) {
    if (mine.empty()) mine = theirs;
  };
  fill(where_.file, outer.file);
  fill(where_.entry, outer.entry);
  fill(where_.tensor, outer.tensor);
  fill(where_.layer, outer.layer);
  if (!where_.offset) where_.offset = outer.offset;
  return *this;
}

std::string Error::describe() const {
  std::string place;
  const auto add = [&place](const std::string& part) {
    if (!place.empty()) place += ", ";
    place += part;
  };
  if (!where_.file.empty()) add(where_.file);
  if (!where_.entry.empty()) add("record " + where_.entry);
  if (where_.offset) add("byte " + std::to_string(*where_.offset));
  if (!where_.tensor.empty()) add("tensor " + where_.tensor);
  if (!where_.layer.empty()) add("layer " + where_.layer);
  return place.empty() ? what() : place + ": " + what();
}

Error usage_error(const std::string& message, const std::string& hint) {
  return {ErrorKind::usage, message, {}, hint};
}
Error io_error(const std::string& file, const std::string& message, const std::string& hint) {
  return {ErrorKind::io, message, {.file = file, .entry = {}, .offset = {}, .tensor = {}, .layer = {}}, hint};
}
Error malformed(const std::string& message, Where where) {
  return {ErrorKind::malformed, message, std::move(where)};
}
Error unsupported(const std::string& message, Where where, const std::string& hint) {
  return {ErrorKind::unsupported, message, std::move(where), hint};
}
Error internal_error(const std::string& message) {
  return {ErrorKind::internal, message, {}, "this is a bug in tieout; please report it with the command"};
}

}  // namespace tieout
