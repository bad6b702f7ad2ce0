#include "formats/folder.h"

#include <filesystem>
#include <system_error>
#include <utility>

namespace tieout {

std::function<std::optional<std::string>(const std::string&)> first_in_folder(
    std::vector<std::string> names) {
  return [names = std::move(names)](const std::string& folder) -> std::optional<std::string> {
    for (const std::string& name : names) {
      std::string file = folder;
      file += (folder.ends_with('/') ? "" : "/") + name;
      std::error_code ignored;
      if (std::filesystem::is_regular_file(file, ignored)) return file;
    }
    return std::nullopt;
  };
}

}  // namespace tieout
