#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <ranges>

#include "cli/byte_size.h"
#include "cli/command.h"
#include "cli/compare_sides.h"
#include "cli/progress.h"
#include "report/findings.h"
#include "report/plan_text.h"
#include "report/terminal.h"
#include "report/verify_text.h"
#include "tensor/cast.h"
#include "tieout.h"
#include "verify/verify.h"

namespace tieout::cli {

namespace {

struct Options {
  ConvertOptions convert;
  std::string like;
  std::string map;
  std::vector<std::string> shapes;
  std::string dtype;
  std::string max_shard_size;
  bool dry_run = false;
  bool no_verify = false;
  std::uint64_t memory = PayloadOptions{}.memory >> 20;  // MiB
};

constexpr std::uint64_t most_memory = std::uint64_t{1} << 24;  // MiB

// What was written, against the source; nothing when this machine cannot run them.
std::optional<VerifyResult> prove(const Conversion& conversion, const Outputs& outputs) {
  Side source = conversion.source;
  const Side written = read_back(source, conversion.target, outputs);
  try {
    return compare_sides(source, written, match_sides(source, written, std::nullopt), {});
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::unsupported) throw;
    std::cout << "not proven: " << printable(error.describe()) << "\n  way out: " << printable(error.hint())
              << "\n";
    return std::nullopt;
  }
}

// False when the written file must not appear.
bool report_proof(const Conversion& conversion, const Outputs& outputs) {
  if (!conversion.source.file.has_architecture) {
    std::cout << "not proven: neither file holds an architecture; every tensor is accounted for\n";
    return true;
  }
  std::optional<VerifyResult> proof = prove(conversion, outputs);
  if (!proof) return true;
  VerifyResult& result = *proof;
  std::erase_if(result.findings, [&](const Finding& finding) {  // printed before
    return std::ranges::find(conversion.findings, finding.message, &Finding::message) !=
           conversion.findings.end();
  });
  if (result.verdict == Verdict::differs) {
    std::cerr << verify_text(result, colours_on_stderr());
    return false;
  }
  std::cout << verify_summary(result, colours_on_stdout());
  return true;
}

// With the progress on a terminal.
Outputs write_target(const Conversion& conversion, ConvertOptions options) {
  std::uint64_t total = 0;
  for (const auto& [name, tensor] : conversion.target.file.tensors)
    total += byte_count(tensor.shape, tensor.dtype);
  Progress progress(written_text);
  std::uint64_t written = 0;
  options.writing.payload.on_written = [&](std::uint64_t bytes) { progress.show(written += bytes, total); };
  return write(conversion, options);
}

DType float_type(const std::string& name) {
  const std::optional<DType> dtype = dtype_of_name(name);
  if (!dtype || !can_round(*dtype))
    throw usage_error("--dtype " + name + " is none of float64, float32, bfloat16, float16");
  return *dtype;
}

// "5GB", for a target of several files.
std::uint64_t shard_size(const std::string& text, const std::string& target) {
  if (!format_of_name(target).spreads) {
    std::string suffixes;
    for (const Format& format : all_formats()) {
      for (const std::string& suffix : format.suffixes)
        if (format.spreads) suffixes += (suffixes.empty() ? "" : ", ") + ("NAME" + suffix);
    }
    throw usage_error("--max-shard-size is for targets of several files, and " + target + " is one file",
                      "name the index that is written with them: " + suffixes);
  }
  return parse_bytes(text);
}

ExitCode convert(const Options& options) {
  const Conversion conversion = prepare(options.convert);
  std::cerr << findings_text(conversion.findings, colours_on_stderr());
  if (forbids_writing(conversion.findings)) {
    std::cerr << "nothing was written\n";
    return ExitCode::unsupported;
  }
  if (options.dry_run) {
    std::cout << plan_text(conversion.plan);
    return ExitCode::done;
  }
  const Outputs outputs = write_target(conversion, options.convert);
  if (!options.no_verify && !report_proof(conversion, outputs)) {
    std::cerr << "nothing was written; --no-verify writes all the same\n";
    return ExitCode::differs;
  }
  // The first last: it may name the others.
  for (const auto& output : std::views::reverse(outputs)) {
    output->commit();
    fmt::print("wrote {} ({:.2f} MiB)\n", output->path(),
               static_cast<double>(output->size()) / (1024.0 * 1024.0));
  }
  return ExitCode::done;
}

}  // namespace

void add_convert(CLI::App& app, Chosen& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = add_command(
      app, "convert", "Carry a model's weights into a file of the other framework",
      "  tieout convert lenet5.keras lenet5.pt\n"
      "  tieout convert lenet5.pt lenet5.keras --input-shape 1,28,28\n"
      "  tieout convert weights.pt out.keras --like mine.keras\n"
      "  tieout convert lenet5.keras lenet5.safetensors --dry-run\n"
      "  tieout convert big.keras big.safetensors.index.json --max-shard-size 2GB --dtype bfloat16\n");
  command->add_option("SOURCE", options->convert.source, "the model that has the weights")->required();
  command->add_option("TARGET", options->convert.target, "the file to write; its suffix names the format")
      ->required();
  command->add_option("--like", options->like,
                      "a model of the target's framework: its architecture and names are kept");
  command->add_option("--map", options->map, "which tensor goes where, as `tieout match -o` writes it");
  add_input_shapes(command, options->shapes);
  add_key(command, options->convert.reading.key);
  command->add_flag("--dry-run", options->dry_run, "print the plan and write nothing");
  command->add_flag("--no-verify", options->no_verify,
                    "do not read the result back and compare it with the source");
  command->add_option(
      "--dtype", options->dtype,
      "round the weights to float64, float32, bfloat16 or float16; they keep their type otherwise");
  command->add_option("--max-shard-size", options->max_shard_size,
                      "bytes of tensors in each file of a target that is an index (5GB by default) or a "
                      "TensorFlow checkpoint (one file by default): 500MB, 2GiB");
  command->add_option("--memory", options->memory, "MiB of buffers for writing, at most")
      ->check(CLI::Range(std::uint64_t{1}, most_memory))
      ->capture_default_str();
  command->add_flag("--force", options->convert.writing.overwrite, "overwrite the target if it exists");
  command->callback([options, &chosen] {
    chosen.run = [options] {
      options->convert.writing.payload.memory = options->memory << 20;
      options->convert.input_shapes = parse_input_shapes(options->shapes);
      if (!options->dtype.empty()) options->convert.dtype = float_type(options->dtype);
      if (!options->max_shard_size.empty())
        options->convert.writing.max_shard_size =
            shard_size(options->max_shard_size, options->convert.target);
      if (!options->like.empty()) options->convert.like = options->like;
      if (!options->map.empty()) options->convert.map = options->map;
      return convert(*options);
    };
  });
}

}  // namespace tieout::cli
