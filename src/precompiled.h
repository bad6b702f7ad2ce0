// What nearly every source file reads, compiled once. Sources include what they use all the same: they must
// compile without this file, and do so under clang-tidy.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>
