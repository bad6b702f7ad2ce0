#include <fmt/format.h>

#include "layers/shared/pool_write.h"

namespace tieout {

namespace {

constexpr const char* padding_code = R"(
    def __init__(self, kernel_size, stride):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride

    def padding(self, x):
        """Of the last axis first, the odd cell at the end."""
        padding = []
        for axis in range(x.dim() - 1, 1, -1):
            size, kernel = x.shape[axis], self.kernel_size[axis - 2]
            stride = self.stride[axis - 2]
            total = max(((size - 1) // stride) * stride + kernel - size, 0)
            padding += [total // 2, total - total // 2]
        return padding
)";

constexpr const char* maximum_code = R"(
    def forward(self, x):
        x = F.pad(x, self.padding(x), value=-math.inf)
        return F.max_pool{0}d(x, self.kernel_size, self.stride)
)";

constexpr const char* mean_code = R"(
    def forward(self, x):
        padding = self.padding(x)
        cells = F.pad(torch.ones_like(x[:1, :1]), padding)
        cells = F.avg_pool{0}d(cells, self.kernel_size, self.stride)
        x = F.avg_pool{0}d(F.pad(x, padding), self.kernel_size, self.stride)
        return x / cells
)";

std::string class_name(std::size_t rank, PoolOf what) {
  return std::string(what == PoolOf::maximum ? "SameMaxPool" : "SameAvgPool") + std::to_string(rank) + "d";
}

std::string definition(std::size_t rank, PoolOf what) {
  const bool maximum = what == PoolOf::maximum;
  const char* const shapes[] = {"(N, C, L) -> (N, C, L')", "(N, C, H, W) -> (N, C, H', W')",
                                "(N, C, D, H, W) -> (N, C, D', H', W')"};
  const std::string about = fmt::format(
      "class {}(nn.Module):\n"
      "    \"\"\"{} pooling with TensorFlow's \"same\" padding, which {}.\n\n"
      "    {}, with L' = ceil(L / stride) for each axis.\n"
      "    \"\"\"\n",
      class_name(rank, what), maximum ? "Max" : "Average", maximum ? "holds nothing" : "does not count",
      shapes[rank - 1]);
  return about + padding_code + fmt::format(fmt::runtime(maximum ? maximum_code : mean_code), rank);
}

}  // namespace

std::string same_pool_class(std::size_t rank, PoolOf what) {
  return "tieout." + class_name(rank, what);
}

void write_same_pool(Lowerer& lowerer, std::size_t rank, PoolOf what) {
  const Json& given = lowerer.layer().settings;
  FrameworkNode node;
  node.class_name = same_pool_class(rank, what);
  node.settings = {{"kernel_size", given.at("kernel")}, {"stride", given.at("strides")}};
  node.definition = definition(rank, what);
  lowerer.add_node(std::move(node));
}

}  // namespace tieout
