// The shapes of several repeats of a block as one text.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace tieout::torch_source {

// Sizes that differ between repeats become letters, the same letter for the same sizes:
// "(N, 64, 56, 56)" and "(N, 128, 28, 28)" -> "(N, C, H, H)".
class ShapeLetters {
 public:
  // One comment for each repeat. Empty where they differ in more than sizes, or letters run out.
  std::string common(const std::vector<std::string>& comments);

 private:
  std::map<std::vector<std::string>, char> letters_;
};

}  // namespace tieout::torch_source
