// The real PyTorch or the real Keras in a child process.
#pragma once

#include "verify/witness.h"

namespace tieout {

// The program and the job are described in python/tieout_runner/. The child gets TIEOUT_WITNESS_TIMEOUT
// seconds, 300 by default.
std::unique_ptr<Witness> make_child_witness(const WitnessSpec& spec, const Model& model,
                                            const FrameworkModel& file);

}  // namespace tieout
