#include "compiler/codegen/emit_weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "compiler/codegen/cpp_names.h"
#include "compiler/codegen/cpp_words.h"
#include "compiler/codegen/emit_identity.h"
#include "compiler/support/diagnostics.h"

namespace nnc::codegen {

namespace {

using kernel::Scalar;

const char* element_name(abi::DType dtype) {
  switch (dtype) {
    case abi::DType::f32: return "float";
    case abi::DType::f64: return "double";
    case abi::DType::i32: return "std::int32_t";
    case abi::DType::i64: return "std::int64_t";
    case abi::DType::bf16: return "std::uint16_t";
    default: return "std::uint8_t";
  }
}

template <class T>
T read(const uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

std::string literal(abi::DType dtype, const uint8_t* bytes) {
  switch (dtype) {
    case abi::DType::f32: return cpp_float(Scalar::f32, read<float>(bytes));
    case abi::DType::f64: return cpp_float(Scalar::f64, read<double>(bytes));
    case abi::DType::i32: return cpp_integer(Scalar::i32, read<int32_t>(bytes));
    case abi::DType::i64: return cpp_integer(Scalar::i64, read<int64_t>(bytes));
    case abi::DType::bf16: return fmt::format("{:#x}", read<uint16_t>(bytes));
    default: return fmt::format("{}", *bytes);
  }
}

// As many values a line as fit.
void append_values(std::string& text, const abi::StateDesc& section, const uint8_t* bytes) {
  const size_t size = abi::size_of(section.dtype);
  std::string line = "       ";
  for (size_t i = 0; i < section.elements(); ++i) {
    const std::string value = literal(section.dtype, bytes + i * size);
    if (line.size() + value.size() + 2 > 100) {
      text += line + "\n";
      line = "       ";
    }
    line += " " + value + ",";
  }
  text += line + "\n";
}

std::vector<abi::StateDesc> sorted_sections(const EmitRequest& request) {
  std::vector<abi::StateDesc> sections = request.states;
  std::sort(sections.begin(), sections.end(),
            [](const auto& a, const auto& b) { return a.offset < b.offset; });
  return sections;
}

uint64_t checksum(const std::vector<uint8_t>& bytes) {
  uint64_t hash = UINT64_C(0xcbf29ce484222325);  // FNV-1a
  for (uint8_t byte : bytes) hash = (hash ^ byte) * UINT64_C(0x100000001b3);
  return hash;
}

void append_u64(std::string& text, uint64_t value) {
  for (int i = 0; i < 8; ++i) text += static_cast<char>(value >> (8 * i) & 0xff);
}

}  // namespace

std::string weights_struct(const EmitRequest& request) {
  std::string members, checks, values;
  std::set<std::string> taken;
  size_t end = 0;
  const auto pad_to = [&](size_t offset) {
    internal_check(offset >= end, "emitted weights overlap");
    if (offset == end) return;
    members += fmt::format("  unsigned char unused_{}[{}];\n", end, offset - end);
    values += "    {},\n";
  };
  for (const abi::StateDesc& section : sorted_sections(request)) {
    const size_t bytes = section.elements() * abi::size_of(section.dtype);
    internal_check(section.offset + bytes <= request.state.size(), "emitted weights end early");
    if (bytes == 0) continue;
    pad_to(section.offset);
    std::string name = cpp_identifier(section.name);
    while (!taken.insert(name).second) name += "x";
    const std::string words = plain_words(section.name);
    members += fmt::format("  {} {}[{}];  // {} [{}]\n", element_name(section.dtype), name,
                           section.elements(), words, fmt::join(section.shape, ", "));
    checks +=
        fmt::format("static_assert(offsetof(Weights, {}) == {}, \"layout of the weights\");\n",
                    name, section.offset);
    values += fmt::format("    // {}\n    {{\n", words);
    append_values(values, section, request.state.data() + section.offset);
    values += "    },\n";
    end = section.offset + bytes;
  }
  pad_to(request.state.size() + weights_slack);
  return fmt::format(
      "struct alignas(64) Weights {{\n{}}};\n{}\ninline constexpr Weights weights = "
      "{{\n{}}};\n",
      members, checks, values);
}

std::string weights_symbol(const EmitRequest& request, const EmitNames& names) {
  return fmt::format(
      "// In {0}. Weights of another run of the same network link, from the object that\n"
      "// nnc emit writes for that run, with\n"
      "//     -Wl,--defsym={1}={2}\n"
      "// and those of another network do not.\n"
      "extern \"C\" const unsigned char {1}[{3}];\n",
      names.object, names.symbol, names.any_symbol, request.state.size() + weights_slack);
}

std::string weights_file(const EmitRequest& request) {
  std::string bytes = "nnc weights\n";
  for (int i = 1; i <= 4; ++i) bytes += static_cast<char>(i);
  append_u64(bytes, request.state.size());
  append_u64(bytes, checksum(request.state));
  append_u64(bytes, std::stoull(layout_hash(request), nullptr, 16));
  bytes.append(reinterpret_cast<const char*>(request.state.data()), request.state.size());
  return bytes;
}

std::string weights_loader(const EmitRequest& request, const std::string& file_name) {
  return fmt::format(R"(// Bytes of memory that the weights need.
inline constexpr std::size_t weights_size = {1};

// Reads the weights from a file ({2}) into `memory` of weights_size bytes, which every prediction
// takes. Those of any run of the same network will do. False if the file cannot be read, is
// damaged, or belongs to another network.
inline bool load_weights(const char* path, void* memory) noexcept {{
  std::FILE* file = std::fopen(path, "rb");
  if (file == nullptr) return false;
  unsigned char head[40];
  unsigned char* bytes = static_cast<unsigned char*>(memory);
  std::memset(bytes, 0, weights_size);
  const bool complete = std::fread(head, 1, sizeof head, file) == sizeof head &&
                        std::fread(bytes, 1, {0}, file) == {0} && std::fgetc(file) == EOF;
  std::fclose(file);
  const std::uint32_t byte_order = 0x04030201;
  std::uint64_t hash = UINT64_C(0xcbf29ce484222325);
  for (std::size_t i = 0; i < {0}; ++i) hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
  std::uint64_t size = 0, expected = 0, layout = 0;
  std::memcpy(&size, head + 16, 8);
  std::memcpy(&expected, head + 24, 8);
  std::memcpy(&layout, head + 32, 8);
  return complete && std::memcmp(head, "nnc weights\n", 12) == 0 &&
         std::memcmp(head + 12, &byte_order, 4) == 0 && size == {0} && hash == expected &&
         layout == UINT64_C(0x{3});
}}
)",
                     request.state.size(), request.state.size() + weights_slack, file_name,
                     layout_hash(request));
}

}  // namespace nnc::codegen
