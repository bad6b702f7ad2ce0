// Kinds that join inputs number by number: y = a + b + ..., aligned as in shared/broadcast.h.
//
// Setting "operands", where there are constants: what is joined, in order, an input being {"input": k}.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "layers/layer_kind.h"

namespace tieout {

// left = f(left, right) as a loop over many numbers, f itself being compiled into it.
class NumberJoin {
 public:
  NumberJoin() = default;
  // NOLINTBEGIN(google-explicit-constructor): it stands for the function
  template <typename F>
  requires std::is_invocable_r_v<double, F, double, double> NumberJoin(F f)
      : run_([f](std::span<double> left, std::span<const double> right) {
          for (std::size_t k = 0; k < left.size(); ++k) left[k] = f(left[k], right[k]);
        }) {}
  // NOLINTEND(google-explicit-constructor)
  // Both of one length.
  void operator()(std::span<double> left, std::span<const double> right) const { run_(left, right); }

 private:
  std::function<void(std::span<double>, std::span<const double>)> run_;
};

struct Merge {
  std::string name;
  std::string torch_function;           // "torch.add": the name under which our own files hold it
  std::string keras_layer;              // "Add"; empty: there is only the operator
  std::string keras_operator;           // "Add", of keras.ops.numpy; empty: there is only the layer
  std::vector<std::string> tensorflow;  // functions in files of Keras 2, "tf.math.add"
  std::string summary;
  // The expression of two operands, "{0} + {1}"; more are joined one after another.
  std::function<std::string(const std::string& left, const std::string& right)> torch_call;
  // The expression with a constant, where it is another one; null: the same.
  std::function<std::string(const std::string& input, const std::string& constant)> torch_constant;
  NumberJoin join;
  bool tensors_only = false;  // torch's function takes no numbers
  bool is_mean = false;       // the joined result is divided by the number of inputs
  bool only_two = true;
};

// A kind of its own, with the name of the form.
LayerKind merge_kind(const Merge& form);
// One kind for several forms: its setting "function" has the form's name.
LayerKind merge_kind(const std::string& name, const std::vector<Merge>& forms);

// Both frameworks' usual expressions.
std::function<std::string(const std::string&, const std::string&)> infix(const std::string& sign);
std::function<std::string(const std::string&, const std::string&)> prefix(const std::string& function);

// Cases of a form, in the same order for all: tensors of one shape, broadcast ones, constants on either side.
std::vector<Case> merge_layer_cases(const Merge& form);
std::vector<Case> merge_operator_cases(const Merge& form, bool positive);

}  // namespace tieout
