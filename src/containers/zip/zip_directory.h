// The central directory of a zip archive.
#pragma once

#include <vector>

#include "base/mapped_file.h"
#include "containers/zip/zip_reader.h"

namespace tieout::zip {

// All entries of the archive but directories ("name/"), payload offsets included, in the directory's order.
// Checks what zip_reader.h promises about the directory, the local headers and the records' places.
std::vector<ZipEntry> read_directory(const MappedFile& file);

}  // namespace tieout::zip
