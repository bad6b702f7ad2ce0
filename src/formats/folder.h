// Models that people name by their folder.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tieout {

// A Format::locate: of the files with these names, the first that is in the folder.
std::function<std::optional<std::string>(const std::string& folder)> first_in_folder(
    std::vector<std::string> names);

}  // namespace tieout
