#include "compiler/kernel/canonical.h"

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

  void instruction(const Instruction& instruction) {
    raw(static_cast<uint8_t>(instruction.op));
    type(instruction.type);
    use(instruction.operands);
    switch (instruction.op) {
      case Op::constant:
        raw(instruction.imm);
        raw(instruction.fimm);
        break;
      case Op::extract: raw(instruction.imm); break;
      case Op::shuffle:
        raw(static_cast<uint32_t>(instruction.lane_map.size()));
        for (int lane : instruction.lane_map) raw(lane);
        break;
      case Op::call: text(name_of_callee_(instruction.callee)); break;
      default: break;
    }
    raw(static_cast<uint8_t>((instruction.body ? 1 : 0) + (instruction.other ? 2 : 0)));
    if (instruction.body) block(*instruction.body);
    if (instruction.other) block(*instruction.other);
    define(instruction.results);
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
