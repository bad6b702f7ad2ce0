// The text of python/tieout_runner/*.py.
#pragma once

namespace tieout {

extern const char* const torch_runner;
extern const char* const keras_runner;

}  // namespace tieout
