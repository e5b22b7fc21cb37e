#include <dlfcn.h>
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "compiler/jit/build_id.h"
#include "compiler/jit/cache_format.h"
#include "tests/unit/jit/samples.h"

using namespace nnc;
namespace fs = std::filesystem;

namespace {

struct Run {
  bool from_cache = false;
  bool right = false;
};

jit::Options cached_in(const fs::path& folder) {
  jit::Options options;
  options.target = kernel::host_target();
  options.cache_dir = folder;
  return options;
}

// As the stages of a model do it: code that was kept, else new code.
Run run(jit::Options options, double factor = 3) {
  if (options.identity.empty()) options.identity = "scale by " + std::to_string(factor);
  auto executable = jit::load({"scale"}, options);
  const bool from_cache = executable != nullptr;
  if (!executable)
    executable = jit::compile(testing::scale_module(factor, options.target), options);
  float data[2] = {5, 7};
  reinterpret_cast<testing::ScaleFn>(executable->lookup("scale"))(data, 1);
  return {from_cache, data[0] == static_cast<float>(5 * factor + 1) && data[1] == 7};
}

std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(folder)) paths.push_back(entry.path());
  return paths;
}

unsigned mode_of(const fs::path& path) {
  struct stat status {};
  stat(path.c_str(), &status);
  return status.st_mode & 0777;
}

}  // namespace

TEST_CASE("the second compilation comes from the cache, in private files") {
  testing::TemporaryFolder folder;
  const fs::path cache = folder.path / "deep" / "nnc";
  Run first = run(cached_in(cache)), second = run(cached_in(cache));
  CHECK_FALSE(first.from_cache);
  CHECK(second.from_cache);
  CHECK(first.right);
  CHECK(second.right);
  REQUIRE(entries(cache).size() == 1);
  CHECK(mode_of(cache) == 0700);
  CHECK(mode_of(entries(cache)[0]) == 0600);
}

TEST_CASE("stack frames are kept in the cache") {
  testing::TemporaryFolder folder;
  auto options = cached_in(folder.path);
  options.identity = "matmul";
  kernel::Module module;
  testing::add_matmul(module, "matmul", options.target, 6, 2);
  testing::add_matmul(module, "equal", options.target, 6, 2);
  module.functions.back()->exported = false;
  const auto cold = jit::compile(module, options)->stack_bytes();
  const auto kept = jit::load({"matmul"}, options);
  REQUIRE(kept != nullptr);
  const auto warm = kept->stack_bytes();
  CHECK(cold == warm);
  CHECK(warm.count("equal") == 1);
  CHECK(warm.at("matmul") > 0);
}

TEST_CASE("other programs and targets have entries of their own") {
  testing::TemporaryFolder folder;
  const auto options = cached_in(folder.path);
  run(options, 3);
  CHECK_FALSE(run(options, 4).from_cache);
  jit::Options other = options;
  for (auto isa : {kernel::Isa::sse2, kernel::Isa::avx2}) {
    if (!kernel::host_supports(isa) || isa == options.target.isa) continue;
    other.target = kernel::target_for(isa);
    CHECK_FALSE(run(other, 3).from_cache);
  }
  CHECK(run(options, 3).from_cache);
}

TEST_CASE("damaged entries are ignored and written again") {
  testing::TemporaryFolder folder;
  const auto options = cached_in(folder.path);
  run(options);
  const fs::path entry = entries(folder.path).at(0);
  const auto size = static_cast<std::streamoff>(fs::file_size(entry));
  // Any byte may be wrong: magic, key, checksum, counts, code.
  for (std::streamoff at : {std::streamoff{0}, std::streamoff{20}, std::streamoff{50},
                            std::streamoff{80}, size / 2, size - 1}) {
    CAPTURE(at);
    {
      std::fstream file(entry, std::ios::in | std::ios::out | std::ios::binary);
      file.seekg(at);
      const char byte = static_cast<char>(file.get());
      file.seekp(at);
      file.put(static_cast<char>(byte ^ 0x41));
    }
    Run damaged = run(options);
    CHECK_FALSE(damaged.from_cache);
    CHECK(damaged.right);
    CHECK(run(options).from_cache);
  }
  for (std::streamoff length : {std::streamoff{0}, std::streamoff{7}, size / 2, size - 1}) {
    CAPTURE(length);
    fs::resize_file(entry, static_cast<uintmax_t>(length));
    CHECK_FALSE(run(options).from_cache);
    CHECK(run(options).from_cache);
  }
}

TEST_CASE("the build id is that of the binary which holds the code") {
  const auto here = reinterpret_cast<const void*>(&mode_of);
  CHECK(jit::build_id() == jit::build_id_of(here));
  CHECK_FALSE(jit::build_id().empty());
  // A library that this program has loaded is another binary.
  const std::string library = jit::build_id_of(dlsym(RTLD_DEFAULT, "puts"));
  CHECK_FALSE(library.empty());
  CHECK(library != jit::build_id());
  const int on_stack = 0;
  CHECK(jit::build_id_of(&on_stack).empty());
}

TEST_CASE("a bit that is wrong anywhere in an entry is found, in its header too") {
  const jit::Key key{1, 2, 3};
  jit::Program program;
  program.objects = {"an object", "another"};
  program.stack_bytes = {{"step", 64}, {"predict", 128}};
  const std::string good = jit::pack(key, program);
  jit::Program back;
  REQUIRE(jit::unpack(good, key, back));
  CHECK(back.objects == program.objects);
  CHECK(back.stack_bytes == program.stack_bytes);
  for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
    jit::Program other;
    if (jit::unpack(bad, key, other)) FAIL_CHECK("bit ", bit % 8, " of byte ", bit / 8);
  }
}

TEST_CASE("what others could have written is not executed") {
  testing::TemporaryFolder folder;
  const auto options = cached_in(folder.path);
  run(options);
  const fs::path entry = entries(folder.path).at(0);
  chmod(entry.c_str(), 0666);
  CHECK_FALSE(run(options).from_cache);  // and replaced by a private one
  CHECK(run(options).from_cache);
  if (geteuid() == 0) {
    REQUIRE(chown(entry.c_str(), 12345, 12345) == 0);
    CHECK_FALSE(run(options).from_cache);
    CHECK(run(options).from_cache);
  }
  fs::rename(entry, folder.path / "elsewhere");
  fs::create_symlink(folder.path / "elsewhere", entry);
  CHECK_FALSE(run(options).from_cache);
  CHECK(run(options).from_cache);
  chmod(folder.path.c_str(), 0777);
  CHECK_FALSE(run(options).from_cache);
}

TEST_CASE("a cache that cannot be used is no cache") {
  testing::TemporaryFolder folder;
  std::ofstream(folder.path / "file") << "not a folder";
  for (const fs::path& path :
       {folder.path / "file", folder.path / "file" / "below", fs::path("/proc/nnc")}) {
    Run unusable = run(cached_in(path));
    CHECK_FALSE(unusable.from_cache);
    CHECK(unusable.right);
  }
}

TEST_CASE("what has no identity is not kept") {
  testing::TemporaryFolder folder;
  const auto options = cached_in(folder.path);
  const auto module = testing::scale_module(3, options.target);
  CHECK(jit::compile(module, options)->lookup("scale") != nullptr);
  CHECK(jit::load({"scale"}, options) == nullptr);
  CHECK(entries(folder.path).empty());
}

TEST_CASE("above the limit, entries used longest ago are removed first") {
  testing::TemporaryFolder folder;
  auto options = cached_in(folder.path);
  run(options, 2);
  const auto size = static_cast<int64_t>(fs::file_size(entries(folder.path).at(0)));
  auto backdate = [&](int hours) {
    for (const fs::path& path : entries(folder.path)) {
      fs::last_write_time(path, fs::last_write_time(path) - std::chrono::hours(hours));
    }
  };
  backdate(1);
  run(options, 3);
  backdate(1);
  CHECK(run(options, 2).from_cache);  // 3 is now the oldest
  std::ofstream(folder.path / "1-1.temporary") << "left behind";
  fs::last_write_time(folder.path / "1-1.temporary",
                      fs::file_time_type::clock::now() - std::chrono::hours(5));
  options.cache_limit_bytes = 2 * size + size / 2;
  run(options, 4);
  CHECK(entries(folder.path).size() == 2);
  CHECK(run(options, 2).from_cache);
  CHECK(run(options, 4).from_cache);
  CHECK_FALSE(run(options, 3).from_cache);
}

TEST_CASE("the folder follows the XDG rules") {
  testing::TemporaryFolder folder;
  auto restore = [](const char* name, const char* value) {
    value ? setenv(name, value, 1) : unsetenv(name);
  };
  const char* xdg = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const std::string old_xdg = xdg ? xdg : "", old_home = home ? home : "";
  setenv("XDG_CACHE_HOME", (folder.path / "xdg").c_str(), 1);
  run(cached_in({}));
  CHECK(entries(folder.path / "xdg" / "nnc").size() == 1);
  unsetenv("XDG_CACHE_HOME");
  setenv("HOME", folder.path.c_str(), 1);
  run(cached_in({}));
  CHECK(entries(folder.path / ".cache" / "nnc").size() == 1);
  restore("XDG_CACHE_HOME", xdg ? old_xdg.c_str() : nullptr);
  restore("HOME", home ? old_home.c_str() : nullptr);
}
