// Whatever can run a model and tell each layer's output.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "model/model.h"
#include "tensor/array.h"
#include "verify/probe_values.h"

namespace tieout {

// What `--witness` asks for.
struct WitnessSpec {
  enum class Kind {
    interpreter,  // tieout's own, in float64
    torch,        // the real PyTorch in a child process
    keras,        // the real Keras in a child process
    evidence      // arrays recorded earlier (`tieout run`)
  };
  Kind kind = Kind::interpreter;
  // interpreter: in plain loops, which are slow and are what the fast ones are compared with ("plain").
  bool plain = false;
  // torch, keras: the program "python"; empty: TIEOUT_TORCH_PYTHON or TIEOUT_KERAS_PYTHON, otherwise
  // "python3".
  std::string python;
  // torch: FILE.py or FILE.py:Class with the code of a state_dict's model; empty: NAME.py beside NAME.pt.
  std::string module;
  // evidence: its file, for messages, and what it holds: "output/0", "layer/NAME", perhaps "input/0".
  std::string file;
  std::vector<NamedTensor> evidence;
};

// "interpreter", "plain", "torch" and "keras"; everything else names an evidence file, which the caller
// reads.
WitnessSpec parse_witness(const std::string& text);

// Why a witness has nothing to say: it died, or it cannot be run at all. verify() makes it a finding.
struct WitnessFailure {
  std::string message;  // "the keras witness died: SIGFPE; its last words: ..."
  std::string way_out;
};

class Witness {
 public:
  virtual ~Witness() = default;
  [[nodiscard]] virtual std::string name() const = 0;

  // Runs the model on each probe: its inputs, in the model's own order and layout. Throws WitnessFailure.
  virtual void run(const std::vector<std::vector<Array>>& probes) = 0;
  // After run(): those values of the model under one probe that will be asked for. Not beyond the witness's
  // life.
  [[nodiscard]] virtual std::unique_ptr<ProbeValues> values(std::size_t probe,
                                                            const std::set<int>& wanted) const = 0;

  // After run(): does it compute in float64? Otherwise in float32, and that is what the tolerance allows for.
  [[nodiscard]] virtual bool is_float64() const { return true; }
  // The real Keras rounds some of its constants to float32 even in float64.
  [[nodiscard]] virtual bool is_keras() const { return false; }
  // After run(): what the user should know ("it ran in float32, since ..."); usually empty.
  [[nodiscard]] virtual Findings notes() const { return {}; }
};

// `model` and `file` must outlive the witness. Error(usage) when the witness is of the other framework.
std::unique_ptr<Witness> make_witness(const WitnessSpec& spec, const Model& model,
                                      const FrameworkModel& file);

// For `tieout run`: "input/0", ..., "output/0", ..., and "layer/NAME" for each name asked for, in the layout
// of the model's framework, as float64. Error(usage) when no layer has that name or the witness cannot show
// it; Error(unsupported) with the witness's last words when it dies.
std::vector<NamedTensor> record(const Model& model, const FrameworkModel& file, const WitnessSpec& spec,
                                const std::vector<Array>& inputs, const std::vector<std::string>& layers);

}  // namespace tieout
