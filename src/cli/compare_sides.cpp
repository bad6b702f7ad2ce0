#include "cli/compare_sides.h"

#include "cli/progress.h"

namespace tieout::cli {

VerifyResult compare_sides(const Side& a, const Side& b, const Matching& matching, VerifyOptions options) {
  Progress progress(compared_text);
  options.on_compared = [&](std::size_t done, std::size_t total) { progress.show(done, total); };
  return verify(a.model, a.file, b.model, b.file, matching, options);
}

}  // namespace tieout::cli
