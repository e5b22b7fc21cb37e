// Files that a run writes: safetensors, weights and checkpoints, metrics.
#include <sys/resource.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include <cmath>
#include <csignal>
#include <cstring>

#include "runtime/atomic_file.h"
#include "runtime/checkpoint.h"
#include "runtime/run_folder.h"
#include "runtime/safetensors.h"
#include "support.h"

using namespace nnc;
using namespace nnc::runtime;
using namespace nnc::runtime::test;

namespace {

abi::StateDesc state(const char* name, abi::StateKind kind, std::vector<int64_t> shape,
                     size_t offset) {
  abi::StateDesc desc;
  desc.name = name;
  desc.kind = kind;
  desc.shape = std::move(shape);
  desc.offset = offset;
  return desc;
}

abi::Program small_program() {
  abi::Program program;
  program.states = {state("fc.kernel", abi::StateKind::parameter, {2, 3}, 0),
                    state("fc.kernel:adam.m", abi::StateKind::optimizer, {2, 3}, 64),
                    state("x:mean", abi::StateKind::prepared, {}, 128)};
  program.state_bytes = 192;
  return program;
}

Buffer numbered(size_t bytes) {
  Buffer buffer = Buffer::zeros(bytes);
  for (size_t i = 0; i < bytes / sizeof(float); ++i) buffer.as<float>()[i] = 0.1f * (1 + i);
  return buffer;
}

}  // namespace

TEST_CASE("safetensors come back as they were written") {
  TemporaryFolder folder;
  const std::vector<float> floats{1, 2, 3, 4, 5, 6};
  const std::vector<int64_t> integers{7};
  const uint8_t byte = 8;
  write_safetensors(folder / "sub/a.safetensors",
                    {{"b", abi::DType::u8, {1}, &byte},
                     {"w", abi::DType::f32, {2, 3}, floats.data()},
                     {"n", abi::DType::i64, {}, integers.data()},
                     {"empty", abi::DType::f64, {0, 4}, nullptr}},
                    {{"name", "a \"test\""}});
  const TensorFile file = read_safetensors(folder / "sub/a.safetensors");
  REQUIRE(file.tensors.size() == 4);
  CHECK(file.metadata.at("name") == "a \"test\"");
  CHECK(file.find("w")->shape == std::vector<int64_t>{2, 3});
  CHECK(std::memcmp(file.find("w")->data, floats.data(), 24) == 0);
  CHECK(std::memcmp(file.find("n")->data, integers.data(), 8) == 0);
  CHECK(file.find("empty")->bytes() == 0);
  CHECK(file.find("none") == nullptr);
  // The format: a header length of 8 bytes, JSON padded to 8 bytes.
  const std::string bytes = read_bytes(folder / "sub/a.safetensors");
  CHECK(bytes[8] == '{');
  CHECK(static_cast<unsigned char>(bytes[0]) % 8 == 0);
}

TEST_CASE("safetensors that are cut or lie are refused") {
  TemporaryFolder folder;
  const float one = 1;
  write_safetensors(folder / "a", {{"w", abi::DType::f32, {1}, &one}});
  const std::string good = read_bytes(folder / "a");
  const auto refused = [&](const std::string& bytes) {
    folder.write("b", bytes);
    return !data_error(folder, [&] { read_safetensors(folder / "b"); }).empty();
  };
  for (size_t bytes = 0; bytes < good.size(); bytes += 5) {
    CAPTURE(bytes);
    CHECK(refused(good.substr(0, bytes)));
  }
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string bytes = good;
    bytes.replace(bytes.find(from), from.size(), to);
    return bytes;
  };
  CHECK_FALSE(refused(good));
  CHECK(refused(changed("[1]", "[9]")));
  CHECK(refused(changed("[0,4]", "[4,0]")));
  CHECK(refused(changed("F32", "F99")));
  CHECK(refused(changed("shape", "shapy")));
}

TEST_CASE("writing a file is all or nothing") {
  TemporaryFolder folder;
  write_atomically(folder / "a", "old");
  // A folder in its place: the rename fails, after everything was written.
  std::filesystem::create_directories(folder / "taken/x");
  CHECK_FALSE(data_error(folder, [&] { write_atomically(folder / "taken", "new"); }).empty());
  CHECK_FALSE(data_error(folder, [&] { write_atomically(folder / "a/b", "new"); }).empty());
  CHECK(read_bytes(folder / "a") == "old");
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    ++files;
  }
  CHECK(files == 2);  // no temporary file is left
}

TEST_CASE("a file that cannot be written whole leaves the old one") {
  TemporaryFolder folder;
  write_atomically(folder / "a", "old");
  // A limit on the size of files stands for a disk that fills up.
  const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit small = before;
  small.rlim_cur = 1000;
  setrlimit(RLIMIT_FSIZE, &small);
  const std::string error =
      data_error(folder, [&] { write_atomically(folder / "a", std::string(5000, 'x')); });
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, ignored);
  CHECK(error == "a: cannot be written: File too large");
  CHECK(read_bytes(folder / "a") == "old");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("a full disk is said to be full") {
  TemporaryFolder folder;
  CHECK(data_error(folder, [&] { append_text("/dev/full", "line"); }) ==
        "/dev/full: cannot be written: No space left on device\n"
        "  expected  free space on the disk");
}

namespace {

mode_t mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777;
}

}  // namespace

TEST_CASE("a link that a user names stays one; a link in a folder of ours is never followed") {
  namespace fs = std::filesystem;
  TemporaryFolder folder;
  folder.write("victim", "precious");
  fs::create_symlink(folder / "victim", folder / "link");
  write_atomically(folder / "link", "mine");
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(read_bytes(folder / "victim") == "mine");

  fs::create_directories(folder / "run");
  fs::create_directories(folder / "elsewhere");
  fs::create_symlink(folder / "victim", folder / "run/weights.safetensors");
  write_atomically({folder / "run", "weights.safetensors"}, "weights");
  CHECK_FALSE(fs::is_symlink(folder / "run/weights.safetensors"));
  CHECK(read_bytes(folder / "run/weights.safetensors") == "weights");
  CHECK(read_bytes(folder / "victim") == "mine");

  fs::create_symlink(folder / "victim", folder / "run/metrics.jsonl");
  CHECK(data_error(folder,
                   [&] {
                     append_text({folder / "run", "metrics.jsonl"}, "line");
                   }) ==
        "run/metrics.jsonl: cannot be written\n  expected  a file\n"
        "  got       a link, which is not followed");
  fs::create_directory_symlink(folder / "elsewhere", folder / "run/checkpoint");
  CHECK(data_error(folder,
                   [&] {
                     write_atomically({folder / "run", "checkpoint/last.safetensors"}, "state");
                   }) ==
        "run/checkpoint: cannot be written\n  expected  a folder\n"
        "  got       a link, which is not followed");
  CHECK(fs::is_empty(folder / "elsewhere"));
  CHECK(read_bytes(folder / "victim") == "mine");
  // The folder itself is the user's to choose.
  fs::create_directory_symlink(folder / "run", folder / "latest");
  write_atomically({folder / "latest", "manifest.json"}, "{}");
  CHECK(read_bytes(folder / "run/manifest.json") == "{}");
}

TEST_CASE("a file has the mode that the umask leaves; one that is replaced keeps its own") {
  TemporaryFolder folder;
  const mode_t before = umask(027);
  write_atomically(folder / "a", "new");
  append_text(folder / "b", "new");
  CHECK(mode_of(folder / "a") == 0640);
  CHECK(mode_of(folder / "b") == 0640);
  for (mode_t mode : {0600, 0604, 0444, 0666}) {
    REQUIRE(chmod((folder / "a").c_str(), mode) == 0);
    write_atomically(folder / "a", "newer");
    CHECK(mode_of(folder / "a") == mode);
  }
  umask(before);
}

TEST_CASE("temporary files are known by their names, and nothing else is") {
  CHECK(is_temporary_name(".nnc-0123456789abcdef"));
  for (const char* name : {"", ".nnc-", ".nnc-0123456789abcde", ".nnc-0123456789abcdeg",
                           ".nnc-0123456789abcdef0", "nnc-0123456789abcdef0", "model.yaml"}) {
    CHECK_FALSE(is_temporary_name(name));
  }
}

TEST_CASE("a bit that is wrong anywhere in a file of weights is found") {
  TemporaryFolder folder;
  const std::vector<float> floats{1, 2, 3, 4, 5, 6};
  write_safetensors(folder / "a", {{"w", abi::DType::f32, {2, 3}, floats.data()}},
                    {{"model", "test"}});
  const std::string good = read_bytes(folder / "a");
  for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
    folder.write("b", bad);
    CAPTURE(bit);
    // Where the word `checksum` is no longer one, all the rest is as it was.
    const std::string error = data_error(folder, [&] {
      const TensorFile file = read_safetensors(folder / "b");
      CHECK(file.metadata.at("model") == "test");
      CHECK(std::memcmp(file.find("w")->data, floats.data(), 24) == 0);
    });
    const size_t key = good.find("checksum");
    CHECK((!error.empty() || (bit / 8 >= key && bit / 8 < key + 8)));
  }
}

TEST_CASE("files of other programs have no checksum") {
  TemporaryFolder folder;
  std::string header = R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  header.append((8 - header.size() % 8) % 8, ' ');
  const std::string length{static_cast<char>(header.size()), 0, 0, 0, 0, 0, 0, 0};
  folder.write("a", length + header + std::string("\0\0\x80\x3f", 4));
  const TensorFile file = read_safetensors(folder / "a");
  float value = 0;
  std::memcpy(&value, file.find("w")->data, sizeof value);
  CHECK(value == 1);
}

TEST_CASE("weights leave optimizer state out; checkpoints keep everything") {
  TemporaryFolder folder;
  const abi::Program program = small_program();
  const Buffer state = numbered(program.state_bytes);
  save_weights(folder / "w", program, state, {{"model", "test"}});
  CHECK(read_safetensors(folder / "w").find("fc.kernel:adam.m") == nullptr);
  Buffer loaded = Buffer::zeros(program.state_bytes);
  CHECK(load_weights(folder / "w", program, loaded).at("model") == "test");
  CHECK(std::memcmp(loaded.data(), state.data(), 24) == 0);
  CHECK(loaded.as<float>()[16] == 0);
  CHECK(loaded.as<float>()[32] == state.as<float>()[32]);

  Progress progress;
  progress.epoch = 3;
  progress.step = 1234;
  progress.batch = 5;
  progress.seed = ~uint64_t{0};
  progress.best_epoch = 2;
  progress.best_value = 0.1 + 0.2;
  progress.sums = {1.0 / 3, std::nan(""), -0.0, 1e300};
  save_checkpoint(folder / "c", program, state, progress);
  const Progress back = load_checkpoint(folder / "c", program, loaded);
  CHECK(std::memcmp(loaded.as<float>() + 16, state.as<float>() + 16, 24) == 0);
  CHECK(back.epoch == 3);
  CHECK(back.step == 1234);
  CHECK(back.batch == 5);
  CHECK(back.seed == ~uint64_t{0});
  CHECK(back.best_value == progress.best_value);
  REQUIRE(back.sums.size() == 4);
  CHECK(back.sums[0] == 1.0 / 3);
  CHECK(std::isnan(back.sums[1]));
  CHECK(std::signbit(back.sums[2]));
  CHECK(back.sums[3] == 1e300);
}

TEST_CASE("what a checkpoint says of the training is within its range") {
  TemporaryFolder folder;
  const abi::Program program = small_program();
  Buffer state = numbered(program.state_bytes);
  const auto error = [&](const std::string& from, const std::string& to) {
    std::string training =
        R"({"epoch":3,"step":1234,"batch":5,"seed":7,"batch_size":32,"best_epoch":2,)"
        R"("best_value":0.5,"early_stop_value":0.5,"epochs_without_improvement":1,)"
        R"("seconds":1.5,"epoch_seconds":0.5,"sums":[1.0,null]})";
    training.replace(training.find(from), from.size(), to);
    std::vector<Tensor> tensors;
    for (const abi::StateDesc& desc : program.states) {
      tensors.push_back({desc.name, desc.dtype, desc.shape, state.as<char>() + desc.offset});
    }
    write_safetensors(folder / "c", tensors, {{"training", training}});
    return data_error(folder, [&] { load_checkpoint(folder / "c", program, state); });
  };
  CHECK(error("3", "3") == "");
  CHECK(error(R"("batch":5)", R"("batch":-1)") ==
        "c: training.batch: this is not right\n  expected  an integer from 0 to 2147483647\n"
        "  got       -1");
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {R"("epoch":3)", R"("epoch":-3)"},
           {R"("epoch":3)", R"("epoch":3.5)"},
           {R"("epoch":3)", R"("epoch":"3")"},
           {R"("epoch":3)", R"("epoch":1e300)"},
           {R"("step":1234)", R"("step":18446744073709551615)"},
           {R"("step":1234,)", ""},
           {R"("seed":7)", R"("seed":-7)"},
           {R"("best_epoch":2)", R"("best_epoch":9)"},
           {R"("best_value":0.5)", R"("best_value":null)"},
           {R"("seconds":1.5)", R"("seconds":[])"},
           {R"([1.0,null])", R"({"a":1})"},
           {R"([1.0,null])", R"([1.0,"x"])"},
           {R"([1.0,null]})", R"([1.0,null])"},
           {R"([1.0,null])", std::string(100000, '[') + std::string(100000, ']')}}) {
    CAPTURE(to.substr(0, 40));
    CHECK(error(from, to).find("c: ") == 0);
  }
}

TEST_CASE("weights of another model are refused by name") {
  TemporaryFolder folder;
  abi::Program program = small_program();
  Buffer state = numbered(program.state_bytes);
  save_weights(folder / "w", program, state);
  const auto error = [&] {
    return data_error(folder, [&] { load_weights(folder / "w", program, state); });
  };
  program.states[0].shape = {3, 2};
  CHECK(error() == "w: 'fc.kernel' does not fit the model\n  expected  [3, 2]\n  got       [2, 3]");
  program.states[0].shape = {2, 3};
  program.states[0].name = "fc2.kernel";
  CHECK(error() ==
        "w: there are no weights 'fc2.kernel'\n"
        "  expected  the weights of the model as it is now");
  program.states.erase(program.states.begin());
  CHECK(error() ==
        "w: 'fc.kernel' is not part of the model\n"
        "  expected  the weights of the model as it is now");
  CHECK(data_error(folder, [&] {
          load_checkpoint(folder / "w", small_program(), state);
        }).find("this is not a checkpoint") == std::string::npos);
}

TEST_CASE("lines of metrics have their contract") {
  Metrics train;
  train.rows = 10;
  train.loss = 0.5;
  train.terms = {{"a", 0.25}, {"b", 0.25}};
  Metrics valid = train;
  valid.metrics = {{"accuracy", 0.75}, {"r2", std::nan("")}};
  valid.tables = {{"confusion", {{1, 2}, {3, 4}}}};
  CHECK(metrics_line(3, train, valid, 1.5) ==
        R"({"epoch":3,"train":{"loss":0.5,"loss.a":0.25,"loss.b":0.25},)"
        R"("valid":{"loss":0.5,"loss.a":0.25,"loss.b":0.25,"accuracy":0.75,"r2":null,)"
        R"("confusion":[[1,2],[3,4]]},"seconds":1.5})");
  CHECK(metrics_line(1, train, Metrics{}, 1) ==
        R"({"epoch":1,"train":{"loss":0.5,"loss.a":0.25,"loss.b":0.25},"seconds":1.0})");
}

TEST_CASE("metrics are cut to the epoch from which training goes on") {
  TemporaryFolder folder;
  const std::string path = folder / "metrics.jsonl";
  truncate_metrics(folder.path(), 3);  // no file yet
  for (int epoch = 1; epoch <= 4; ++epoch) {
    append_text(path, "{\"epoch\":" + std::to_string(epoch) + "}\n");
  }
  truncate_metrics(folder.path(), 4);
  CHECK(read_bytes(path).size() == 4 * 12);
  truncate_metrics(folder.path(), 2);
  CHECK(read_bytes(path) == "{\"epoch\":1}\n{\"epoch\":2}\n");
  folder.write("metrics.jsonl", "{\"epoch\":1}\n{\"epoch\":2}\n{\"epo");
  truncate_metrics(folder.path(), 9);
  CHECK(read_bytes(path) == "{\"epoch\":1}\n{\"epoch\":2}\n");
}

TEST_CASE("manifests are JSON, files have a hash") {
  TemporaryFolder folder;
  write_json(folder / "manifest.json", {{"seed", 1}, {"version", "x"}});
  CHECK(read_json(folder / "manifest.json")["seed"] == 1);
  folder.write("bad.json", "{");
  CHECK(data_error(folder, [&] { read_json(folder / "bad.json"); }).find("this is not JSON") !=
        std::string::npos);
  CHECK(hash_file(folder.write("e", "")) == "cbf29ce484222325");
  CHECK(hash_file(folder.write("a", "a")) == "af63dc4c8601ec8c");  // FNV-1a's published vector
}

TEST_CASE("files hold states in the order of their shapes, however they lie in memory") {
  TemporaryFolder folder;
  abi::Program rows;
  rows.states = {state("fc.kernel", abi::StateKind::parameter, {2, 4}, 0),
                 state("fc.kernel:adam.m", abi::StateKind::optimizer, {2, 4}, 64)};
  rows.state_bytes = 128;
  abi::Program panels = rows;
  for (abi::StateDesc& desc : panels.states) desc.panel = 2;
  const Buffer written = numbered(rows.state_bytes);
  save_checkpoint(folder / "rows.safetensors", rows, written, {}, {});
  Buffer moved = Buffer::zeros(panels.state_bytes);
  load_checkpoint(folder / "rows.safetensors", panels, moved);
  const std::vector<size_t> order{0, 1, 4, 5, 2, 3, 6, 7};
  for (size_t at : {size_t{0}, size_t{16}})
    for (size_t i = 0; i < order.size(); ++i)
      CHECK(moved.as<float>()[at + i] == written.as<float>()[at + order[i]]);
  save_checkpoint(folder / "panels.safetensors", panels, moved, {}, {});
  Buffer again = Buffer::zeros(rows.state_bytes);
  load_checkpoint(folder / "panels.safetensors", rows, again);
  for (size_t i = 0; i < 8; ++i) {
    CHECK(again.as<float>()[i] == written.as<float>()[i]);
    CHECK(again.as<float>()[16 + i] == written.as<float>()[16 + i]);
  }
}
