// Embeds sentences with any embedding model that Transformers or sentence-transformers published:
//
//   embed MODEL_FOLDER SENTENCE...
#include <accelerate/accelerate.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s MODEL_FOLDER SENTENCE...\n", argv[0]);
    return 2;
  }
  try {
    const std::vector<std::string> sentences(argv + 2, argv + argc);
    const auto model = accelerate::Model::open(argv[1]);
    const accelerate::Tensor vectors = model.embed(sentences).vectors;  // [sentences, embedding_size] f32
    const auto size = static_cast<std::size_t>(vectors.dim(1));
    for (std::size_t i = 0; i < sentences.size(); ++i) {
      const auto vector = vectors.as<float>().subspan(i * size, size);
      std::printf("%s  [%.6f, %.6f, ...] (%zu numbers)\n", sentences[i].c_str(), vector[0], vector[1], size);
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
