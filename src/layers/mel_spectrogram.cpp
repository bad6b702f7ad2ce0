#include <algorithm>
#include <cmath>
#include <numbers>

#include "layers/layer_kind.h"
#include "layers/shared/elementwise.h"
#include "layers/shared/own_class.h"
#include "layers/shared/spatial.h"
#include "tieout/error.h"

// The strength of bands of the mel scale in each frame of a signal.   x: n t   ->   y: n f t'
//
// Frames of fft_length cells, one every sequence_stride, of the signal mirrored at its ends; times a window
// of sequence_length cells in the middle; the Fourier transform's magnitude to the power mag_exp; sums with
// triangular filters; decibels, cut off top_db below the largest of the whole batch.
//
// Settings: those of Keras' layer, all given. Keras computes the filters in float32 at each call, and so do
// we and the PyTorch class, step by step; but the last digit of a logarithm in float32 is its backend's own,
// and moves a filter by up to 2e-5 of its peak.

namespace tieout::layers {

namespace {

constexpr std::int64_t longest = 1 << 24;

constexpr const char* definition = R"(class MelSpectrogram(nn.Module):
    """The strength of bands of the mel scale, as Keras' layer of this name has it.

    x: (N, T) -> (N, num_mel_bins, T'), T' = T // sequence_stride + 1 for an even
    fft_length.
    """

    def __init__(
        self,
        fft_length,
        sequence_stride,
        sequence_length,
        sampling_rate,
        num_mel_bins,
        min_freq,
        max_freq,
        power_to_db,
        top_db,
        mag_exp,
        min_power,
        ref_power,
        window=None,
    ):
        super().__init__()
        self.fft_length = fft_length
        self.sequence_stride = sequence_stride
        self.mag_exp = mag_exp
        self.power_to_db = power_to_db
        self.top_db = top_db
        self.min_power = min_power
        self.ref_power = ref_power
        self.register_buffer(
            "window",
            self.make_window(window, sequence_length, fft_length),
            persistent=False,
        )
        self.register_buffer(
            "filters",
            self.make_filters(
                fft_length // 2 + 1, sampling_rate, num_mel_bins, min_freq, max_freq
            ),
            persistent=False,
        )

    @staticmethod
    def make_window(window, length, fft_length):
        mean = {"hann": 0.5, "hamming": 0.54, None: 1.0}[window]
        angle = 2 * math.pi * torch.arange(length, dtype=torch.float64) / length
        before = (fft_length - length) // 2
        cells = mean - (1 - mean) * angle.cos()
        return F.pad(cells, (before, fft_length - length - before))

    @staticmethod
    def make_filters(bins, sampling_rate, bands, min_freq, max_freq):
        """(bins, bands), in float32 as in Keras."""

        def mel(hertz):
            return 1127.0 * (1.0 + hertz / 700.0).double().log().float()

        def evenly(start, stop, count):
            steps = torch.arange(count, dtype=torch.float32)
            steps = start + steps * ((stop - start) / (count - 1))
            steps[-1] = stop
            return steps

        zero = torch.tensor(0.0)
        nyquist = torch.tensor(float(sampling_rate)) / 2.0
        low = mel(torch.tensor(float(min_freq)))
        high = mel(torch.tensor(float(max_freq)))
        edges = evenly(low, high, bands + 2)
        left, middle, right = edges[:-2], edges[1:-1], edges[2:]
        at = mel(evenly(zero, nyquist, bins)[1:]).unsqueeze(1)
        up, down = (at - left) / (middle - left), (right - at) / (right - middle)
        # The lowest bin, a constant signal, counts in no band.
        return F.pad(torch.minimum(up, down).clamp(min=0), (0, 0, 1, 0))

    def forward(self, x):
        side = self.fft_length // 2
        x = F.pad(x.unsqueeze(1), (side, side), mode="reflect").squeeze(1)
        frames = x.unfold(1, self.fft_length, self.sequence_stride)
        y = torch.fft.rfft(frames * self.window.to(x.dtype)).abs() ** self.mag_exp
        y = y @ self.filters.to(x.dtype)
        if self.power_to_db:
            reference = max(abs(self.ref_power), self.min_power)
            y = 10.0 * y.clamp(min=self.min_power).log10()
            y = y - 10.0 * math.log10(reference)
            y = torch.maximum(y, y.max() - self.top_db)
        return y.transpose(1, 2)
)";

Json read(const Lifter& lifter) {
  const auto& given = lifter.settings();
  const std::int64_t rate = given.integer("sampling_rate", 16000);
  const std::int64_t fft = given.integer("fft_length", 2048);
  Json settings = {{"fft_length", fft},
                   {"sequence_stride", given.integer("sequence_stride", 512)},
                   {"sequence_length", given.has("sequence_length") ? given.integer("sequence_length") : fft},
                   {"window", lifter.node().settings.value("window", lifter.is_keras() ? "hann" : Json())},
                   {"sampling_rate", rate},
                   {"num_mel_bins", given.integer("num_mel_bins", 128)},
                   {"min_freq", given.number("min_freq", 20)},
                   {"max_freq", given.number("max_freq", std::floor(static_cast<double>(rate) / 2))},
                   {"power_to_db", given.flag("power_to_db", true)},
                   {"top_db", given.number("top_db", 80)},
                   {"mag_exp", given.number("mag_exp", 2)},
                   {"min_power", given.number("min_power", 1e-10)},
                   {"ref_power", given.number("ref_power", 1)}};
  return settings;
}

void check(const Lifter& lifter, const Json& settings) {
  const auto at = [&](const char* name) { return settings[name].get<std::int64_t>(); };
  if (at("fft_length") < 2 || at("fft_length") > longest || at("sequence_length") < 1 ||
      at("sequence_length") > at("fft_length") || at("sequence_stride") < 1 ||
      at("sequence_stride") > longest || at("num_mel_bins") < 1 || at("num_mel_bins") > longest ||
      at("fft_length") * at("num_mel_bins") > longest)
    throw malformed("fft_length, sequence_length, sequence_stride or num_mel_bins is out of its range");
  const Json& window = settings["window"];
  if (window != "hann" && window != "hamming" && !window.is_null())
    lifter.refuse("it has a window of its own", "use the window hann or hamming");
  if (!window.is_null() && at("sequence_length") % 2 != 0)
    lifter.refuse("Keras' backends have different windows of an odd sequence_length", "use an even one");
  if (lifter.input().known && lifter.input().axes.size() != 2)
    lifter.refuse("its input is no batch of single signals", "reshape it to (batch, samples)");
}

void lift(Lifter& lifter) {
  Layer layer = lifter.layer("mel_spectrogram");
  layer.settings = read(lifter);
  check(lifter, layer.settings);
  lifter.roles(0, {"n", "t"});
  layer.orders = {{0, 1}};
  lifter.add(std::move(layer));
}

std::int64_t frames(const Json& settings, std::int64_t size) {
  const auto fft = settings["fft_length"].get<std::int64_t>();
  if (size != unknown && size <= fft / 2) throw malformed("the signal is shorter than half a frame");
  return window_count(size, {fft / 2, fft / 2}, fft, settings["sequence_stride"].get<std::int64_t>(), 1);
}

std::vector<Axes> infer(const Layer& layer, const std::vector<Axes>& inputs) {
  const Axes& x = inputs[0];
  return {{x.at(0),
           {x.at(1).name == "f" ? "mel" : "f", layer.settings["num_mel_bins"].get<std::int64_t>(), {}},
           {x[1].name, frames(layer.settings, x[1].size), {}}}};
}

void lower(Lowerer& lowerer) {
  if (lowerer.to_torch())
    add_own_class(lowerer, "MelSpectrogram", definition, lowerer.layer().settings);
  else
    lowerer.add("MelSpectrogram", lowerer.layer().settings);
}

float mel(float hertz) {
  return 1127.0F * static_cast<float>(std::log(static_cast<double>(1.0F + hertz / 700.0F)));
}

std::vector<float> evenly(float start, float stop, std::int64_t count) {
  const float step = (stop - start) / static_cast<float>(count - 1);
  std::vector<float> all;
  for (std::int64_t k = 0; k < count; ++k) all.push_back(start + static_cast<float>(k) * step);
  all.back() = stop;
  return all;
}

// bins x bands
Array filters(const Json& settings) {
  const std::int64_t bins = settings["fft_length"].get<std::int64_t>() / 2 + 1;
  const auto bands = settings["num_mel_bins"].get<std::int64_t>();
  const auto hertz = evenly(0.0F, settings["sampling_rate"].get<float>() / 2.0F, bins);
  const auto edges =
      evenly(mel(settings["min_freq"].get<float>()), mel(settings["max_freq"].get<float>()), bands + 2);
  Array all({bins, bands});
  for (std::int64_t bin = 1; bin < bins; ++bin) {
    const float at = mel(hertz[static_cast<std::size_t>(bin)]);
    for (std::int64_t band = 0; band < bands; ++band) {
      const float* edge = edges.data() + band;
      const float up = (at - edge[0]) / (edge[1] - edge[0]);
      const float down = (edge[2] - at) / (edge[2] - edge[1]);
      all.data[static_cast<std::size_t>(bin * bands + band)] =
          static_cast<double>(std::max(0.0F, std::min(up, down)));
    }
  }
  return all;
}

std::vector<double> window(const Json& settings) {
  const auto fft = settings["fft_length"].get<std::int64_t>();
  const auto length = settings["sequence_length"].get<std::int64_t>();
  const double mean = settings["window"] == "hann" ? 0.5 : settings["window"] == "hamming" ? 0.54 : 1.0;
  std::vector<double> cells(static_cast<std::size_t>(fft), 0.0);
  for (std::int64_t k = 0; k < length; ++k) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(length);
    cells[static_cast<std::size_t>((fft - length) / 2 + k)] = mean - (1 - mean) * std::cos(angle);
  }
  return cells;
}

// The magnitudes of a frame's Fourier transform, fft / 2 + 1 of them. `turn`: cosine and sine of each fft-th
// of a turn.
std::vector<double> spectrum(const std::vector<double>& frame,
                             const std::vector<std::pair<double, double>>& turn) {
  std::vector<double> magnitudes;
  for (std::size_t bin = 0; bin <= frame.size() / 2; ++bin) {
    double real = 0;
    double imag = 0;
    for (std::size_t k = 0, place = 0; k < frame.size(); ++k, place = (place + bin) % frame.size()) {
      real += frame[k] * turn[place].first;
      imag += frame[k] * turn[place].second;
    }
    magnitudes.push_back(std::sqrt(real * real + imag * imag));
  }
  return magnitudes;
}

void to_decibels(Array& y, const Evaluation& e) {
  const double least = e.number("min_power");
  const double reference = 10 * std::log10(std::max(std::abs(e.number("ref_power")), least));
  for (double& power : y.data) power = 10 * std::log10(std::max(power, least)) - reference;
  if (y.data.empty()) return;
  const double lowest = *std::ranges::max_element(y.data) - e.number("top_db");
  for (double& power : y.data) power = std::max(power, lowest);
}

std::vector<Array> compute(const Evaluation& e) {
  const Array& x = *e.inputs[0];
  const Json& settings = e.layer.settings;
  const std::int64_t fft = e.integer("fft_length");
  const std::int64_t size = x.size(1);
  const std::int64_t count = frames(settings, size);
  const std::int64_t bands = e.integer("num_mel_bins");
  const Array weights = filters(settings);
  const auto shape = window(settings);
  std::vector<std::pair<double, double>> turn;
  for (std::int64_t k = 0; k < fft; ++k) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(fft);
    turn.emplace_back(std::cos(angle), -std::sin(angle));
  }
  Array y({x.size(0), bands, count});
  std::vector<double> frame(shape.size());
  for (std::int64_t row = 0; row < x.size(0) * count; ++row) {
    const std::int64_t n = row / count;
    const std::int64_t t = row % count;
    for (std::int64_t k = 0; k < fft; ++k) {
      // Mirrored at the ends, the border cell not repeated.
      std::int64_t at = std::abs(t * e.integer("sequence_stride") + k - fft / 2);
      if (at >= size) at = 2 * (size - 1) - at;
      frame[static_cast<std::size_t>(k)] =
          shape[static_cast<std::size_t>(k)] * x.data[static_cast<std::size_t>(n * size + at)];
    }
    const auto magnitudes = spectrum(frame, turn);
    for (std::size_t bin = 0; bin < magnitudes.size(); ++bin) {
      const double power = std::pow(magnitudes[bin], e.number("mag_exp"));
      const double* weight = weights.data.data() + bin * static_cast<std::size_t>(bands);
      for (std::int64_t band = 0; band < bands; ++band)
        y.data[static_cast<std::size_t>((n * bands + band) * count + t)] += power * weight[band];
    }
  }
  if (e.flag("power_to_db")) to_decibels(y, e);
  return {y};
}

std::vector<Case> cases() {
  const auto made = [](const std::string& name, const Json& changes) {
    Json settings = {{"fft_length", 16}, {"sequence_stride", 4}, {"sampling_rate", 400}, {"num_mel_bins", 5}};
    settings.update(changes);
    Case test = keras_case(name, "MelSpectrogram", settings, {3, 50});
    test.keras_rounds_to_float32 = true;
    return test;
  };
  const Json plain = {{"power_to_db", false}};
  Json magnitudes = plain;
  magnitudes.update({{"mag_exp", 1.0}, {"window", "hamming"}});
  Json frequencies = plain;
  frequencies.update({{"window", nullptr}, {"min_freq", 30.0}, {"max_freq", 150}});
  Json odd = plain;
  odd.update({{"fft_length", 17}, {"sequence_length", 16}, {"sequence_stride", 5}});
  return {made("powers", plain), made("magnitudes, hamming", magnitudes),
          made("no window, frequencies", frequencies), made("odd fft_length", odd)};
}

}  // namespace

LayerKind mel_spectrogram() {
  LayerKind kind;
  kind.name = "mel_spectrogram";
  kind.torch = exact({"tieout.MelSpectrogram"});
  kind.keras = {
      {"MelSpectrogram", Status::exact,
       "the filters are computed in float32, as Keras does at each call: its backends differ by up to "
       "2e-5 of a filter's peak, and from PyTorch's as much"}};
  kind.summary = "The strength of bands of the mel scale in each frame of a signal x (n t).";
  kind.sources = {
      "https://keras.io/api/layers/preprocessing_layers/audio_preprocessing/mel_spectrogram/",
      "https://github.com/keras-team/keras/blob/v3.15.1/keras/src/layers/preprocessing/mel_spectrogram.py"};
  kind.lift = lift;
  kind.infer = infer;
  kind.need = [](const Layer&, Framework) { return LayoutNeed{LayoutNeed::Kind::canonical, {0, 1}}; };
  kind.lower = lower;
  kind.compute = compute;
  kind.fan_in = [](const Layer& layer) { return layer.settings["fft_length"].get<double>(); };
  kind.mistakes = {wrong_setting("mag_exp", "it takes magnitudes in the place of powers (mag_exp 1)",
                                 "mag_exp", 1.0, 1.0)};
  kind.cases = cases();
  return kind;
}

}  // namespace tieout::layers
