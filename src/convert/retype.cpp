#include "convert/retype.h"

#include <fmt/format.h>

#include <map>

#include "tensor/cast.h"

namespace tieout {

Findings retype(FrameworkModel& file, DType to) {
  std::map<DType, std::size_t> rounded;
  std::map<DType, std::size_t> kept;
  for (auto& [name, tensor] : file.tensors) {
    if (tensor.dtype == to) continue;
    ++(can_round(tensor.dtype) ? rounded : kept)[tensor.dtype];
    if (can_round(tensor.dtype)) tensor = cast(tensor, to);
  }
  Findings findings;
  for (const auto& [dtype, count] : rounded) {
    const bool exact = dtype != DType::f64 && size_of(dtype) < size_of(to);
    findings.push_back(
        {Severity::note,
         {},
         fmt::format("{} tensors of {} are written as {}{}", count, to_string(dtype), to_string(to),
                     exact ? ", exactly" : ", rounded to nearest, ties to even"),
         {}});
  }
  for (const auto& [dtype, count] : kept) {
    findings.push_back({Severity::note,
                        {},
                        fmt::format("{} tensors of {} are no floats and stay", count, to_string(dtype)),
                        {}});
  }
  return findings;
}

}  // namespace tieout
