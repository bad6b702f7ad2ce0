#include <algorithm>
#include <cmath>

#include "layers/layer_kind.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/own_class.h"
#include "layers/shared/spatial.h"
#include "tieout/error.h"

// Spectra of each channel's frames: products with kernels, which begin as windowed cosines and sines and are
// trained like any others.
//
//   x: n c t   real_kernel, imag_kernel: f k   ->   y: n (c f) t', or n c t' f (setting expand)
//
// Settings: mode, Keras' word for what is made of the two products; frame (k), step; fft (f = fft / 2 + 1);
// same (TensorFlow's padding of that name), expand. Mode "stft" gives the real parts, then the imaginary
// ones: 2 f.

namespace tieout::layers {

namespace {

// keras.config.epsilon()
constexpr double smallest = 1e-7;
constexpr std::int64_t longest = 1 << 24;

constexpr const char* definition = R"(class STFTSpectrogram(nn.Module):
    """Spectra of frames of each channel, as Keras' layer of this name computes them.

    x: (N, C, T) -> (N, C * F, T'), or (N, C, T', F) with expand_dims, where
    F = fft_length // 2 + 1, twice that in the mode "stft".
    """

    def __init__(
        self,
        mode,
        frame_length,
        frame_step,
        fft_length,
        padding="valid",
        expand_dims=False,
    ):
        super().__init__()
        self.mode = mode
        self.frame_length = frame_length
        self.frame_step = frame_step
        self.padding = padding
        self.expand_dims = expand_dims
        shape = (fft_length // 2 + 1, 1, frame_length)
        if mode != "imag":
            self.real_kernel = nn.Parameter(torch.zeros(shape))
        if mode != "real":
            self.imag_kernel = nn.Parameter(torch.zeros(shape))

    def padded(self, x):
        if self.padding == "valid":
            return x
        size, step = x.shape[-1], self.frame_step
        total = max((size - 1) // step * step + self.frame_length - size, 0)
        return F.pad(x, (total // 2, total - total // 2))

    def spectrum(self, signals):
        if self.mode != "imag":
            real = F.conv1d(signals, self.real_kernel, stride=self.frame_step)
        if self.mode != "real":
            imag = F.conv1d(signals, self.imag_kernel, stride=self.frame_step)
        if self.mode == "real":
            return real
        if self.mode == "imag":
            return imag
        if self.mode == "angle":
            return torch.atan2(imag, real)
        if self.mode == "stft":
            return torch.cat((real, imag), dim=1)
        power = real.square() + imag.square()
        if self.mode == "psd":
            return power + F.pad(power[:, 1:-1], (0, 0, 1, 1))
        magnitude = power.clamp(min=1e-7).sqrt()
        if self.mode == "log":
            return magnitude.clamp(min=1e-7).log()
        return magnitude

    def forward(self, x):
        signals = self.padded(x).flatten(0, 1).unsqueeze(1)
        y = self.spectrum(signals).unflatten(0, (-1, x.shape[1]))
        return y.transpose(2, 3) if self.expand_dims else y.flatten(1, 2)
)";

const std::vector<std::string> modes = {"log", "magnitude", "psd", "real", "imag", "angle", "stft"};

bool has_real(const Json& settings) {
  return settings["mode"] != "imag";
}
bool has_imag(const Json& settings) {
  return settings["mode"] != "real";
}

std::int64_t next_power_of_two(std::int64_t number) {
  std::int64_t power = 1;
  while (power < number) power *= 2;
  return power;
}

std::int64_t bins(const Json& settings) {
  return settings["fft"].get<std::int64_t>() / 2 + 1;
}
std::int64_t features(const Json& settings) {
  return settings["mode"] == "stft" ? 2 * bins(settings) : bins(settings);
}

Json read(const Lifter& lifter) {
  const auto& given = lifter.settings();
  const std::int64_t frame = given.integer("frame_length", 256);
  if (frame < 1 || frame > longest) throw malformed("frame_length should be positive");
  const std::int64_t step = given.has("frame_step") ? given.integer("frame_step") : frame / 2;
  const std::int64_t fft = given.has("fft_length") ? given.integer("fft_length") : next_power_of_two(frame);
  if (step < 1 || step > frame || fft < frame || fft > longest)
    throw malformed("frame_step and fft_length do not fit frame_length");
  const std::string mode = given.text("mode", "log");
  if (std::ranges::find(modes, mode) == modes.end()) throw malformed("the mode " + mode + " is not known");
  return {{"mode", mode},
          {"frame", frame},
          {"step", step},
          {"fft", fft},
          {"same", given.text("padding", "valid") == "same"},
          {"expand", given.flag("expand_dims", false)}};
}

void lift(Lifter& lifter) {
  Layer layer = lifter.layer("stft_spectrogram");
  const auto order = image_order(lifter, 1);
  layer.orders = {order};
  layer.settings = read(lifter);
  if (layer.settings["expand"] == true)
    layer.output_order = order[1] == 1 ? std::vector<int>{0, 1, 2, 3} : std::vector<int>{0, 3, 1, 2};
  const AxisSizes sizes{{"f", bins(layer.settings)}, {"k", layer.settings["frame"]}};
  const std::string pattern = lifter.is_torch() ? "f 1 k" : "k 1 f";
  for (const std::string name : {"real_kernel", "imag_kernel"}) {
    const bool real = name == "real_kernel";
    if (real ? has_real(layer.settings) : has_imag(layer.settings))
      layer.parameters.push_back(lifter.parameter(name, "f k", {lifter.term(name, pattern)}, sizes));
  }
  lifter.add(std::move(layer));
}

Padding padding_of(const Json& settings, std::int64_t size) {
  if (settings["same"] == false || size == unknown) return {};
  const auto step = settings["step"].get<std::int64_t>();
  const std::int64_t total =
      std::max<std::int64_t>((size - 1) / step * step + settings["frame"].get<std::int64_t>() - size, 0);
  return {total / 2, total - total / 2};
}

std::int64_t frames(const Json& settings, std::int64_t size) {
  return window_count(size, padding_of(settings, size), settings["frame"].get<std::int64_t>(),
                      settings["step"].get<std::int64_t>(), 1);
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  const Axes& x = inputs[0];
  const std::int64_t all = features(layer.settings);
  const std::int64_t count = frames(layer.settings, x.at(2).size);
  if (layer.settings["expand"] == true) return {{x[0], x[1], {"h", count, {}}, {"w", all, {}}}};
  const std::int64_t channels = x[1].size == unknown ? unknown : x[1].size * all;
  return {{x[0], {x[1].name, channels, {}}, {x[2].name, count, {}}}};
}

void lower(Lowerer& lowerer) {
  const Json& given = lowerer.layer().settings;
  Json settings = {{"mode", given["mode"]},
                   {"frame_length", given["frame"]},
                   {"frame_step", given["step"]},
                   {"fft_length", given["fft"]}};
  if (given["same"] == true) settings["padding"] = "same";
  if (given["expand"] == true) settings["expand_dims"] = true;
  if (lowerer.to_torch()) {
    add_own_class(lowerer, "STFTSpectrogram", definition, settings);
    return;
  }
  settings["data_format"] = "channels_last";
  // The kernels come with the weights. A window would only begin them, and needs SciPy.
  settings["window"] = nullptr;
  lowerer.add("STFTSpectrogram", settings);
}

// y: (n c) f t', the products of the frames with the kernel.
Array product(const Evaluation& e, const Array& kernel) {
  const Array& x = *e.inputs[0];
  const Json& settings = e.layer.settings;
  const std::int64_t size = x.size(2);
  const std::int64_t step = e.integer("step");
  const std::int64_t low = padding_of(settings, size).low;
  Array y({x.size(0) * x.size(1), bins(settings), frames(settings, size)});
  std::size_t at = 0;
  for (std::int64_t row = 0; row < y.size(0); ++row) {
    const double* signal = x.data.data() + row * size;
    for (std::int64_t f = 0; f < y.size(1); ++f) {
      const double* weight = kernel.data.data() + f * e.integer("frame");
      for (std::int64_t t = 0; t < y.size(2); ++t) {
        const std::int64_t first = t * step - low;
        const std::int64_t begin = std::max<std::int64_t>(first, 0);
        const std::int64_t end = std::min(first + e.integer("frame"), size);
        double sum = 0;
        for (std::int64_t k = begin; k < end; ++k) sum += signal[k] * weight[k - first];
        y.data[at++] = sum;
      }
    }
  }
  return y;
}

// Of one signal's products, each f t' in a row: what the mode makes of them.
void combine(const std::string& mode, std::int64_t bin_count, std::size_t frame_count, const double* real,
             const double* imag, double* into) {
  const std::size_t count = static_cast<std::size_t>(bin_count) * frame_count;
  for (std::size_t k = 0; k < count; ++k) {
    if (mode == "real" || mode == "stft") into[k] = real[k];
    if (mode == "imag") into[k] = imag[k];
    if (mode == "stft") into[count + k] = imag[k];
    if (mode == "angle") into[k] = std::atan2(imag[k], real[k]);
    if (mode != "psd" && mode != "magnitude" && mode != "log") continue;
    const double power = real[k] * real[k] + imag[k] * imag[k];
    const std::size_t bin = k / frame_count;
    const bool border = bin == 0 || bin + 1 == static_cast<std::size_t>(bin_count);
    const double magnitude = std::sqrt(std::max(power, smallest));
    if (mode == "psd") into[k] = border ? power : 2 * power;
    if (mode == "magnitude") into[k] = magnitude;
    if (mode == "log") into[k] = std::log(std::max(magnitude, smallest));
  }
}

std::vector<Array> compute(const Evaluation& e) {
  const Array& x = *e.inputs[0];
  const Json& settings = e.layer.settings;
  const Array real = has_real(settings) ? product(e, e.parameter("real_kernel")) : Array();
  const Array imag = has_imag(settings) ? product(e, e.parameter("imag_kernel")) : Array();
  const Array& any = has_real(settings) ? real : imag;
  const auto signals = static_cast<std::size_t>(any.size(0));
  const std::size_t each = any.count() / std::max<std::size_t>(signals, 1);
  Array y({x.size(0), x.size(1), features(settings), any.size(2)});
  const std::size_t made = y.count() / std::max<std::size_t>(signals, 1);
  for (std::size_t k = 0; k < signals; ++k)
    combine(settings["mode"].get<std::string>(), any.size(1), static_cast<std::size_t>(any.size(2)),
            real.data.data() + k * each, imag.data.data() + k * each, y.data.data() + k * made);
  if (settings["expand"] == true) return {permuted(y, {0, 1, 3, 2})};
  y.shape = {x.size(0), x.size(1) * features(settings), any.size(2)};
  return {y};
}

bool swapped(Layer& layer, Framework, const std::vector<Axes>&) {
  if (layer.settings["mode"] != "angle" && layer.settings["mode"] != "stft") return false;
  std::swap(layer.parameters.at(0).terms, layer.parameters.at(1).terms);
  return true;
}

std::vector<Case> cases() {
  const auto made = [](const std::string& name, Json settings, const Shape& shape) {
    settings["frame_length"] = 8;
    settings["window"] = nullptr;
    return keras_case(name, "STFTSpectrogram", settings, shape);
  };
  std::vector<Case> all;
  for (const std::string& mode : modes) all.push_back(made("mode " + mode, {{"mode", mode}}, {2, 30, 2}));
  all.push_back(made("same, step 3", {{"mode", "real"}, {"padding", "same"}, {"frame_step", 3}}, {2, 31, 2}));
  all.push_back(made("same, more bins", {{"padding", "same"}, {"fft_length", 16}}, {2, 33, 1}));
  all.push_back(made("an image", {{"mode", "magnitude"}, {"expand_dims", true}}, {2, 30, 3}));
  all.push_back(made("an image of both parts", {{"mode", "stft"}, {"expand_dims", true}, {"fft_length", 9}},
                     {2, 30, 2}));
  return all;
}

}  // namespace

LayerKind stft_spectrogram() {
  LayerKind kind;
  kind.name = "stft_spectrogram";
  kind.torch = exact({"tieout.STFTSpectrogram"});
  kind.keras = exact({"STFTSpectrogram"});
  kind.summary = "Spectra of the frames of each channel of x (n c t), made with kernels that can be trained.";
  kind.sources = {
      "https://keras.io/api/layers/preprocessing_layers/audio_preprocessing/stft_spectrogram/",
      "https://github.com/keras-team/keras/blob/v3.15.1/keras/src/layers/preprocessing/stft_spectrogram.py"};
  kind.lift = lift;
  kind.infer = infer;
  kind.need = [](const Layer&, Framework target) { return image_need(1, target); };
  kind.lower = lower;
  kind.compute = compute;
  kind.fan_in = [](const Layer& layer) { return layer.settings["frame"].get<double>(); };
  kind.mistakes = {
      {"real_imag", "the kernels of the real and the imaginary part stand in each other's place", swapped}};
  kind.cases = cases();
  return kind;
}

}  // namespace tieout::layers
