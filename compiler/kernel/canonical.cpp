#include "compiler/kernel/canonical.h"

#include <bit>
#include <cstring>

namespace nnc::kernel {

namespace {

class Encoder {
 public:
  Encoder(const Function& function, const CalleeName& name_of_callee)
      : name_of_callee_(name_of_callee), number_(function.next_id, -1) {
    bytes_.reserve(64 * static_cast<size_t>(function.next_id) + 64);
    block(function.body);
  }

  std::string take() { return std::move(bytes_); }

 private:
  template <typename T>
  void raw(T value) {
    char buffer[sizeof(T)];
    std::memcpy(buffer, &value, sizeof(T));
    bytes_.append(buffer, sizeof(T));
  }

  void type(Type type) {
    raw(static_cast<uint8_t>(type.scalar));
    raw(static_cast<uint16_t>(type.lanes));
  }

  void text(const std::string& text) {
    raw(static_cast<uint32_t>(text.size()));
    bytes_ += text;
  }

  void define(const std::vector<Value>& values) {
    raw(static_cast<uint32_t>(values.size()));
    for (Value value : values) {
      number_[value.id] = next_++;
      type(value.type);
    }
  }

  void use(const std::vector<Value>& values) {
    raw(static_cast<uint32_t>(values.size()));
    for (Value value : values) raw(number_[value.id]);
  }

  void block(const Block& block) {
    define(block.params);
    raw(static_cast<uint32_t>(block.instructions.size()));
    for (const Instruction& instruction : block.instructions) this->instruction(instruction);
    use(block.yields);
  }

  // Whatever an instruction carries, whichever op it is: nothing can be forgotten for a new one.
  void instruction(const Instruction& item) {
    raw(static_cast<uint8_t>(item.op));
    type(item.type);
    use(item.operands);
    const bool has_number = std::bit_cast<uint64_t>(item.fimm) != 0;
    raw(static_cast<uint8_t>((item.body ? 1 : 0) | (item.other ? 2 : 0) | (item.imm != 0 ? 4 : 0) |
                             (has_number ? 8 : 0) | (item.lane_map.empty() ? 0 : 16) |
                             (item.callee.empty() ? 0 : 32)));
    if (item.imm != 0) raw(item.imm);
    if (has_number) raw(item.fimm);
    if (!item.lane_map.empty()) {
      raw(static_cast<uint32_t>(item.lane_map.size()));
      for (int lane : item.lane_map) raw(lane);
    }
    if (!item.callee.empty()) text(name_of_callee_(item.callee));
    if (item.body) block(*item.body);
    if (item.other) block(*item.other);
    define(item.results);
  }

  const CalleeName& name_of_callee_;
  std::vector<int32_t> number_;
  int32_t next_ = 0;
  std::string bytes_;
};

}  // namespace

std::string encode(const Function& function, const CalleeName& name_of_callee) {
  return Encoder(function, name_of_callee).take();
}

}  // namespace nnc::kernel
