#include "formats/keras_config/layer_entry.h"

#include "formats/keras_config/document.h"

namespace tieout::keras {

namespace {

std::optional<DType> dtype_named(std::string_view name) {
  for (const DType dtype :
       {DType::boolean, DType::u8, DType::i8, DType::u16, DType::i16, DType::u32, DType::i32, DType::u64,
        DType::i64, DType::f16, DType::bf16, DType::f32, DType::f64}) {
    if (name == to_string(dtype)) return dtype;
  }
  return std::nullopt;
}

// "float32", or a policy {"class_name": "DTypePolicy", "config": {"name": "mixed_float16"}}; floats by
// default.
DType read_dtype(const Json& config, const Where& where) {
  const Json* dtype = member(config, "dtype");
  if (dtype == nullptr || dtype->is_null()) return DType::f32;
  std::string name = dtype->is_string() ? dtype->get<std::string>() : std::string();
  if (const Json* policy = member(*dtype, "config")) name = text_member(*policy, "name");
  if (name.starts_with("mixed_")) return DType::f32;
  if (name == "bool") return DType::boolean;
  const auto known = dtype_named(name);
  if (!known) throw unsupported("a model input of dtype " + dtype->dump().substr(0, 100), where);
  return *known;
}

}  // namespace

Json config_of(const Json& entry) {
  const Json* config = member(entry, "config");
  return config != nullptr && config->is_object() ? *config : Json::object();
}

LayerEntry read_layer_entry(const Json& entry, const std::set<std::string>& layer_names, Counter& counter,
                            const Where& where) {
  LayerEntry layer;
  layer.class_name = text_member(entry, "class_name");
  if (layer.class_name.empty()) throw malformed("a layer without class_name", where);
  layer.module = text_member(entry, "module");
  layer.name = text_member(entry, "name");
  const Json* config = member(entry, "config");
  if (layer.name.empty() && config != nullptr) layer.name = text_member(*config, "name");
  if (layer.name.empty()) layer.name = counter.next(snake_case(layer.class_name));
  layer.is_input = layer.class_name == "InputLayer";
  layer.is_operation = is_operation(layer.module);
  if (layer.module.empty() && !layer_names.empty() && !layer_names.contains(layer.name) && !layer.is_input) {
    layer.is_operation = true;
    layer.module = "keras.src.ops";
  }
  return layer;
}

Shape read_shape(const Json& shape, const Where& where) {
  if (!shape.is_array()) throw malformed("a shape is not a list: " + shape.dump().substr(0, 100), where);
  Shape sizes;
  for (const Json& size : shape) {
    if (!size.is_null() && (!size.is_number_integer() || size < 0)) {
      throw malformed("a shape with the size " + size.dump().substr(0, 100), where);
    }
    sizes.push_back(size.is_null() ? unknown : size.get<std::int64_t>());
  }
  return sizes;
}

std::optional<ModelInput> read_input(const std::string& name, const Json& config, const Where& where) {
  for (const char* key : {"batch_shape", "batch_input_shape"}) {
    const Json* shape = member(config, key);
    if (shape == nullptr || shape->is_null()) continue;
    return ModelInput{name, read_shape(*shape, where), read_dtype(config, where), {}};
  }
  return std::nullopt;
}

}  // namespace tieout::keras
