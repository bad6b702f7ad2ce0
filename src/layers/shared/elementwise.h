// Kinds that map each number on its own: y = f(x), any shape. Most activations are of this form.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "layers/layer_kind.h"

namespace tieout {

// f(x) with the layer's settings, as a loop over many numbers: f itself is compiled into the loop. Made from
// f(x, settings), from a function of the settings that gives f, or from the loop.
class NumberFunction {
 public:
  NumberFunction() = default;
  // NOLINTBEGIN(google-explicit-constructor): it stands for the function
  template <typename F>
  requires std::is_invocable_r_v<double, F, double, const Json&> NumberFunction(F f)
      : run_([f](std::span<double> numbers, const Json& settings) {
          for (double& number : numbers) number = f(number, settings);
        }) {}
  template <typename F>
  requires std::is_invocable_v<F, const Json&> NumberFunction(F given)
      : run_([given](std::span<double> numbers, const Json& settings) {
          const auto f = given(settings);
          for (double& number : numbers) number = f(number);
        }) {}
  template <typename F>
  requires std::is_invocable_v < F, std::span<double>,
  const Json& > NumberFunction(F loop) : run_(loop) {}
  // NOLINTEND(google-explicit-constructor)
  void operator()(std::span<double> numbers, const Json& settings) const { run_(numbers, settings); }
  explicit operator bool() const { return static_cast<bool>(run_); }

 private:
  std::function<void(std::span<double>, const Json&)> run_;
};

struct Elementwise {
  std::string name;
  std::vector<ClassEntry> torch;
  std::vector<ClassEntry> keras;
  std::string summary;
  // The neutral settings. Null: none.
  std::function<Json(Lifter&)> read;
  NumberFunction function;
  // The same, faster; empty: `function`.
  NumberFunction fast_function;
  // Writes the layer as a node of the target.
  std::function<void(Lowerer&)> write;
};

// A kind of this form; cases and mistakes are the caller's.
LayerKind elementwise_kind(const Elementwise& form);

// Writes torch.nn's `torch_class` without arguments, or Keras' Activation of that name.
std::function<void(Lowerer&)> write_plain(const std::string& torch_class,
                                          const std::string& keras_activation);

// Entries of classes that are carried exactly.
std::vector<ClassEntry> exact(const std::vector<std::string>& names);

// The usual two cases of a kind without settings: the torch class and Keras' Activation, on images and on
// vectors.
std::vector<Case> plain_cases(const std::string& torch_class, const std::string& keras_activation);
Case torch_case(const std::string& name, const std::string& class_name, const Json& settings,
                const Shape& input);
Case keras_case(const std::string& name, const std::string& class_name, const Json& settings,
                const Shape& input);

// A mistake that puts another value in the place of one setting; none where it has that value already.
Mistake wrong_setting(const std::string& name, const std::string& message, const std::string& setting,
                      const Json& torch_value, const Json& keras_value);

}  // namespace tieout
