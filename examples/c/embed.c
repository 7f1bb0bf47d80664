/* Embeds sentences from C; no exception crosses the C interface.
 *
 *   embed MODEL_FOLDER SENTENCE...
 */
#include <accelerate/accelerate.h>
#include <stdio.h>

static int fail(void) {
  fprintf(stderr, "error: %s\n", accelerate_last_error());
  return 1;
}

int main(int argc, char** argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: %s MODEL_FOLDER SENTENCE...\n", argv[0]);
    return 2;
  }
  accelerate_model* model = NULL;
  if (accelerate_model_open(argv[1], NULL, &model) != ACCELERATE_OK) return fail();

  int status = 0;
  const size_t count = (size_t)argc - 2;
  accelerate_embeddings* embeddings = NULL;
  if (accelerate_model_embed(model, (const char* const*)(argv + 2), count, NULL, &embeddings) == ACCELERATE_OK) {
    for (size_t i = 0; i < embeddings->count; ++i) {
      const float* vector = embeddings->values + i * embeddings->dimensions;
      printf("%s  [%.6f, %.6f, ...] (%zu numbers)\n", argv[2 + i], vector[0], vector[1], embeddings->dimensions);
    }
  } else {
    status = fail();
  }
  accelerate_embeddings_free(embeddings);
  accelerate_model_free(model);
  return status;
}
