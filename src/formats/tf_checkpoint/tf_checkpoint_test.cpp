#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <span>

#include "containers/tensor_bundle/bundle_reader.h"
#include "formats/tf_checkpoint/layers.h"
#include "formats/tf_checkpoint/locate.h"
#include "formats/tf_checkpoint/object_graph.h"
#include "formats/tf_checkpoint/read.h"
#include "formats/tf_checkpoint/write.h"

using namespace tieout;
using namespace tieout::tf_checkpoint;
namespace fs = std::filesystem;

namespace {

class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("tieout_checkpoint_" + std::to_string(::getpid()))) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

void put(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

LazyTensor tensor(const Shape& shape) {
  std::vector<float> values(element_count(shape));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 1.0F / static_cast<float>(i + 3);
  const auto bytes = std::as_bytes(std::span(values));
  return make_tensor(DType::f32, shape, {bytes.begin(), bytes.end()});
}

FrameworkNode layer(const std::string& name, const std::string& class_name, int from) {
  FrameworkNode node;
  node.name = name;
  node.class_name = class_name;
  node.module = "keras.layers";
  node.settings = Json::object();
  node.inputs.push_back({{from, 0}, {}});
  return node;
}

// An operation, then a Dense: its place among the operations is 2, behind the input and the operation.
FrameworkModel small_model() {
  FrameworkModel model;
  model.framework = Framework::keras;
  model.has_architecture = true;
  model.inputs.push_back({"x", {unknown, 4}, DType::f32, {}});
  model.nodes = {layer("relu", "Relu", -1), layer("dense", "Dense", 0)};
  model.nodes[0].module = "keras.src.ops.nn";
  model.nodes[1].parameters = {{"kernel", "vars/0", "k"}, {"bias", "vars/1", "b"}};
  model.outputs = {{1, 0}};
  model.tensors = {{"k", tensor({4, 3})}, {"b", tensor({3})}};
  return model;
}

void write_small(const std::string& path) {
  for (const auto& output : write(small_model(), path, {.overwrite = true})) output->commit();
}

Checkpoint read_small(const std::string& index) {
  Checkpoint checkpoint = read_checkpoint(std::make_shared<const MappedFile>(index), index, {});
  for (const NamedTensor& named : checkpoint.tensors) static_cast<void>(named.tensor.load());
  return checkpoint;
}

TrackedObject variable(const std::string& full_name, const std::string& key) {
  TrackedObject object;
  object.variable = {full_name, key + "/.ATTRIBUTES/VARIABLE_VALUE"};
  return object;
}

std::string names_of(const std::vector<FoundLayer>& layers) {
  std::string text;
  for (const FoundLayer& found : layers) {
    text += found.node.name + ":";
    for (const NodeParameter& parameter : found.node.parameters) text += " " + parameter.name;
    text += "; ";
  }
  return text;
}

}  // namespace

TEST_CASE("keys and names are each other's inverse") {
  // tensorflow/python/checkpoint/trackable_view.py: "." is "..", "/" is ".S".
  CHECK(key_of_path({"m", "a/b.c"}) == "m/a.Sb..c/.ATTRIBUTES/VARIABLE_VALUE");
  CHECK(name_of_key("m/a.Sb..c/.ATTRIBUTES/VARIABLE_VALUE") == "m/a/b.c");
  CHECK(name_of_key("conv/kernel") == "conv/kernel");
  CHECK(name_of_key("a../.ATTRIBUTES/VARIABLE_VALUE") == "a.");
}

TEST_CASE("a graph is read as it was written") {
  ObjectGraph graph(3);
  graph[0].children = {{1, "model"}, {0, "root"}};
  graph[1].children = {{2, "kernel"}};
  graph[2] = variable("dense/kernel", "model/kernel");
  const ObjectGraph again = read_object_graph(to_proto(graph), {});
  REQUIRE(again.size() == 3);
  CHECK(again[0].children[1].object == 0);
  CHECK(again[0].children[1].name == "root");
  CHECK(again[2].variable->full_name == "dense/kernel");
  CHECK(names_of(find_layers(again, {})) == "dense: kernel; ");
}

TEST_CASE("graphs that no one writes are malformed, and end") {
  ObjectGraph graph(2);
  graph[0].children = {{7, "model"}};
  CHECK_THROWS_AS(read_object_graph(to_proto(graph), {}), Error);
  CHECK_THROWS_AS(read_object_graph("", {}), Error);
  graph[0].children = {{1, "a"}, {1, "b"}};
  graph[1].children = {{0, "back"}, {1, "self"}};
  CHECK(find_layers(graph, {}).empty());
  ObjectGraph deep(100'000);
  for (std::size_t i = 0; i + 1 < deep.size(); ++i) deep[i].children = {{i + 1, "layer"}};
  CHECK_THROWS_AS(find_layers(deep, {}), Error);
  for (auto& object : deep) {
    if (!object.children.empty()) object.children[0].name = "child";
  }
  CHECK_THROWS_AS(find_layers(deep, {}), Error);
}

TEST_CASE("optimizers, metrics and the checkpoint's own variables are no layers") {
  ObjectGraph graph(4);
  graph[0].children = {{1, "model"}, {2, "optimizer"}, {3, "save_counter"}};
  graph[2].children = {{3, "_iterations"}, {3, "_learning_rate"}, {3, "slot"}};
  graph[3] = variable("dense/kernel", "k");
  CHECK(find_layers(graph, {}).empty());
}

TEST_CASE("two layers of one name are told apart by their paths") {
  ObjectGraph graph(5);
  graph[0].children = {{1, "a"}, {2, "b"}};
  graph[1].children = {{3, "kernel"}};
  graph[2].children = {{4, "kernel"}};
  graph[3] = variable("sub/kernel", "a/kernel");
  graph[4] = variable("sub/kernel", "b/kernel");
  CHECK(names_of(find_layers(graph, {})) == "a: kernel; b: kernel; ");
  // A third one is called as the first one's path.
  graph.resize(7);
  graph[0].children.push_back({5, "c"});
  graph[5].children = {{6, "kernel"}};
  graph[6] = variable("a/kernel", "c/kernel");
  CHECK(names_of(find_layers(graph, {})) == "a: kernel; b: kernel; a_: kernel; ");
}

TEST_CASE("without a graph, slots are left out and variables are in Keras' order") {
  std::vector<NamedTensor> tensors;
  for (const char* name : {"bn/beta", "bn/gamma", "bn/moving_mean", "bn/moving_variance", "d/bias",
                           "d/kernel", "d/kernel/Adam", "global_step", "own/thing"})
    tensors.push_back({name, tensor({2})});
  std::string text;
  for (const FrameworkNode& node : layers_by_name(tensors)) {
    text += node.name + ":";
    for (const NodeParameter& parameter : node.parameters) text += " " + parameter.name;
    text += "; ";
  }
  CHECK(text == "bn: gamma beta moving_mean moving_variance; d: kernel bias; ");
}

TEST_CASE("a model becomes a checkpoint whose keys count the operations") {
  const Folder folder;
  write_small(folder.file("m.ckpt"));
  const Checkpoint checkpoint = read_small(folder.file("m.ckpt.index"));
  REQUIRE(checkpoint.tensors.size() == 2);
  CHECK(checkpoint.tensors[0].name == "model/_operations/2/bias");
  CHECK(checkpoint.tensors[1].tensor.load() == tensor({4, 3}).load());
  CHECK(names_of(checkpoint.layers) == "dense: kernel bias; ");
  CHECK(fs::exists(folder.file("m.ckpt.data-00000-of-00001")));
}

TEST_CASE("a key chooses the object whose layers are read") {
  const Folder folder;
  const std::string index = folder.file("m.index");
  write_small(index);
  const auto layers_under = [&](const std::string& key) {
    ReadOptions options;
    options.key = key;
    return names_of(read_checkpoint(std::make_shared<const MappedFile>(index), index, options).layers);
  };
  CHECK(layers_under("model") == "dense: kernel bias; ");
  CHECK(layers_under("model/_operations/2") == "dense: kernel bias; ");
  CHECK_THROWS_WITH_AS(layers_under("generator"), "the checkpoint has no object generator", Error);
  CHECK_THROWS_AS(layers_under("model/"), Error);
}

TEST_CASE("a checkpoint that is cut or changed anywhere is malformed") {
  const Folder folder;
  const std::string index = folder.file("m.index");
  write_small(folder.file("m.index"));
  for (const std::string& path : {index, tensor_bundle::data_path(index, 0, 1)}) {
    const std::string whole = text_of(path);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      put(path, whole.substr(0, size));
      CHECK_THROWS_AS(read_small(index), Error);
    }
    for (std::size_t at = 0; at < whole.size(); ++at) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ 2);
      put(path, changed);
      CHECK_THROWS_AS(read_small(index), Error);
    }
    put(path, whole);
  }
  CHECK(read_small(index).tensors.size() == 2);
}

TEST_CASE("a checkpoint is found by its prefix and by its folder") {
  const Folder folder;
  put(folder.file("ckpt-7.index"), "");
  CHECK(locate(folder.file("ckpt-7")) == folder.file("ckpt-7.index"));
  CHECK_FALSE(locate(folder.file("ckpt-8")));
  CHECK_FALSE(locate(folder.file("")));
  put(folder.file("checkpoint"),
      "all_model_checkpoint_paths: \"ckpt-6\"\nmodel_checkpoint_path: \"ckpt-7\"\n");
  CHECK(fs::path(locate(folder.file("")).value()).lexically_normal() == folder.file("ckpt-7.index"));
  put(folder.file("checkpoint"), "model_checkpoint_path: \"/elsewhere/ckpt-7\"");
  CHECK(fs::path(locate(folder.file("")).value()).lexically_normal() == folder.file("ckpt-7.index"));
  for (const char* latest : {"model_checkpoint_path: \"a/b\"", "model_checkpoint_path: \"\"",
                             "model_checkpoint_path: 3", "model_checkpoint_path: \"a", "",
                             "my_model_checkpoint_path: \"ckpt-7\"", "model_checkpoint_path: \"\xFF\""}) {
    put(folder.file("checkpoint"), latest);
    CHECK_THROWS_AS(locate(folder.file("")), Error);
  }
}
