// NumPy's .npy and .npz files.
//   https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
//
//   "\x93NUMPY", u8 major, u8 minor, u16 (major 1) or u32 (major 2, 3) length, then a Python dictionary
//   "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }", padded with spaces and "\n", then the
//   elements. An .npz is a zip archive of .npy records named NAME.npy, stored or deflated.
#pragma once

#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "base/output_file.h"
#include "tensor/lazy_tensor.h"
#include "tensor/payload.h"

namespace tieout {

bool is_npy(Bytes file);

// The one array of an .npy. Column-major arrays are brought into row-major order. Error(malformed) when the
// bytes are not as above or too few or too many; Error(unsupported) for big-endian numbers and types that are
// no numbers.
LazyTensor read_npy(const FileRef& file);
LazyTensor read_npy(Bytes bytes, const Where& where, std::shared_ptr<const void> owner);

// All arrays of an .npz, by name without ".npy", in the archive's order. Stored ones stay where they lie in
// the mapped file, their CRCs compared; deflated ones are inflated at once. Records of other names are an
// Error(malformed), and so are records that would inflate to more than 64 MiB and 200 times their size.
std::vector<NamedTensor> read_npz(const FileRef& file);

// What comes before the elements. Error(unsupported) for types that NumPy does not have (bfloat16, float8).
std::string npy_header(DType dtype, const Shape& shape);
void write_npy(OutputFile& out, const LazyTensor& tensor);
void write_npz(OutputFile& out, const std::vector<NamedTensor>& tensors, const PayloadOptions& options = {});

}  // namespace tieout
