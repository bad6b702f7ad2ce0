#include "layers/shared/conv_lstm.h"
#include "layers/shared/recurrent_functions.h"

// The nn.Module that NAME.py contains for a ConvLSTM, which PyTorch does not have.

namespace tieout {

namespace {

constexpr const char* source = R"(class ConvLSTM(nn.Module):
    """An LSTM whose products are convolutions over the spatial axes S.

    x: (N, T, in_channels, *S), states: h and c, each (N, out_channels, *S'),
    mask: (N, T); returns y: (N, T, out_channels, *S'), and the last (h, c).
    Where the mask is 0 the states stay as they are, and y is that of the step before,
    or 0 if zero_masked.
    """

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride,
        padding,
        dilation,
        bias=True,
        activation="tanh",
        recurrent_activation="sigmoid",
        zero_masked=False,
    ):
        super().__init__()
        conv = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[len(kernel_size) - 1]
        gates = 4 * out_channels
        self.input = conv(
            in_channels, gates, kernel_size, stride, dilation=dilation, bias=bias
        )
        self.recurrent = conv(out_channels, gates, kernel_size, bias=False)
        # As F.pad takes them: both sides of each axis, the last axis first.
        self.padding = padding
        self.same = [
            side for k in reversed(kernel_size) for side in ((k - 1) // 2, k // 2)
        ]
        self.activation = activation
        self.recurrent_activation = recurrent_activation
        self.zero_masked = zero_masked

@function@
    def step(self, from_x, h, c):
        gates = from_x + self.recurrent(F.pad(h, self.same))
        i, f, g, o = gates.chunk(4, dim=1)
        i, f, o = (self.function(self.recurrent_activation, v) for v in (i, f, o))
        c = f * c + i * self.function(self.activation, g)
        return o * self.function(self.activation, c), c

    def forward(self, x, states=None, mask=None):
        from_x = self.input(F.pad(x.flatten(0, 1), self.padding))
        from_x = from_x.unflatten(0, (-1, x.shape[1]))
        if states is None:
            zeros = torch.zeros_like(from_x[:, 0].chunk(4, dim=1)[0])
            states = (zeros, zeros)
        y = torch.zeros_like(states[0])
        outputs = []
        for t in range(x.shape[1]):
            after = self.step(from_x[:, t], *states)
            if mask is None:
                y, states = after[0], after
            else:
                keep = mask[:, t].bool().reshape(-1, *[1] * (y.dim() - 1))
                skipped = torch.zeros_like(y) if self.zero_masked else y
                y = torch.where(keep, after[0], skipped)
                pairs = zip(after, states, strict=True)
                states = tuple(torch.where(keep, new, old) for new, old in pairs)
            outputs.append(y)
        return torch.stack(outputs, dim=1), states
)";

}  // namespace

std::string conv_lstm_definition() {
  std::string text = source;
  const std::string mark = "@function@\n";
  return text.replace(text.find(mark), mark.size(), recurrent_functions_python() + "\n");
}

}  // namespace tieout
