// Names that Keras derives from class names.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace tieout::keras {

// "Conv2DTranspose" -> "conv2d_transpose", "ReLU" -> "re_lu" (keras/src/utils/naming.py, to_snake_case).
std::string snake_case(std::string_view class_name);

// Hands out "dense", "dense_1", "dense_2", ... for each base name.
class Counter {
 public:
  std::string next(const std::string& base);

 private:
  std::map<std::string, int> used_;
};

// Whether the class is an operation (keras.ops) and not a layer: those stand among the layers of a
// configuration but have no weights, no group in the weights file and no place in the count of layers.
bool is_operation(std::string_view module);

}  // namespace tieout::keras
