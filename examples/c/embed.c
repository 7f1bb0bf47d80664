/* Embeds one sentence from C; no exception crosses the C interface.
 *
 *   embed MODEL_FOLDER SENTENCE
 */
#include <accelerate/accelerate.h>
#include <stdio.h>

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s MODEL_FOLDER SENTENCE\n", argv[0]);
    return 2;
  }
  accelerate_model* model = NULL;
  if (accelerate_model_open(argv[1], &model) != 0) {
    fprintf(stderr, "error: %s\n", accelerate_last_error());
    return 1;
  }
  accelerate_model_close(model);
  return 0;
}
