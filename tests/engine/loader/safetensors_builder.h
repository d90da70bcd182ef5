// Safetensors files and checkpoints made in code, right ones and wrong ones.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace paluku::test {

// A file whose header says `json` and whose weights are `weights` zeros.
std::vector<std::byte> SafetensorsBytes(std::string_view json, std::size_t weights);

// A folder of the test's temporary directory, removed at the end.
class Checkpoint {
 public:
  explicit Checkpoint(const std::string& name);
  ~Checkpoint();
  Checkpoint(const Checkpoint&) = delete;
  Checkpoint& operator=(const Checkpoint&) = delete;

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }
  Checkpoint& Put(const std::string& name, std::string_view text);
  Checkpoint& Put(const std::string& name, const std::vector<std::byte>& bytes);

 private:
  std::string path_;
};

// config.json of a tiny DeepSeek-V2 of one dense layer.
std::string TinyConfig();

}  // namespace paluku::test
