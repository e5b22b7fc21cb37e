// Mutated data files must never crash their readers, nor take more time or memory than there is.
//
//   fuzz_data [--seconds N | --rounds N] [--seed S] [--only I]
//
// Every round depends on the seed and its number alone: --only repeats one and leaves its file as
// fuzz_data.file. Build it with -DNNC_SANITIZE=address,undefined.
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <new>

#include "runtime/data/error.h"
#include "runtime/data/load.h"
#include "runtime/data/probe.h"
#include "runtime/memory_limit.h"
#include "tests/fuzz/mutate_bytes.h"
#include "tests/fuzz/seed_files.h"

namespace {

using namespace nnc;
using fuzz::below;
using fuzz::Format;
using fuzz::Random;

constexpr uint64_t most_memory = uint64_t{64} << 20;
constexpr long most_resident_kb = 1 << 20;  // sanitizers have shadows, and keep what was freed

runtime::SourceKind source_kind(Format format, const std::string& path, Random& random) {
  switch (format) {
    case Format::csv: {
      const bool header = below(random, 4) > 0;
      const std::string a = header ? "a" : "0", b = header ? "b" : "1";
      std::vector<runtime::CsvColumns> columns = {{"x", {a, b}, true}};
      if (below(random, 3) == 0) columns.push_back({"kind", {header ? "kind" : "3"}, false});
      runtime::CsvSource csv;
      csv.path = path;
      csv.columns = columns;
      csv.header = header;
      csv.missing = {"", "NA"};
      return csv;
    }
    case Format::npy: return runtime::NpySource{{{"x", path}}};
    case Format::npz: return runtime::NpzSource{path, {{"x", "x"}, {"kind", "y"}}};
    case Format::idx: return runtime::IdxSource{{{"x", path}}};
    default: break;
  }
  runtime::ImagesSource images{path, 8, 8, below(random, 2) == 0 ? 1 : 3};
  images.field = "x";
  images.labels = false;
  return images;
}

// What a model file says of the fields, as far as it changes what is done with the cells.
std::vector<runtime::FieldSpec> field_specs(Random& random) {
  runtime::FieldSpec field;
  field.name = below(random, 2) == 0 ? "x" : "kind";
  switch (below(random, 4)) {
    case 0: field.classes = 7; break;
    case 1: field.names = {"red", "bl,ue", "3"}; break;
    case 2: field.prepare = {{.kind = runtime::PrepareStep::Kind::category}}; break;
    default: return {};
  }
  return {field};
}

std::string file_of_round(Random& random, Format& format) {
  static const std::vector<fuzz::SeedFile> seeds = fuzz::seed_files();
  static const std::vector<std::string> all = [] {
    std::vector<std::string> list;
    for (const fuzz::SeedFile& seed : seeds) list.push_back(seed.bytes);
    return list;
  }();
  const fuzz::SeedFile& seed = seeds[below(random, seeds.size())];
  format = seed.format;
  std::string bytes = fuzz::mutated_bytes(seed.bytes, all, random);
  if (format == Format::png && below(random, 4) > 0) bytes = fuzz::with_png_sums(bytes);
  const bool picture = format == Format::png || format == Format::jpeg;
  if (!picture && format != Format::npz && below(random, 3) == 0) {
    bytes = fuzz::gzipped(bytes);
    if (below(random, 2) == 0) bytes = fuzz::mutated_bytes(bytes, all, random);
  }
  return bytes;
}

// Empty, or what is wrong with how the file was answered.
std::string read_file(const std::string& path, Format format, Random& random, bool& accepted) {
  runtime::DataSpec spec;
  spec.max_bytes = most_memory;
  spec.precision = below(random, 2) == 0 ? abi::DType::f32 : abi::DType::f64;
  spec.fields = field_specs(random);
  try {
    spec.train = runtime::Source{source_kind(format, path, random), {}};
    if (below(random, 2) == 0) spec.valid_fraction = runtime::Fraction{0.3, "", 1};
    runtime::probe(spec);
    runtime::load(spec);
    accepted = true;
  } catch (const runtime::DataError& error) {
    if (error.problem.empty()) return "an empty message";
  } catch (const std::bad_alloc&) {
    return "memory ran out without the words of a file";
  } catch (const std::exception& error) {
    return std::string("an exception of another kind: ") + error.what();
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  if (usage.ru_maxrss > most_resident_kb) {
    return "it took " + std::to_string(usage.ru_maxrss / 1024) + " MB";
  }
  return "";
}

}  // namespace

int main(int count, char** values) {
  const fuzz::Arguments arguments = fuzz::read_arguments(count, values);
  const bool keep = arguments.only >= 0;
  const std::filesystem::path place =
      keep ? std::filesystem::path("fuzz_data.file")
           : std::filesystem::temp_directory_path() / ("fuzz_data." + std::to_string(getpid()));
  runtime::set_memory_limit(most_memory);
  const int status = fuzz::run_rounds(arguments, "files", [&](Random& random, bool& accepted) {
    Format format{};
    std::ofstream(place, std::ios::binary) << file_of_round(random, format);
    return read_file(place.string(), format, random, accepted);
  });
  if (!keep) std::filesystem::remove(place);
  return status;
}
