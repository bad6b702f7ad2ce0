#include <string>

#include "layers/shared/recurrent.h"
#include "layers/shared/recurrent_functions.h"

// The nn.Module that NAME.py contains where torch.nn's class cannot compute the layer.

namespace tieout {

namespace {

// Puts `value` in the place of each "@key@".
void fill(std::string& text, const std::string& key, const std::string& value) {
  const std::string mark = "@" + key + "@";
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size()))
    text.replace(at, mark.size(), value);
}

constexpr const char* source = R"(class Stepwise@class@(nn.RNNBase):
    """nn.@class@ of one level, step by step: with other functions, and with masks.

    x: (N, T, input_size), states: @states@ of (D, N, hidden_size), mask: (N, T);
    returns y: (N, T, D * hidden_size), and the last states. D is 2 if bidirectional,
    else 1. Where the mask is 0 the states stay as they are, and y is that of the step
    before, or 0 if zero_masked.
    """

    def __init__(
        self,
        input_size,
        hidden_size,
        bias=True,
        bidirectional=False,
        activation="tanh",
@argument@        zero_masked=False,
@flag@    ):
        super().__init__(
            "@mode@",
            input_size,
            hidden_size,
            bias=bias,
            batch_first=True,
            bidirectional=bidirectional,
        )
        self.activation = activation
@attribute@        self.zero_masked = zero_masked
@flag attribute@
@function@
@step@
    def run(self, x, mask, states, weights):
        """One direction: the outputs in the order of the steps, and the last states."""
        y = torch.zeros_like(states[0])
        outputs = []
        for t in range(x.shape[1]):
            after = self.step(x[:, t], *states, *weights)
            if mask is None:
                y, states = after[0], after
            else:
                keep = mask[:, t, None].bool()
                skipped = torch.zeros_like(y) if self.zero_masked else y
                y = torch.where(keep, after[0], skipped)
                pairs = zip(after, states, strict=True)
                states = [torch.where(keep, new, old) for new, old in pairs]
            outputs.append(y)
        return torch.stack(outputs, dim=1), states

    def forward(self, x, states=None, mask=None):
        if states is None:
            directions = len(self.all_weights)
            zeros = x.new_zeros(directions, x.shape[0], self.hidden_size)
            states = @zeros@
@listed@        forward = [state[0] for state in states]
        y, last = self.run(x, mask, forward, self.all_weights[0])
        lasts = [last]
        if self.bidirectional:
            flipped = None if mask is None else mask.flip(1)
            backward = [state[1] for state in states]
            reverse, last = self.run(x.flip(1), flipped, backward, self.all_weights[1])
            y = torch.cat((y, reverse.flip(1)), dim=-1)
            lasts.append(last)
@return@
)";

}  // namespace

std::string recurrent_definition(const RecurrentCell& cell) {
  const bool two = cell.states == 2;
  std::string text = source;
  fill(text, "class", cell.torch_class);
  fill(text, "mode", cell.torch_class == "RNN" ? "RNN_TANH" : cell.torch_class);
  fill(text, "states", two ? "h and c, each" : "h,");
  fill(text, "argument", cell.recurrent_activation ? "        recurrent_activation=\"sigmoid\",\n" : "");
  fill(text, "attribute",
       cell.recurrent_activation ? "        self.recurrent_activation = recurrent_activation\n" : "");
  const std::string& flag = cell.python_flag;
  fill(text, "flag", flag.empty() ? "" : "        " + flag + "=True,\n");
  fill(text, "flag attribute", flag.empty() ? "" : "        self." + flag + " = " + flag + "\n");
  fill(text, "function", recurrent_functions_python());
  fill(text, "step", cell.python_step);
  fill(text, "zeros", two ? "(zeros, zeros)" : "zeros");
  fill(text, "listed", two ? "" : "        states = (states,)\n");
  fill(text, "return",
       two ? "        h, c = (torch.stack(pair) for pair in zip(*lasts, strict=True))\n        return y, (h, "
             "c)"
           : "        return y, torch.stack([last[0] for last in lasts])");
  return text;
}

}  // namespace tieout
