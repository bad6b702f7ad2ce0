// What a file format is: one folder in src/formats/, one function that returns this.
//
// src/formats/NAME/format.cpp defines `Format NAME()` in namespace tieout::formats. CMake collects the
// folders into all_formats(); nothing else needs to know.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "base/output_file.h"
#include "model/framework_model.h"
#include "tensor/payload.h"

namespace tieout {

struct WriteOptions {
  bool overwrite = false;
  PayloadOptions payload{};
};

// Files that are written whole under temporary names; commit() makes them appear. Dropped, nothing is left.
using Outputs = std::vector<std::unique_ptr<OutputFile>>;

struct Format {
  std::string name;   // "keras_zip"
  std::string title;  // "Keras 3 model (.keras)"
  Framework framework = Framework::torch;
  std::vector<std::string> suffixes;  // with the dot, longest first: {".weights.h5"}
  bool writes_architecture = false;   // without a template: does the target hold an architecture of its own?

  // Whether the content is of this format; looks at few bytes, must not throw on damaged files that begin
  // like this format (read() then says what is wrong). Formats are asked in turn; the first yes wins.
  std::function<bool(const MappedFile&)> recognises;

  // Throws Error(malformed | unsupported). Reads no tensor data beyond what checking needs.
  std::function<FrameworkModel(FileRef)> read;

  // Writes model to path. The model's tensors are read on several threads, in parts where they can be. Null
  // when the format is read only.
  std::function<Outputs(const FrameworkModel&, const std::string& path, const WriteOptions&)> write;
};

// All formats, in the order of their folders' names. Made by CMake.
const std::vector<Format>& all_formats();

// The format of the content; Error(malformed) when none knows it and the suffix is known, Error(unsupported)
// "unknown content" otherwise.
const Format& format_of_content(const MappedFile& file);

// The format that a target's name asks for; Error(usage) listing the suffixes otherwise.
const Format& format_of_name(const std::string& path);

}  // namespace tieout
