// Runs a model in float64, layer by layer: the built-in witness.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/model.h"
#include "tensor/array.h"
#include "verify/probe_values.h"

namespace tieout {

// A layer's parameters by name, each in its canonical axis order (Parameter::canonical).
using LayerParameters = std::map<std::string, Array>;
// Parameters to take instead of the file's, by a layer's index in Model::layers; null for a layer whose own
// are taken.
using ParameterSource = std::function<std::shared_ptr<const LayerParameters>(int layer)>;
// Those that are in memory already; `parameters` must outlive the source.
ParameterSource parameters_from(const std::map<int, LayerParameters>& parameters);

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
  ParameterSource parameters = {};  // empty: all are the file's
  // The values that are wanted; others are freed once the last layer has read them. Null: all.
  const std::set<int>* keep = nullptr;
  // In the records' plain loops, which are slow and are what the fast ones are compared with.
  bool plain = false;
  // Where to write how many bytes the values had that were there at the same time, at most.
  std::size_t* most_bytes = nullptr;
};

// A run that goes as far as it is asked to, for two that go side by side. Errors as in interpret(); what the
// caller keeps is counted as it grows.
class Interpretation final : public ProbeValues {
 public:
  Interpretation(const Model& model, const FrameworkModel& file, const std::vector<Array>& inputs,
                 InterpretOptions options);

  // Null where a layer on the way to it takes a missing value.
  const Array* value(int index) override;
  void release(int index) override;

  // What is there when the last layer is done.
  std::vector<std::optional<Array>> finish() &&;

 private:
  void run_next();
  void run_layer(const Layer& layer, int index);
  std::vector<Array> outputs_of(const Layer& layer, int index, const std::vector<const Array*>& inputs,
                                const std::vector<Array*>& spent) const;
  [[nodiscard]] bool is_spent(int value, int layer) const;
  void count(const Layer& layer);
  void free_spent(const Layer& layer, int index);

  const Model& model_;
  const FrameworkModel& file_;
  InterpretOptions options_;
  std::vector<std::optional<Array>> values_;
  std::vector<std::size_t> sizes_;  // of the values, in elements
  std::size_t alive_ = 0;           // the sum of these
  std::vector<bool> kept_;          // values that will be asked for
  std::vector<int> makers_;         // for each value, the index of the layer that makes it, or -1
  std::vector<int> last_readers_;
  int next_ = 0;  // the layer
};

// Every value of the model, in its own axis order, from the model's inputs (same order, same layout). Values
// of layers that take a missing value stay empty. Error(malformed) names the layer whose computed output is
// not of the shape that the model states; Error(unsupported) when the values would not fit into the memory
// set aside for them.
std::vector<std::optional<Array>> interpret(const Model& model, const FrameworkModel& file,
                                            const std::vector<Array>& inputs,
                                            const InterpretOptions& options = {});

}  // namespace tieout
