#include "cli/command.h"

#include <unistd.h>

#include <charconv>
#include <cstdlib>

namespace tieout::cli {

namespace {

bool colours_on(int descriptor) {
  const char* off = std::getenv("NO_COLOR");
  return ::isatty(descriptor) != 0 && (off == nullptr || *off == '\0');
}

Error wrong_shape(const std::string& text) {
  return usage_error(
      "--input-shape " + text + " is not a list of sizes",
      "sizes without the batch, with commas, in the model's own layout: 1,28,28 or image=28,28,1");
}

}  // namespace

CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& what,
                      const std::string& examples) {
  CLI::App* command = app.add_subcommand(name, what);
  command->footer("Examples:\n" + examples);
  return command;
}

void add_input_shapes(CLI::App* command, std::vector<std::string>& texts) {
  command
      ->add_option("--input-shape", texts,
                   "[NAME=]C,H,W: an input's shape without the batch, in the source's layout, where the file "
                   "does not say")
      ->take_all()
      ->allow_extra_args(false);
}

void add_key(CLI::App* command, std::string& key) {
  command->add_option("--key", key,
                      "which of a checkpoint's models, by its path in the file: model, ema.state_dict; \".\" "
                      "for all tensors as one");
}

InputShapes parse_input_shapes(const std::vector<std::string>& texts) {
  InputShapes shapes;
  for (const auto& text : texts) {
    const auto equals = text.find('=');
    const std::string name = equals == std::string::npos ? "" : text.substr(0, equals);
    const std::string sizes = equals == std::string::npos ? text : text.substr(equals + 1);
    Shape shape;
    const char* at = sizes.data();
    const char* end = at + sizes.size();
    while (at < end) {
      std::int64_t size = 0;
      const auto [next, failure] = std::from_chars(at, end, size);
      if (failure != std::errc() || size < 1 || (next < end && *next != ',') || next + 1 == end)
        throw wrong_shape(text);
      shape.push_back(size);
      at = next < end ? next + 1 : next;
    }
    if (shape.empty()) throw wrong_shape(text);
    if (!shapes.emplace(name, shape).second)
      throw usage_error("--input-shape is given twice for the same input");
  }
  return shapes;
}

bool colours_on_stdout() {
  return colours_on(STDOUT_FILENO);
}

bool colours_on_stderr() {
  return colours_on(STDERR_FILENO);
}

}  // namespace tieout::cli
