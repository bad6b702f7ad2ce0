#include "verify/child_witness.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "containers/json/json_text.h"
#include "containers/npy/npy.h"
#include "tieout/error.h"
#include "verify/child_process.h"
#include "verify/probe.h"
#include "verify/runners.h"

namespace tieout {

namespace {

namespace fs = std::filesystem;

std::string environment(const char* name, const std::string& fallback) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : fallback;
}

std::chrono::seconds time_limit() {
  constexpr int fallback = 300;
  const int given = std::atoi(environment("TIEOUT_WITNESS_TIMEOUT", std::to_string(fallback)).c_str());
  return std::chrono::seconds(given > 0 ? given : fallback);
}

// Does the node's expression give what the module itself gives? "{module}({0}, {1})", or its part [0].
bool shows_module(const FrameworkNode& node) {
  if (node.call.empty()) return true;
  if (!node.call.starts_with("{module}(")) return false;
  const std::size_t close = node.call.find(')');
  const std::string rest = close == std::string::npos ? "?" : node.call.substr(close + 1);
  return rest.empty() || rest == "[0]";
}

// "/dir/net.pt" -> "/dir/net.py", where that is a file.
std::string code_beside(const std::string& file) {
  const fs::path code = fs::path(file).replace_extension(".py");
  std::error_code ignored;
  return fs::is_regular_file(code, ignored) ? fs::absolute(code).string() : "";
}

std::string absolute_module(const std::string& module) {
  return module.empty() ? "" : fs::absolute(module).string();
}

class ChildWitness final : public Witness {
 public:
  ChildWitness(const WitnessSpec& spec, const Model& model, const FrameworkModel& file)
      : spec_(spec), model_(model), file_(file) {
    std::map<std::string, int> calls;
    for (const auto& node : file.nodes) {
      if (calls[node.name]++ == 0) layers_.push_back(node.name);
      call_of_.push_back(calls[node.name] - 1);
    }
    // Keras does not list a layer's calls in the order of the data.
    for (const auto& [name, count] : calls) {
      if (is_keras() && count > 1) std::erase(layers_, name);
    }
  }

  [[nodiscard]] std::string name() const override { return is_keras() ? "keras" : "torch"; }
  [[nodiscard]] bool is_float64() const override { return float64_; }
  [[nodiscard]] bool is_keras() const override { return spec_.kind == WitnessSpec::Kind::keras; }

  [[nodiscard]] Findings notes() const override {
    if (note_.empty()) return {};
    return {{Severity::note, "", "the " + name() + " witness ran in float32, since float64 failed: " + note_,
             ""}};
  }

  void run(const std::vector<std::vector<Array>>& probes) override {
    const TemporaryDirectory directory;
    const fs::path script = directory.path() / (name() + "_runner.py");
    try {
      write_job(directory.path(), probes);
    } catch (const fs::filesystem_error& error) {
      throw io_error(directory.path().string(), error.code().message());
    }
    std::ofstream(script) << (is_keras() ? keras_runner : torch_runner);
    const ChildEnd end =
        run_child({python(), script.string(), directory.path().string()}, directory.path(), time_limit());
    if (!end.is_good())
      throw WitnessFailure{"the " + name() + " witness " + end.describe(python()), way_out(end)};
    try {
      read_results(directory.path());
    } catch (const Error& error) {
      throw WitnessFailure{"what the " + name() + " witness wrote cannot be read: " + error.describe(),
                           way_out(end)};
    }
  }

  [[nodiscard]] std::unique_ptr<ProbeValues> values(std::size_t probe, const std::set<int>&) const override {
    std::vector<std::optional<Array>> all(model_.values.size());
    const std::string prefix = "probe" + std::to_string(probe) + "/";
    for (std::size_t i = 0; i < model_.inputs.size(); ++i) {
      all[static_cast<std::size_t>(model_.inputs[i])] = probes_.at(probe).at(i);
    }
    for (const auto& layer : model_.layers) {
      for (std::size_t k = 0; k < layer.outputs.size(); ++k) {
        const auto value = static_cast<std::size_t>(layer.outputs[k]);
        if (model_.is_observable(layer.outputs[k]))
          all[value] = find(prefix + key(layer, k), model_.values[value]);
      }
    }
    for (std::size_t i = 0; i < model_.outputs.size(); ++i) {
      const auto value = static_cast<std::size_t>(model_.outputs[i]);
      const auto found = results_.find(prefix + "output" + std::to_string(i));
      if (found != results_.end()) all[value] = to_array(found->second);
    }
    return recorded_values(std::move(all));
  }

 private:
  [[nodiscard]] std::string python() const {
    if (!spec_.python.empty()) return spec_.python;
    return environment(is_keras() ? "TIEOUT_KERAS_PYTHON" : "TIEOUT_TORCH_PYTHON", "python3");
  }

  [[nodiscard]] std::string way_out(const ChildEnd& end) const {
    if (end.timed_out) return "allow it more seconds with TIEOUT_WITNESS_TIMEOUT";
    if (end.signal != 0) return "use the interpreter as the witness";
    return is_keras() ? "give a python that has Keras with --keras-python or TIEOUT_KERAS_PYTHON"
                      : "give a python that has PyTorch with --torch-python or TIEOUT_TORCH_PYTHON";
  }

  // keras.saving.load_model goes by the suffix, tieout by the content.
  [[nodiscard]] std::string file_for_keras(const fs::path& directory) const {
    const bool zip = file_.format.find("zip") != std::string::npos;
    const fs::path link = directory / (zip ? "model.keras" : "model.h5");
    fs::create_symlink(fs::absolute(file_.file), link);
    return link.string();
  }

  void write_job(const fs::path& directory, const std::vector<std::vector<Array>>& probes) {
    Json job = {{"file", is_keras() ? file_for_keras(directory) : fs::absolute(file_.file).string()},
                {"format", file_.format},
                {"module", spec_.module.empty() ? code_beside(file_.file) : absolute_module(spec_.module)},
                {"layers", layers_},
                {"probes", probes.size()},
                {"inputs", model_.inputs.size()},
                {"integer", Json::array()}};
    for (const int input : model_.inputs) {
      const DType dtype = model_.values[static_cast<std::size_t>(input)].dtype;
      job["integer"].push_back(dtype <= DType::i64 || embedding_size(model_, input) > 0);
    }
    std::ofstream(directory / "job.json") << job.dump(-1, ' ', false, Json::error_handler_t::replace);
    std::vector<NamedTensor> inputs;
    for (std::size_t p = 0; p < probes.size(); ++p) {
      for (std::size_t i = 0; i < probes[p].size(); ++i) {
        inputs.push_back(
            {"probe" + std::to_string(p) + "/input" + std::to_string(i), to_tensor(probes[p][i])});
      }
    }
    OutputFile out((directory / "inputs.npz").string(), false);
    write_npz(out, inputs);
    out.commit();
    probes_ = probes;
  }

  void read_results(const fs::path& directory) {
    std::ifstream in(directory / "result.json");
    std::stringstream text;
    text << in.rdbuf();
    const Json result = parse_json(text.str(), {});
    float64_ = result.value("dtype", "") == "float64";
    note_ = result.value("note", "");
    for (auto& [name, tensor] :
         read_npz(std::make_shared<const MappedFile>((directory / "outputs.npz").string()))) {
      results_.emplace(name, std::move(tensor));
    }
  }

  // "layer3/call0/1": as the runner names what the layer's node gives.
  [[nodiscard]] std::string key(const Layer& layer, std::size_t output) const {
    const auto node = static_cast<std::size_t>(layer.node);
    const auto found = std::ranges::find(layers_, file_.nodes.at(node).name);
    if (found == layers_.end() || (!is_keras() && !shows_module(file_.nodes[node]))) return "";
    return "layer" + std::to_string(found - layers_.begin()) + "/call" + std::to_string(call_of_[node]) +
           "/" + std::to_string(output);
  }

  // The recorded array; nothing where it is not of the value's shape, since then the module gives something
  // else than the node (a tuple's other member).
  [[nodiscard]] std::optional<Array> find(const std::string& name, const Value& value) const {
    const auto found = results_.find(name);
    if (found == results_.end()) return std::nullopt;
    Array array = to_array(found->second);
    bool fits = value.known && array.rank() == value.axes.size();
    for (std::size_t k = 0; fits && k < array.rank(); ++k) {
      fits = value.axes[k].size == unknown || value.axes[k].size == array.shape[k];
    }
    return fits ? std::optional(std::move(array)) : std::nullopt;
  }

  WitnessSpec spec_;
  const Model& model_;
  const FrameworkModel& file_;
  std::vector<std::string> layers_;
  std::vector<int> call_of_;  // by node: how many nodes of the same name come before it
  std::vector<std::vector<Array>> probes_;
  std::map<std::string, LazyTensor> results_;
  bool float64_ = true;
  std::string note_;
};

}  // namespace

std::unique_ptr<Witness> make_child_witness(const WitnessSpec& spec, const Model& model,
                                            const FrameworkModel& file) {
  return std::make_unique<ChildWitness>(spec, model, file);
}

}  // namespace tieout
