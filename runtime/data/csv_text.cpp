#include "runtime/data/csv_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <iconv.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "runtime/data/error.h"
#include "runtime/data/format.h"
#include "runtime/data/zip.h"
#include "runtime/utf8.h"

namespace nnc::runtime {
namespace {

// What was looked at already, then the rest.
class ContinuedStream : public ByteStream {
 public:
  ContinuedStream(std::string first, std::unique_ptr<ByteStream> rest)
      : first_(std::move(first)), rest_(std::move(rest)) {}

  size_t read(void* to, size_t bytes) override {
    const size_t known = std::min(bytes, first_.size() - at_);
    std::copy_n(first_.data() + at_, known, static_cast<char*>(to));
    at_ += known;
    return known + (known < bytes ? rest_->read(static_cast<char*>(to) + known, bytes - known) : 0);
  }
  bool truncated() const override { return rest_->truncated(); }

 private:
  std::string first_;
  size_t at_ = 0;
  std::unique_ptr<ByteStream> rest_;
};

// Another encoding as UTF-8.
class DecodedStream : public ByteStream {
 public:
  DecodedStream(const CsvSource& source, std::unique_ptr<ByteStream> bytes)
      : path_(source.path),
        encoding_(source.encoding),
        bytes_(std::move(bytes)),
        input_(size_t{1} << 16),
        converter_(iconv_open("UTF-8", source.encoding.c_str())) {
    if (converter_ != invalid) return;
    throw DataError(path_, "", fmt::format("the encoding '{}' is not known", encoding_),
                    "one that iconv knows, such as latin1, windows-1252 or utf-16");
  }
  ~DecodedStream() override {
    if (converter_ != invalid) iconv_close(converter_);
  }

  size_t read(void* to, size_t bytes) override {
    char* out = static_cast<char*>(to);
    size_t room = bytes;
    // A character of UTF-8 has four bytes at most; what does not fit waits for the next call.
    while (room > 0) {
      if (!waiting_.empty()) {
        const size_t piece = std::min(room, waiting_.size());
        std::copy_n(waiting_.data(), piece, out);
        waiting_.erase(0, piece);
        out += piece;
        room -= piece;
        continue;
      }
      if (!refill()) break;
      decode();
    }
    return bytes - room;
  }
  bool truncated() const override { return bytes_->truncated(); }

 private:
  static inline const iconv_t invalid = reinterpret_cast<iconv_t>(-1);

  // More input behind the part of a character that is left over; false at the end.
  bool refill() {
    const size_t got = bytes_->read(input_.data() + left_, input_.size() - left_);
    if (got == 0 && left_ > 0) damaged();
    left_ += got;
    return got > 0;
  }

  void decode() {
    waiting_.resize(4 * left_ + 8);
    char* in = input_.data();
    char* out = waiting_.data();
    size_t room = waiting_.size();
    const size_t done = iconv(converter_, &in, &left_, &out, &room);
    waiting_.resize(waiting_.size() - room);
    lines_ += std::count(waiting_.begin(), waiting_.end(), '\n');
    if (done == static_cast<size_t>(-1) && errno != EINVAL) damaged();
    std::copy(in, in + left_, input_.data());
  }

  [[noreturn]] void damaged() const {
    throw DataError(path_, fmt::format("line {}", lines_ + 1),
                    fmt::format("this is not text in the encoding {}", encoding_));
  }

  std::string path_, encoding_;
  std::unique_ptr<ByteStream> bytes_;
  std::vector<char> input_;
  size_t left_ = 0;  // bytes at the start of input_ that wait to be decoded
  std::string waiting_;
  int64_t lines_ = 0;
  iconv_t converter_;
};

bool is_plain_utf8(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return name.empty() || name == "utf-8" || name == "utf8";
}

// The encoding of text with a byte order mark of two bytes, or with a zero in every other byte.
std::string utf16_of(std::string_view bytes) {
  if (bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff")) return "utf-16";
  size_t zeros[2] = {};
  for (size_t i = 0; i < bytes.size(); ++i) zeros[i % 2] += bytes[i] == 0 ? 1 : 0;
  if (bytes.size() < 4) return "";
  const size_t many = bytes.size() / 4;
  if (zeros[1] > many && zeros[0] == 0) return "utf-16le";
  if (zeros[0] > many && zeros[1] == 0) return "utf-16be";
  return "";
}

[[noreturn]] void refuse_zip(const CsvSource& source) {
  std::vector<std::string> names;
  bool arrays = false, sheets = false;
  const ZipFile zip(source.path);
  for (const ZipEntry& entry : zip.entries()) {
    if (names.size() < 3) names.push_back(with_escapes(entry.name));
    arrays = arrays || entry.name.ends_with(".npy");
    sheets = sheets || entry.name == "xl/workbook.xml" || entry.name == "content.xml";
  }
  const std::string got = "an archive of " + fmt::format("{}", fmt::join(names, ", "));
  if (sheets)
    throw DataError(source.path, "", "this is a spreadsheet, not text",
                    "the table saved as csv by the program that shows it", got);
  if (arrays)
    throw DataError(source.path, "", "this is an npz archive of arrays, not text",
                    "a csv file, or `npz: {file: …, arrays: {…}}` as the source", got);
  throw DataError(source.path, "", "this is a zip archive, not text",
                  "the file that is in it (`unzip` takes it out), or one compressed by gzip", got);
}

void refuse_other_formats(const CsvSource& source, std::string_view bytes) {
  const Format format = format_of_bytes(bytes);
  if (format == Format::zip) refuse_zip(source);
  if (format != Format::text) {
    throw DataError(source.path, "", "this is no csv file", "text, compressed by gzip or not",
                    name_of_format(bytes));
  }
  if (!is_plain_utf8(source.encoding)) return;
  const std::string utf16 = utf16_of(bytes);
  if (!utf16.empty()) {
    throw DataError(source.path, "", "this text is UTF-16",
                    "UTF-8, or " + csv_advice(source, {{"encoding", utf16}}));
  }
}

}  // namespace

std::unique_ptr<ByteStream> open_csv(const CsvSource& source) {
  std::unique_ptr<ByteStream> stream = open_stream(source.path);
  std::string bytes(format_bytes, '\0');
  bytes.resize(stream->read(bytes.data(), bytes.size()));
  refuse_other_formats(source, bytes);
  auto whole = std::make_unique<ContinuedStream>(std::move(bytes), std::move(stream));
  if (is_plain_utf8(source.encoding)) return whole;
  return std::make_unique<DecodedStream>(source, std::move(whole));
}

bool knows_encoding(const std::string& name) {
  if (is_plain_utf8(name)) return true;
  const iconv_t converter = iconv_open("UTF-8", name.c_str());
  if (converter == reinterpret_cast<iconv_t>(-1)) return false;
  iconv_close(converter);
  return true;
}

std::optional<char> separator_named(const std::string& name) {
  if (name == "tab" || name == "\\t") return '\t';
  if (name == "space") return ' ';
  if (name.size() != 1) return std::nullopt;
  const char c = name[0];
  const bool part_of_cells = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                             (c >= 'A' && c <= 'Z') || c == '"' || c == '.' || c == '+' ||
                             c == '-' || c == '\n' || c == '\r' || static_cast<uint8_t>(c) >= 0x80;
  return part_of_cells ? std::nullopt : std::optional(c);
}

std::string csv_advice(const CsvSource& source,
                       const std::vector<std::pair<std::string, std::string>>& keys) {
  std::string text;
  for (const auto& [key, value] : keys) {
    const bool bare = value.find_first_of(",;|:") == std::string::npos;
    if (source.by_options) {
      text += fmt::format("{}--{} {}", text.empty() ? "" : " ", key,
                          bare || value == "," ? value : "'" + value + "'");
    } else {
      text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", key,
                          bare ? value : "\"" + value + "\"");
    }
  }
  return source.by_options ? "`" + text + "`" : "`" + text + "` in csv: {…}";
}

void not_utf8(const CsvSource& source, const std::string& place, std::string_view text) {
  // Between 80 and 9F Latin-1 has no letters, but Windows has.
  const bool windows = std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<uint8_t>(c);
    return byte >= 0x80 && byte < 0xA0;
  });
  const std::string encoding = windows ? "windows-1252" : "latin1";
  throw DataError(source.path, place, "this text is not UTF-8",
                  "UTF-8, or " + csv_advice(source, {{"encoding", encoding}}),
                  "'" + with_escapes(text) + "'");
}

}  // namespace nnc::runtime
