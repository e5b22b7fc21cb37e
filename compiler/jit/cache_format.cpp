#include "compiler/jit/cache_format.h"

#include <llvm/Support/BLAKE3.h>

#include <cstring>
#include <type_traits>

namespace nnc::jit {

namespace {

struct Header {
  char magic[8];
  Key key;
  Key checksum;  // of everything else, the header too
  uint64_t bytes;
  uint32_t objects;
  uint32_t frames;
};

static_assert(std::has_unique_object_representations_v<Header>, "hashed byte by byte");

constexpr char magic[8] = {'n', 'n', 'c', 'c', 'o', 'd', 'e', '2'};
constexpr size_t alignment = 64;  // of the objects

// `rest`: what follows the header.
Key checksum_of(Header header, std::string_view rest) {
  header.checksum = {};
  llvm::BLAKE3 hasher;
  hasher.update(llvm::StringRef(reinterpret_cast<const char*>(&header), sizeof header));
  hasher.update(llvm::StringRef(rest.data(), rest.size()));
  return hasher.final<32>();
}

void put(std::string& out, uint64_t value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  bool number(uint64_t& value) {
    if (bytes_.size() - at_ < sizeof value) return false;
    std::memcpy(&value, bytes_.data() + at_, sizeof value);
    at_ += sizeof value;
    return true;
  }
  bool text(std::string_view& value) {
    uint64_t size = 0;
    if (!number(size) || bytes_.size() - at_ < size) return false;
    value = bytes_.substr(at_, size);
    at_ += size;
    return true;
  }
  bool align() {
    at_ = (at_ + alignment - 1) / alignment * alignment;
    return at_ <= bytes_.size();
  }
  bool object(std::string_view& value) {
    uint64_t size = 0;
    if (!number(size) || !align() || bytes_.size() - at_ < size) return false;
    value = bytes_.substr(at_, size);
    at_ += size;
    return true;
  }

 private:
  std::string_view bytes_;
  size_t at_ = sizeof(Header);
};

}  // namespace

std::string pack(const Key& key, const Program& program) {
  std::string out(sizeof(Header), '\0');
  for (const auto& [name, bytes] : program.stack_bytes) {
    put(out, name.size());
    out += name;
    put(out, bytes);
  }
  for (std::string_view object : program.objects) {
    put(out, object.size());
    out.resize((out.size() + alignment - 1) / alignment * alignment);
    out += object;
  }
  Header header{};
  std::memcpy(header.magic, magic, sizeof magic);
  header.key = key;
  header.bytes = out.size();
  header.objects = static_cast<uint32_t>(program.objects.size());
  header.frames = static_cast<uint32_t>(program.stack_bytes.size());
  header.checksum = checksum_of(header, std::string_view(out).substr(sizeof header));
  std::memcpy(out.data(), &header, sizeof header);
  return out;
}

bool unpack(std::string_view bytes, const Key& key, Program& program) {
  Header header;
  if (bytes.size() < sizeof header) return false;
  std::memcpy(&header, bytes.data(), sizeof header);
  if (std::memcmp(header.magic, magic, sizeof magic) != 0 || header.key != key ||
      header.bytes != bytes.size() ||
      header.checksum != checksum_of(header, bytes.substr(sizeof header))) {
    return false;
  }
  Reader reader(bytes);
  for (uint32_t i = 0; i < header.frames; ++i) {
    std::string_view name;
    uint64_t stack = 0;
    if (!reader.text(name) || !reader.number(stack)) return false;
    program.stack_bytes[std::string(name)] = stack;
  }
  for (uint32_t i = 0; i < header.objects; ++i) {
    std::string_view object;
    if (!reader.object(object)) return false;
    program.objects.push_back(object);
  }
  return true;
}

}  // namespace nnc::jit
