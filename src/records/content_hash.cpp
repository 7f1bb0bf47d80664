#include "records/content_hash.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <string_view>

#include "core/file.hpp"

namespace accelerate::records {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = std::size_t{8} << 20;

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    if (!context_) throw Error(ErrorKind::out_of_memory, "no memory for a checksum");
    if (EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) fail();
  }
  void add(std::span<const std::byte> bytes) {
    if (EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) != 1) fail();
  }
  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (EVP_DigestFinal_ex(context_.get(), digest.data(), &size) != 1) fail();
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (unsigned int i = 0; i < size; ++i) text += {kDigits[digest[i] >> 4], kDigits[digest[i] & 15]};
    return text;
  }

 private:
  [[noreturn]] static void fail() { throw Error(ErrorKind::internal, "the cryptographic library refuses SHA-256"); }
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

bool counts(const fs::path& name) {
  const std::string extension = name.extension().string();
  return name == "config.json" || name == "modules.json" || extension == ".safetensors" || extension == ".gguf";
}

void add_files_of(const fs::path& folder, const fs::path& prefix, std::vector<fs::path>& files) {
  std::error_code failed;
  for (fs::directory_iterator each(folder, failed), end; !failed && each != end; each.increment(failed)) {
    std::error_code ignored;
    if (counts(each->path().filename()) && each->is_regular_file(ignored)) {
      files.push_back(prefix / each->path().filename());
    }
  }
  if (failed) throw Error(ErrorKind::not_found, "cannot be listed: " + failed.message(), folder.string());
}

}  // namespace

std::string sha256_of(std::string_view bytes) {
  Sha256 sum;
  sum.add(std::as_bytes(std::span(bytes.data(), bytes.size())));
  return sum.hex();
}

std::string sha256_of_file(const fs::path& path) {
  const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
  Sha256 sum;
  std::span<const std::byte> rest = file->bytes();
  while (!rest.empty()) {
    const std::span<const std::byte> piece = rest.first(std::min(kPiece, rest.size()));
    rest = rest.subspan(piece.size());
    // The disk reads the next piece while this one is summed.
    file->will_need(rest.first(std::min(kPiece, rest.size())));
    sum.add(piece);
    file->release(piece);
  }
  return sum.hex();
}

std::vector<fs::path> hashed_files(const fs::path& folder) {
  std::vector<fs::path> files;
  add_files_of(folder, {}, files);
  std::error_code failed;
  for (fs::directory_iterator each(folder, failed), end; !failed && each != end; each.increment(failed)) {
    std::error_code ignored;
    if (each->is_directory(ignored) && fs::exists(each->path() / "config.json", ignored)) {
      add_files_of(each->path(), each->path().filename(), files);
    }
  }
  if (files.empty()) {
    throw Error(ErrorKind::not_found, "holds neither config.json nor weights (*.safetensors, *.gguf)", folder.string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string content_hash(const fs::path& folder) {
  return content_hash(folder, [](const fs::path& file) { return sha256_of_file(file); });
}

std::string content_hash(const fs::path& folder, const SumOf& sum_of) {
  std::error_code ignored;
  if (fs::is_regular_file(folder, ignored)) return sum_of(folder);
  std::string lines;
  for (const fs::path& relative : hashed_files(folder)) {
    const fs::path file = folder / relative;
    lines += relative.generic_string() + " " + sum_of(file) + "\n";
  }
  return sha256_of(lines);
}

}  // namespace accelerate::records
