// Where a framework's users expect the channels of an image.
#pragma once

#include <string>
#include <vector>

#include "model/framework_model.h"
#include "model/model.h"

namespace tieout {

std::vector<std::string> names_of(const Axes& axes);

// The order in which the framework has images and volumes (n c h w, n h w c) where no layer demands one;
// empty for axes that are not named as an image's.
std::vector<std::string> usual_layout(const Axes& axes, Framework framework);

// Whether the axes lie as one of the frameworks has images.
bool is_usual_layout(const Axes& axes);

}  // namespace tieout
