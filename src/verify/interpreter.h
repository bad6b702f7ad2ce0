// Runs a model in float64, layer by layer: the built-in witness.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/model.h"
#include "tensor/array.h"

namespace tieout {

// A layer's parameters by name, each in its canonical axis order (Parameter::canonical).
using LayerParameters = std::map<std::string, Array>;
// By index in Model::layers: parameters to take instead of the file's.
using ParameterOverrides = std::map<int, LayerParameters>;

// The parameter in canonical axis order: the sum of its terms, or its constant. Error(unsupported) names the
// tensor whose type is no 16 to 64 bit float.
Array load_parameter(const Parameter& parameter, const FrameworkModel& file);

// All but bookkeeping.
LayerParameters load_parameters(const Layer& layer, const FrameworkModel& file);

// One layer's outputs from its inputs, all in the layout of the layer's framework.
std::vector<Array> evaluate_layer(const FrameworkModel& file, const Layer& layer,
                                  const std::vector<const Array*>& inputs,
                                  const LayerParameters* parameters = nullptr);

struct InterpretOptions {
  const ParameterOverrides* parameters = nullptr;
  // The values that are wanted; others are freed once the last layer has read them. Null: all.
  const std::set<int>* keep = nullptr;
  // In the records' plain loops, which are slow and are what the fast ones are compared with.
  bool plain = false;
  // Where to write how many bytes the values had that were there at the same time, at most.
  std::size_t* most_bytes = nullptr;
};

// Every value of the model, in its own axis order, from the model's inputs (same order, same layout). Values
// of layers that take a missing value stay empty. Error(malformed) names the layer whose computed output is
// not of the shape that the model states; Error(unsupported) when the values would not fit into the memory
// set aside for them.
std::vector<std::optional<Array>> interpret(const Model& model, const FrameworkModel& file,
                                            const std::vector<Array>& inputs,
                                            const InterpretOptions& options = {});

}  // namespace tieout
