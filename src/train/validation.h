/* Measures the mAP of a checkpoint during a training. `detector map` runs in its own process, so that the training
 * keeps its memory and random numbers, and goes on if an evaluation fails. */
#ifndef VALIDATION_H
#define VALIDATION_H

#include <stddef.h>

/* Evaluates `weights` on the `valid` list of `data_file`, on GPU number `gpu` (below 0: on the CPU), and waits for the
 * result. Prints the child's progress on stderr: on a terminal in one line that is overwritten, elsewhere a line every
 * ten seconds. The child writes its results to <weights>.map.json, which is removed afterwards. Returns the mAP, 0 to
 * 1; or -1 with the reason in `why` (`size` bytes, one line without its end). */
double validation_map(const char *data_file, const char *cfg_file, const char *weights, int gpu, char *why,
                      size_t size);

/* Reads the mAP from a file written by `detector map -json`. Returns the same as validation_map. */
double validation_read_map(const char *json_file, char *why, size_t size);

#endif
