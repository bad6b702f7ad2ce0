// What a file format is: one folder in src/formats/, one function that returns this.
//
// src/formats/NAME/format.cpp defines `Format NAME()` in namespace tieout::formats. CMake collects the
// folders into all_formats(); nothing else needs to know.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "base/output_file.h"
#include "model/framework_model.h"
#include "tensor/payload.h"

namespace tieout {

struct ReadOptions {
  // Which of a checkpoint's dicts is the model, where several could be: "ema.state_dict". Empty: the format
  // chooses, and throws Error(usage) with the keys where it cannot. A format without keys ignores it.
  std::string key;
  // What was written and does not have its name yet: the path that the file will have (empty: it has it), and
  // where the files are that it names, "m-00001.h5" -> path.
  std::string path;
  std::map<std::string, std::string> elsewhere;
};

struct WriteOptions {
  bool overwrite = false;
  // Bytes of tensors in each file, for formats that spread them (Format::spreads); a tensor is never cut.
  // Nothing: as much as the format takes by default.
  std::optional<std::uint64_t> max_shard_size{};
  PayloadOptions payload{};
};

// Files that are written whole under temporary names; commit() makes them appear. Dropped, nothing is left.
// The first is the one that was asked for; it appears last, since it may name the others.
using Outputs = std::vector<std::unique_ptr<OutputFile>>;

struct Format {
  std::string name;   // "keras_zip"
  std::string title;  // "Keras 3 model (.keras)"
  Framework framework = Framework::torch;
  std::vector<std::string> suffixes;  // with the dot, longest first: {".weights.h5"}
  // For docs/formats.md: what is read of the format, and what is written, a sentence or two each.
  std::string reads{};
  std::string writes{};
  bool writes_architecture = false;  // without a template: does the target hold an architecture of its own?
  bool spreads = false;              // writes as many files as WriteOptions::max_shard_size asks for

  // Whether the content is of this format; looks at few bytes, must not throw on damaged files that begin
  // like this format (read() then says what is wrong). Formats are asked in turn; the first yes wins.
  std::function<bool(const MappedFile&)> recognises;

  // Throws Error(malformed | unsupported). Reads no tensor data beyond what checking needs.
  std::function<FrameworkModel(const FileRef&, const ReadOptions&)> read;

  // Writes model to path. The model's tensors are read on several threads, in parts where they can be. Null
  // when the format is read only.
  std::function<Outputs(const FrameworkModel&, const std::string& path, const WriteOptions&)> write;

  // The file to read for a path that is no file itself: a folder, the common part of several names. Nothing
  // when it is not of this format. Null: every path of this format is a file.
  std::function<std::optional<std::string>(const std::string& path)> locate = nullptr;

  // What the file's framework imports or runs when it loads the file, each in a few words; from a stranger
  // nothing of it can be trusted. For a file that read() accepts. Null: nothing, or what
  // FrameworkModel::document tells.
  std::function<std::vector<std::string>(const FileRef&)> code = nullptr;
};

// All formats, in the order of their folders' names. Made by CMake.
const std::vector<Format>& all_formats();

// The file that is read for `path`: itself, or what a format locates there.
std::string file_to_read(const std::string& path);

// The format of the content; Error(malformed) when none knows it and the suffix is known, Error(unsupported)
// "unknown content" otherwise.
const Format& format_of_content(const MappedFile& file);

// The format that a target's name asks for; Error(usage) listing the suffixes otherwise.
const Format& format_of_name(const std::string& path);

}  // namespace tieout
