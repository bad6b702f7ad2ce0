// What `tieout inspect --check` says about a file that could be read to its end.
#pragma once

#include <string>
#include <vector>

#include "model/framework_model.h"
#include "tensor/special_values.h"

namespace tieout {

struct FileCheck {
  struct Special {
    std::string tensor;
    SpecialValues values;
  };
  std::vector<Special> special;  // tensors with NaN or infinities
  std::vector<std::string>
      code;                  // what loading the file in its framework would run or import; empty: nothing
  std::uint64_t floats = 0;  // elements looked at

  [[nodiscard]] bool clean() const { return special.empty() && code.empty(); }
};

// Reads every tensor; Error as reading throws it (a checksum that is wrong, a record that is cut). `code` is
// what the format knows (Format::code); what a Keras configuration holds is added.
FileCheck check_file(const FrameworkModel& file, const std::vector<std::string>& code);

std::string check_text(const FileCheck& check);
// {"clean", "floats", "special": [{"tensor", "nan", "infinite"}], "code"}
Json check_json(const FileCheck& check);

}  // namespace tieout
