#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/output_file.h"
#include "cli/command.h"
#include "cli/witness_options.h"
#include "tieout.h"
#include "verify/probe.h"
#include "verify/timing.h"

namespace tieout::cli {

namespace {

struct Options {
  std::string model;
  std::vector<std::string> shapes;
  std::vector<std::string> layers;
  std::string witness = "interpreter";
  WitnessOptions how;
  std::string probe;
  std::uint64_t seed = 0;
  std::string out;
  bool force = false;
  ReadOptions reading;
  int repeat = 0;
};

// The probe's own shape tells what the file leaves open.
InputShapes shapes_of_probe(const Side& side, const std::vector<NamedTensor>& tensors, InputShapes shapes) {
  if (!shapes.empty() || tensors.size() != side.file.inputs.size()) return shapes;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const Shape& shape = tensors[i].tensor.shape;
    const Value& value = side.model.values[static_cast<std::size_t>(side.model.inputs[i])];
    const bool open = !value.known || std::any_of(value.axes.begin() + 1, value.axes.end(),
                                                  [](const Axis& axis) { return axis.size == unknown; });
    if (open && !shape.empty()) shapes[side.file.inputs[i].name] = Shape(shape.begin() + 1, shape.end());
  }
  return shapes;
}

// The forward pass alone, on one line: seconds, then MiB of weights and of values.
void say_timing(const Options& options, const Side& side, const std::vector<Array>& inputs) {
  const WitnessSpec spec = options.how.spec(options.witness);
  if (spec.kind != WitnessSpec::Kind::interpreter) {
    throw usage_error("--repeat times the interpreter only", "leave --witness or --repeat out");
  }
  const Timing timing = time_forward(side.model, side.file, inputs, options.repeat, spec.plain);
  constexpr double mebibyte = 1 << 20;
  fmt::print("forward {:.6f} s, the median of {}; {:.1f} MiB of weights, at most {:.1f} MiB of values\n",
             timing.seconds, options.repeat, static_cast<double>(timing.weights) / mebibyte,
             static_cast<double>(timing.most_values) / mebibyte);
}

ExitCode run_model(const Options& options) {
  InputShapes shapes = parse_input_shapes(options.shapes);
  Side side = open_side(options.model, shapes, options.reading);
  std::vector<NamedTensor> given;
  if (!options.probe.empty()) {
    given = read_tensors(options.probe);
    const InputShapes complete = shapes_of_probe(side, given, shapes);
    if (complete != shapes) side = open_side(options.model, complete, options.reading);
  }
  require_runnable(side);
  const auto inputs =
      options.probe.empty() ? random_probe(side.model, 0, options.seed) : given_probe(side.model, given);
  if (options.repeat > 0) say_timing(options, side, inputs);
  const auto recorded =
      record(side.model, side.file, options.how.spec(options.witness), inputs, options.layers);
  write_tensors(recorded, options.out, options.force);
  for (const auto& [name, tensor] : recorded) fmt::print("{} {}\n", name, to_string(tensor.shape));
  return ExitCode::done;
}

}  // namespace

void add_run(CLI::App& app, Chosen& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      add_command(app, "run", "Run a model on an input and record its outputs, without either framework",
                  "  tieout run lenet5.keras --probe digit.npy -o out.npz\n"
                  "  tieout run lenet5.pt --probe digit.npy --layer 0 --layer 3 -o out.safetensors\n"
                  "  tieout run lenet5.keras --witness keras -o evidence.npz\n");
  command->add_option("MODEL", options->model, "a model of either framework")->required();
  command->add_option("--probe", options->probe,
                      "inputs (.npy, .npz, .safetensors) in the model's layout; random ones otherwise");
  command->add_option("--layer", options->layers, "record this layer's output too")
      ->take_all()
      ->allow_extra_args(false);
  command
      ->add_option("--witness", options->witness, "interpreter, plain (its slow reference), torch or keras")
      ->capture_default_str();
  command->add_option("--repeat", options->repeat, "time that many forward passes of the interpreter first")
      ->check(CLI::Range(1, 1000000));
  command->add_option("--seed", options->seed, "of a random probe")->capture_default_str();
  add_input_shapes(command, options->shapes);
  add_key(command, options->reading.key);
  add_witness_options(command, options->how);
  command->add_option("-o,--output", options->out, "where to write: OUT.npz or OUT.safetensors")->required();
  command->add_flag("--force", options->force, "overwrite the output if it exists");
  command->callback([options, &chosen] { chosen.run = [options] { return run_model(*options); }; });
}

}  // namespace tieout::cli
