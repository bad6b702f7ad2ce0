#include "layers/shared/elementwise.h"
#include "layers/shared/resample.h"

namespace tieout {

namespace {

Shape shape_for(std::size_t rank, bool channels_last) {
  Shape shape{2};
  if (!channels_last) shape.push_back(3);
  const Shape sizes{5, 4, 2};
  shape.insert(shape.end(), sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(rank));
  if (channels_last) shape.push_back(3);
  return shape;
}

// Keras resamples with weights in float32.
Case rounded(Case made) {
  made.keras_rounds_to_float32 = true;
  return made;
}

Json upto(std::size_t rank, Json list) {
  list.get_ref<Json::array_t&>().resize(rank);
  return list;
}

std::vector<Case> torch_cases(std::size_t rank) {
  const Shape shape = shape_for(rank, false);
  const std::string line = rank == 1 ? "linear" : rank == 2 ? "bilinear" : "trilinear";
  const Json factors = upto(rank, {3, 2, 1});
  const Json sizes = upto(rank, {8, 3, 5});
  std::vector<Case> cases = {
      torch_case("factor 2", "Upsample", {{"scale_factor", 2}}, shape),
      torch_case("a factor for each axis", "Upsample", {{"scale_factor", factors}}, shape),
      torch_case("nearest to a size", "Upsample", {{"size", sizes}}, shape),
      torch_case("nearest by 1.7", "Upsample", {{"scale_factor", 1.7}}, shape),
      torch_case("nearest-exact by 2", "Upsample", {{"scale_factor", 2}, {"mode", "nearest-exact"}}, shape),
      torch_case("nearest-exact to a size", "Upsample", {{"size", sizes}, {"mode", "nearest-exact"}}, shape),
      rounded(torch_case("aligned corners", "Upsample",
                         {{"scale_factor", 2}, {"mode", line}, {"align_corners", true}}, shape)),
      rounded(torch_case("linear by 1.7", "Upsample", {{"scale_factor", 1.7}, {"mode", line}}, shape)),
  };
  Case by_two = torch_case("linear by 2", "Upsample", {{"scale_factor", 2}, {"mode", line}}, shape);
  Case sized = torch_case("linear to a size", "Upsample", {{"size", sizes}, {"mode", line}}, shape);
  cases.push_back(rounded(by_two));
  cases.push_back(rounded(sized));
  cases.push_back(
      rounded(torch_case("linear by 1.7, recomputed", "Upsample",
                         {{"scale_factor", 1.7}, {"mode", line}, {"recompute_scale_factor", true}}, shape)));
  if (rank == 2)
    cases.back() =
        rounded(torch_case("linear by 1.7, recomputed", "Upsample",
                           {{"scale_factor", 1.7}, {"mode", line}, {"recompute_scale_factor", true}}, shape));
  return cases;
}

std::vector<Case> torch_cases_2d() {
  const Shape shape = shape_for(2, false);
  const Json more = Json::array({11, 7});
  return {torch_case("nearest", "UpsamplingNearest2d", {{"scale_factor", 2}}, shape),
          torch_case("nearest, a size", "UpsamplingNearest2d", {{"size", more}}, shape),
          rounded(torch_case("by 2", "UpsamplingBilinear2d", {{"scale_factor", 2}}, shape)),
          rounded(torch_case("a size", "UpsamplingBilinear2d", {{"size", more}}, shape)),
          rounded(torch_case("cubic by 2", "Upsample", {{"scale_factor", 2}, {"mode", "bicubic"}}, shape)),
          rounded(torch_case("cubic, fewer", "Upsample", {{"size", {3, 2}}, {"mode", "bicubic"}}, shape)),
          rounded(torch_case("cubic, aligned corners", "Upsample",
                             {{"size", more}, {"mode", "bicubic"}, {"align_corners", true}}, shape))};
}

std::vector<Case> keras_cases_2d() {
  const Shape shape = shape_for(2, true);
  const auto resizing = [&](const std::string& name, std::int64_t height, std::int64_t width, Json more) {
    more["height"] = height;
    more["width"] = width;
    return rounded(keras_case(name, "Resizing", more, shape));
  };
  Case lanczos = resizing("lanczos", 8, 9, {{"interpolation", "lanczos3"}});
  lanczos.target_refuses = true;
  return {
      rounded(
          keras_case("bilinear", "UpSampling2D", {{"size", {2, 3}}, {"interpolation", "bilinear"}}, shape)),
      rounded(keras_case("bicubic", "UpSampling2D", {{"size", {2, 4}}, {"interpolation", "bicubic"}}, shape)),
      keras_case("channels first", "UpSampling2D", {{"data_format", "channels_first"}}, {2, 3, 5, 4}),
      resizing("more", 8, 9, Json::object()),
      resizing("fewer", 3, 2, Json::object()),
      resizing("fewer, antialias", 3, 2, {{"antialias", true}}),
      resizing("bicubic, antialias", 3, 7, {{"interpolation", "bicubic"}, {"antialias", true}}),
      resizing("nearest", 8, 3, {{"interpolation", "nearest"}}),
      resizing("cropped to proportion", 3, 3, {{"crop_to_aspect_ratio", true}}),
      resizing("padded to proportion", 8, 9, {{"pad_to_aspect_ratio", true}}),
      lanczos,
      keras_case("smaller", "CenterCrop", {{"height", 2}, {"width", 3}}, shape),
      keras_case("the same", "CenterCrop", {{"height", 5}, {"width", 4}}, shape),
      rounded(keras_case("larger", "CenterCrop", {{"height", 7}, {"width", 3}}, shape))};
}

}  // namespace

std::vector<Case> resample_cases(std::size_t rank) {
  auto cases = torch_cases(rank);
  const std::string name = "UpSampling" + std::to_string(rank) + "D";
  const Shape shape = shape_for(rank, true);
  const Json factors = rank == 1 ? Json(3) : upto(rank, {3, 1, 2});
  cases.push_back(keras_case("default", name, Json::object(), shape));
  cases.push_back(keras_case("a factor for each axis", name, {{"size", factors}}, shape));
  if (rank != 2) return cases;
  for (auto& test : torch_cases_2d()) cases.push_back(std::move(test));
  for (auto& test : keras_cases_2d()) cases.push_back(std::move(test));
  return cases;
}

}  // namespace tieout
