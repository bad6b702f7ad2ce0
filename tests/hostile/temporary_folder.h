// A folder for one test's files, gone with all that is in it.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "tieout/error.h"

namespace tieout {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tieout_hostile_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw io_error(name, "cannot be made");
    path_ = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace tieout
