// Where the tensors' elements lie: blocks of bytes that tensors refer to by key.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/byte_reader.h"
#include "containers/pickle/pickle_reader.h"

namespace tieout::torch_pt {

// The bytes of one storage; of several tensors, where they are views.
class Storage {
 public:
  virtual ~Storage() = default;

  [[nodiscard]] virtual std::uint64_t size() const = 0;
  // Error(malformed) when they are damaged. From several threads, too.
  [[nodiscard]] virtual Bytes bytes() const = 0;
};

class Storages {
 public:
  virtual ~Storages() = default;

  // Error(malformed) when there is none of this key. The same key gives the same storage.
  virtual std::shared_ptr<const Storage> storage(const std::string& key) = 0;
  // How many fields the persistent ids of storages have: ('storage', class, key, location, element count),
  // and before PyTorch 1.6 the part that is meant, None or (key of the part, first element, element count).
  [[nodiscard]] virtual std::size_t id_size() const = 0;
};

}  // namespace tieout::torch_pt
