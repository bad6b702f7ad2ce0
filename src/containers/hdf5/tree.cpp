#include "containers/hdf5/tree.h"

#include <algorithm>

namespace tieout::hdf5 {

namespace {

const Attribute* find_attribute(const Group& group, std::string_view name) {
  const auto found = std::ranges::find(group.attributes, name, &Attribute::name);
  return found == group.attributes.end() ? nullptr : &*found;
}

}  // namespace

const Group* Group::find_group(std::string_view relative) const {
  const Group* group = this;
  while (!relative.empty()) {
    const std::string_view first = relative.substr(0, relative.find('/'));
    relative.remove_prefix(std::min(relative.size(), first.size() + 1));
    const auto found = std::ranges::find(group->groups, first, &Group::name);
    if (found == group->groups.end()) return nullptr;
    group = &*found;
  }
  return group;
}

const Dataset* Group::find_dataset(std::string_view relative) const {
  const auto slash = relative.rfind('/');
  const bool direct = slash == std::string_view::npos;
  const Group* group = direct ? this : find_group(relative.substr(0, slash));
  if (group == nullptr) return nullptr;
  const auto found =
      std::ranges::find(group->datasets, direct ? relative : relative.substr(slash + 1), &Dataset::name);
  return found == group->datasets.end() ? nullptr : &*found;
}

std::optional<std::string> Group::text(std::string_view attribute) const {
  const Attribute* found = find_attribute(*this, attribute);
  if (found == nullptr || found->texts.size() != 1) return std::nullopt;
  return found->texts.front();
}

std::optional<std::vector<std::string>> Group::texts(std::string_view attribute) const {
  if (const Attribute* whole = find_attribute(*this, attribute)) return whole->texts;
  std::optional<std::vector<std::string>> all;
  for (int part = 0;; ++part) {
    const Attribute* found = find_attribute(*this, std::string(attribute) + std::to_string(part));
    if (found == nullptr) return all;
    if (!all) all.emplace();
    all->insert(all->end(), found->texts.begin(), found->texts.end());
  }
}

}  // namespace tieout::hdf5
